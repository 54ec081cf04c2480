package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	maxChannels   = 40 // Slack allows about 50 calls of conversations.info a minute
	channelsAtOne = 8
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
	asked := targets[:min(len(targets), maxChannels)]
	found := make([][]Finding, len(asked))
	slots := make(chan struct{}, channelsAtOne)
	var all sync.WaitGroup
	inspect := newInspector(c.values.Slack)
	for i, t := range asked {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			state, err := inspect.channel(ctx, t.id, *me)
			found[i] = t.findings(state, me.User, err)
			if found[i] == nil && state.Shared {
				found[i] = c.sharedChannel(ctx, t, state)
			}
		})
	}
	all.Wait()
	told := slices.Concat(found...)
	if n := len(targets) - len(asked); n > 0 {
		told = append(told, skip(fmt.Sprintf("%s more", view.Count(n, "channel")))...)
	}
	if len(told) == 0 {
		return pass("member of " + view.Count(len(asked), "channel") + " where something is posted")
	}
	return told
}

// name returns how people know the channel.
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
func (t target) findings(state channelState, name string, err error) []Finding {
	called := t.name(state)
	cureBy := func(text, cure string) []Finding { return t.fail(state, text, cure) }
	refused, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	invite := "in that channel type /invite @" + name
	switch {
	case limited:
		return warn(called+": Slack asks for a pause", "try again in a minute")
	case isRefusal && refused.Err == "missing_scope":
		return skip(called + ": the scope " + cmp.Or(refused.Needed, "channels:read") + " is missing")
	case isRefusal && refused.Err == "channel_not_found":
		return cureBy("is not there, or is private and the bot is no member", invite+"; if the channel is gone, choose another")
	case err != nil:
		return warn(called+": "+err.Error(), "try again in a minute")
	case state.Archived:
		return cureBy("is archived", "unarchive it, or choose another channel")
	case state.ReadOnly:
		return cureBy("is read-only", "let the bot post there, or choose another channel")
	case !state.Member && !state.Direct:
		return cureBy("has not the bot as a member", invite)
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
		return skip(t.name(state) + " is shared with another organisation; whether an administrator allowed it cannot be read, for the database is not ready")
	}
	a, allowed, err := s.Allowance(ctx, digest.DefaultTenant, t.id)
	switch {
	case err != nil:
		return fail(err.Error(), "check what the database's own log says")
	case !allowed:
		return t.fail(state, "is shared with another organisation: nothing is posted there", cure)
	case !a.Covers(state.Teams):
		return t.fail(state, "was allowed by an administrator, but another organisation has joined since: nothing is posted there", cure)
	}
	return nil
}

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
	refused, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	switch {
	case isRefusal && refused.Err == "missing_scope":
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
			"correct MISSINGKBS_ASK_GROUPS, MISSINGKBS_DIGEST_GROUPS and MISSINGKBS_ADMIN_GROUPS, or enable the group in Slack")
	}
	return pass("all that are set are there")
}
