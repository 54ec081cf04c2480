package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	maxChannels    = 40 // Slack allows about 50 calls of conversations.info a minute
	channelsAtOnce = 8
)

// target is a channel that something posts into.
type target struct {
	id, use string
	paused  bool // nothing is posted for now
}

// channels checks the channels of digests, including those in the file of digests, and the operations channel.
func (c *Checker) channels(ctx context.Context) []Finding {
	me := c.installed.Load()
	targets, err := c.targets(ctx)
	switch {
	case me == nil:
		return skip("the bot token does not work")
	case err != nil:
		return skip("the digests cannot be read: " + err.Error())
	case len(targets) == 0:
		return pass("no digest and no setting names a channel yet")
	}
	checked := targets[:min(len(targets), maxChannels)]
	all := c.checkChannels(ctx, checked, *me)
	if n := len(targets) - len(checked); n > 0 {
		all = append(all, skip(fmt.Sprintf("%s more", view.Count(n, "channel")))...)
	}
	if len(all) == 0 {
		return pass("member of " + view.Count(len(checked), "channel") + " where something is posted")
	}
	return all
}

// checkChannels checks several channels at the same time.
func (c *Checker) checkChannels(ctx context.Context, targets []target, me installation) []Finding {
	found := make([][]Finding, len(targets))
	inspect := newInspector(c.values.Slack)
	var group errgroup.Group
	group.SetLimit(channelsAtOnce)
	for i, t := range targets {
		group.Go(func() error {
			state, err := inspect.channel(ctx, t.id, me)
			c.learned.add(state.Name)
			found[i] = t.findings(state, me.User, err)
			if found[i] == nil && state.Shared {
				found[i] = c.sharedChannel(ctx, t, state)
			}
			return nil
		})
	}
	_ = group.Wait() // the errors are findings
	return slices.Concat(found...)
}

// name returns the name of the channel, or its ID if Slack does not tell the name.
func (t target) name(state channelState) string {
	if state.Name == "" {
		return t.id
	}
	return "#" + state.Name
}

// fail reports a channel where the bot cannot post. For a paused digest it is a warning.
func (t target) fail(state channelState, text, cure string) []Finding {
	status := Fail
	if t.paused {
		status = Warn
	}
	return newFinding(status, t.name(state)+" ("+t.use+") "+text, cure)
}

// findings reports what keeps the bot from posting. Whether the channel is shared is checked apart.
func (t target) findings(state channelState, bot string, err error) []Finding {
	channel := t.name(state)
	slackErr, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	invite := "in that channel type /invite @" + bot
	switch {
	case limited:
		return warn(channel+": Slack asks for a pause", "try again in a minute")
	case isRefusal && slackErr.Err == "missing_scope":
		return skip(channel + ": the scope " + cmp.Or(slackErr.Needed, "channels:read") + " is missing")
	case isRefusal && slackErr.Err == "channel_not_found":
		return t.fail(state, "is not there, or is private and the bot is no member", invite+"; if the channel is gone, choose another")
	case err != nil:
		return warn(channel+": "+err.Error(), "try again in a minute")
	case state.Archived:
		return t.fail(state, "is archived", "unarchive it, or choose another channel")
	case state.ReadOnly:
		return t.fail(state, "is read-only", "let the bot post there, or choose another channel")
	case !state.Member && !state.Direct:
		return t.fail(state, "does not have the bot as a member", invite)
	}
	return nil
}

// sharedChannel reports a channel that other organisations can read, unless an administrator allowed all of them.
func (c *Checker) sharedChannel(ctx context.Context, t target, state channelState) []Finding {
	const cure = "choose a channel of your own, or have an administrator of the bot type /missingkbs admin allow-channel there"
	s := c.store.Load()
	switch {
	case s == nil:
		return t.fail(state, "is shared with another organisation: nothing is posted there", cure)
	case !c.ready.Load():
		return skip(t.name(state) + " is shared with another organisation; whether an administrator allowed it cannot be read, because the database is not ready")
	}
	a, allowed, err := s.Allowance(ctx, digest.DefaultTenant, t.id)
	switch {
	case err != nil:
		return fail(err.Error(), databaseLogCure)
	case !allowed:
		return t.fail(state, "is shared with another organisation: nothing is posted there", cure)
	case !a.Covers(state.Teams):
		return t.fail(state, "was allowed by an administrator, but another organisation has joined since: nothing is posted there", cure)
	}
	return nil
}

// targets returns the channels of the settings and, if the database can be read, of all digests. A channel appears once.
func (c *Checker) targets(ctx context.Context) ([]target, error) {
	var targets []target
	add := func(id, use string, paused bool) {
		if i := slices.IndexFunc(targets, func(t target) bool { return t.id == id }); i >= 0 {
			targets[i].paused = targets[i].paused && paused
			return
		}
		targets = append(targets, target{id, use, paused})
	}
	if c.values.AlertChannel != "" {
		add(c.values.AlertChannel, "MISSINGKBS_OPS_CHANNEL", false)
	}
	if c.values.Digests != nil {
		for _, s := range c.values.Digests.Subscriptions {
			add(s.Channel, "digest "+s.ID, false)
		}
	}
	if s := c.store.Load(); s != nil && c.ready.Load() {
		subscriptions, err := s.Subscriptions(ctx, allSubscriptions)
		if err != nil {
			return nil, err
		}
		for _, sub := range subscriptions {
			add(sub.Channel, "digest "+sub.ID, sub.Paused)
		}
	}
	return targets, nil
}

// userGroups checks that the user groups in the settings exist. If one does not, serve does not start.
func (c *Checker) userGroups(ctx context.Context) []Finding {
	switch {
	case len(c.groups) == 0:
		return pass("no user groups are set")
	case c.installed.Load() == nil:
		return skip("the bot token does not work")
	}
	unknown, err := newInspector(c.values.Slack).unknownGroups(ctx, *c.installed.Load(), c.groups)
	slackErr, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	switch {
	case isRefusal && slackErr.Err == "missing_scope":
		return skip("the scope usergroups:read is missing, so that serve does not start")
	case err != nil:
		return warn("user groups cannot be read: "+err.Error(), "try again in a minute")
	case len(unknown) > 0:
		slices.Sort(unknown)
		lacking := "the workspace has no user group "
		if c.installed.Load().OrgWide {
			lacking = "no workspace that the app was added to has a user group "
		}
		return fail(lacking+strings.Join(slices.Compact(unknown), ", ")+", or it is disabled: serve does not start",
			"correct MISSINGKBS_ASK_GROUPS, MISSINGKBS_DIGEST_GROUPS, MISSINGKBS_ACCEPT_GROUPS and MISSINGKBS_ADMIN_GROUPS, or enable the group in Slack")
	}
	return pass("all groups in the settings exist")
}
