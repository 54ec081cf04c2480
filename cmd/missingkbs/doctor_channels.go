package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	maxChannels   = 40 // Slack takes some fifty questions about channels a minute
	channelsAtOne = 8
)

// wantedChannel is where something is to be posted.
type wantedChannel struct {
	id, what string
	paused   bool // nothing is posted for now
}

// channels looks at the channels of digests, those of the file of digests included, and at the operations channel.
func (e *exam) channels(ctx context.Context) []doctor.Finding {
	me := e.installed.Load()
	wanted, err := e.wantedChannels(ctx)
	switch {
	case me == nil:
		return unchecked("the bot token does not work")
	case err != nil:
		return unchecked("the digests cannot be read: " + err.Error())
	case len(wanted) == 0:
		return well("no channel is to be told anything yet")
	}
	asked := wanted[:min(len(wanted), maxChannels)]
	found := make([][]doctor.Finding, len(asked))
	slots := make(chan struct{}, channelsAtOne)
	var all sync.WaitGroup
	inspector := bot.Inspect(e.slack)
	for i, c := range asked {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			state, err := inspector.Channel(ctx, c.id, *me)
			found[i] = c.finding(state, me.User, err)
			if found[i] == nil && state.Shared {
				found[i] = e.sharedChannel(ctx, c, state)
			}
		})
	}
	all.Wait()
	told := slices.Concat(found...)
	if n := len(wanted) - len(asked); n > 0 {
		told = append(told, unchecked(fmt.Sprintf("%s more", view.Count(n, "channel")))...)
	}
	if len(told) == 0 {
		return well("member of " + view.Count(len(asked), "channel") + " where something is posted")
	}
	return told
}

// called is what people call the channel.
func (c wantedChannel) called(state bot.ChannelState) string {
	if state.Name == "" {
		return c.id
	}
	return "#" + state.Name
}

// bad is a finding about a channel where nothing can be posted.
func (c wantedChannel) bad(state bot.ChannelState, text, cure string) []doctor.Finding {
	status := doctor.Fail
	if c.paused {
		status = doctor.Warn
	}
	return found(status, c.called(state)+" ("+c.what+") "+text, cure)
}

// finding says what is wrong with a channel, but for who else reads it; nothing of one that is well.
func (c wantedChannel) finding(state bot.ChannelState, name string, err error) []doctor.Finding {
	called := c.called(state)
	cureBy := func(text, cure string) []doctor.Finding { return c.bad(state, text, cure) }
	refused, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	invite := "in that channel type /invite @" + name
	switch {
	case limited:
		return doubtful(called+": Slack asks for a pause", "try again in a minute")
	case isRefusal && refused.Err == "missing_scope":
		return unchecked(called + ": the scope " + cmp.Or(refused.Needed, "channels:read") + " is missing")
	case isRefusal && refused.Err == "channel_not_found":
		return cureBy("is not there, or is private and the bot is no member", invite+"; if the channel is gone, choose another")
	case err != nil:
		return doubtful(called+": "+err.Error(), "try again in a minute")
	case state.Archived:
		return cureBy("is archived", "unarchive it, or choose another channel")
	case state.ReadOnly:
		return cureBy("is read-only", "let the bot post there, or choose another channel")
	case !state.Member && !state.Direct:
		return cureBy("has not the bot as a member", invite)
	}
	return nil
}

// sharedChannel says what is wrong with a channel that people of another organisation read; nothing when an administrator
// has allowed it for all of them.
func (e *exam) sharedChannel(ctx context.Context, c wantedChannel, state bot.ChannelState) []doctor.Finding {
	const cure = "choose a channel of your own, or have an administrator of the bot type /missingkbs admin allow-channel there"
	s := e.store.Load()
	switch {
	case s == nil:
		return c.bad(state, "is shared with another organisation: nothing is posted there", cure)
	case !e.ready.Load():
		return unchecked(c.called(state) + " is shared with another organisation; whether an administrator allowed it cannot be read, for the database is not ready")
	}
	a, allowed, err := s.Allowance(ctx, digest.DefaultTenant, c.id)
	switch {
	case err != nil:
		return unwell(err.Error(), "check what the database's own log says")
	case !allowed:
		return c.bad(state, "is shared with another organisation: nothing is posted there", cure)
	case !a.Covers(state.Teams):
		return c.bad(state, "was allowed by an administrator, but another organisation has joined since: nothing is posted there", cure)
	}
	return nil
}

func (e *exam) wantedChannels(ctx context.Context) ([]wantedChannel, error) {
	var wanted []wantedChannel
	add := func(id, what string, paused bool) {
		if i := slices.IndexFunc(wanted, func(c wantedChannel) bool { return c.id == id }); i >= 0 {
			wanted[i].paused = wanted[i].paused && paused
			return
		}
		wanted = append(wanted, wantedChannel{id, what, paused})
	}
	if e.ops != "" {
		add(e.ops, "MISSINGKBS_OPS_CHANNEL", false)
	}
	if e.digests != nil {
		for _, s := range e.digests.Subscriptions {
			add(s.Channel, "digest "+s.ID, false)
		}
	}
	if s := e.store.Load(); s != nil && e.ready.Load() {
		subscriptions, err := s.Subscriptions(ctx, allSubscriptions)
		if err != nil {
			return nil, err
		}
		for _, sub := range subscriptions {
			add(sub.Channel, "digest "+sub.ID, sub.Paused)
		}
	}
	return wanted, nil
}

// userGroups looks for the groups of the settings, without one of which serve does not start.
func (e *exam) userGroups(ctx context.Context) []doctor.Finding {
	switch {
	case len(e.groups) == 0:
		return well("no user groups are set")
	case e.installed.Load() == nil:
		return unchecked("the bot token does not work")
	}
	unknown, err := bot.Inspect(e.slack).UnknownGroups(ctx, *e.installed.Load(), e.groups)
	refused, isRefusal := errors.AsType[slack.SlackErrorResponse](err)
	switch {
	case isRefusal && refused.Err == "missing_scope":
		return unchecked("the scope usergroups:read is missing, so that serve does not start")
	case err != nil:
		return doubtful("user groups cannot be read: "+err.Error(), "try again in a minute")
	case len(unknown) > 0:
		slices.Sort(unknown)
		lacking := "the workspace has no user group "
		if e.installed.Load().OrgWide {
			lacking = "no workspace that the app was added to has a user group "
		}
		return unwell(lacking+strings.Join(slices.Compact(unknown), ", ")+", or it is disabled: serve does not start",
			"mend MISSINGKBS_ASK_GROUPS, MISSINGKBS_DIGEST_GROUPS and MISSINGKBS_ADMIN_GROUPS, or enable the group in Slack")
	}
	return well("all that are set are there")
}
