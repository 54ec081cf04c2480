package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// MayShow returns nil if an answer may be posted for everyone in a conversation, or a [*commands.Error] with the
// reason: another organisation would read about missing updates, or Slack does not say who reads. It looks up the
// conversation each time, because it may have been shared since.
func (g *Gate) MayShow(ctx context.Context, c Caller) error {
	return g.logged(ctx, c, access.Ask, g.mayShow(ctx, c.Channel))
}

// RefuseShare returns the refusal to post for everyone what is meant for the user alone. No button offers that; only a
// forged click asks for it.
func (g *Gate) RefuseShare(ctx context.Context, c Caller) error {
	return g.logged(ctx, c, access.Ask, &commands.Error{
		Reason: refusedSharing, Title: "Not posted here",
		Message: "This answer is for you alone, so it was not posted for everyone. Only the missing updates of one software can be shared.",
	})
}

// mayShow is MayShow without logging.
func (g *Gate) mayShow(ctx context.Context, channel string) error {
	info, err := g.directory.conversation(ctx, channel)
	if err != nil {
		return &commands.Error{
			Reason: refusedUnseen, Title: "Not posted here", Err: err,
			Message: "I cannot see who reads this conversation, so I do not post here. Invite me into the channel and try again, or share from another one.",
		}
	}
	return g.foreign(ctx, info)
}

// errNoAllowance is the error if the store does not say whether an administrator has allowed a channel.
var errNoAllowance = errors.New("cannot look up what is allowed")

// foreign returns the refusal of a conversation that people of another organisation read, unless an administrator allowed it
// for all organisations that read it now.
func (g *Gate) foreign(ctx context.Context, info *slack.Channel) error {
	teams, shared := ExternalTeams(info, g.self)
	if !shared {
		return nil
	}
	e := &commands.Error{
		Reason: refusedShared, Title: "Not posted here",
		Message: "This channel is shared with another organisation. What your software lacks is not for them to read, so nothing is posted here. Use a channel of your own.",
	}
	if g.allowed == nil {
		return e
	}
	a, ok, err := g.allowed.Allowance(ctx, digest.DefaultTenant, info.ID)
	switch {
	case err != nil:
		e.Err = fmt.Errorf("%w: %w", errNoAllowance, err)
		e.Message = "This channel is shared with another organisation, and whether an administrator allowed it cannot be seen right now, so nothing is posted here. Try again in a minute."
	case ok && a.Covers(teams):
		return nil
	case ok:
		e.Message = "An administrator allowed this channel, but another organisation has joined it since, so nothing is posted here. An administrator can allow it again: admin allow-channel."
	default:
		e.Message += " An administrator of this bot can allow it: admin allow-channel."
	}
	return e
}

// ExternalTeams returns the other organisations that read a conversation, or will soon, as far as Slack names them. shared is
// true if there are any.
func ExternalTeams(info *slack.Channel, self slackapi.Workspace) (teams []string, shared bool) {
	// InternalTeamIDs are workspaces of the own organisation that share the channel.
	teams = slices.DeleteFunc(unique(info.ConnectedTeamIDs, info.PendingShared), func(team string) bool {
		return team == "" || team == self.TeamID || team == self.EnterpriseID || slices.Contains(info.InternalTeamIDs, team)
	})
	return teams, info.IsExtShared || info.IsPendingExtShared || len(teams) > 0
}

// MayPost returns nil if a user may decide what is posted into a channel, or a [*commands.Error]: the user lacks the
// right to change digests, the bot cannot post there, or people of another organisation would read it.
//
// It does not ask whether the user is a member of the channel. That takes reading all members, page by page, and a user
// who types a command in a channel is one, except in public channels that the user only previews. Slack does not say
// whether a channel lets only some people post.
func (g *Gate) MayPost(ctx context.Context, user, channel string) error {
	c := Caller{User: user, Channel: channel}
	err := g.may(ctx, c, access.Change)
	if err == nil {
		err = g.takesDigests(ctx, c)
	}
	return g.logged(ctx, c, access.Change, err)
}

// takesDigests returns a refusal if digests cannot be posted into a channel, or must not be.
func (g *Gate) takesDigests(ctx context.Context, c Caller) error {
	info, err := g.directory.conversation(ctx, c.Channel)
	if slackapi.HasCode(err, "missing_scope", "channel_not_found") && strings.HasPrefix(c.Channel, "D") {
		return directUnseen(err)
	}
	if err != nil {
		return unseen(err)
	}
	if err := closed(info, c.User); err != nil {
		return err
	}
	return g.foreign(ctx, info)
}

// directUnseen returns the refusal of a direct message that the app cannot see. It belongs to two people, or the app lacks the
// scope im:read, which the manifest leaves out.
func directUnseen(err error) error {
	return &commands.Error{
		Reason: refusedDirect, Title: "Digests go to channels", Err: err, Here: true,
		Message: "Digests are not sent into direct messages here. For one of your own make a private channel, invite me there (type /invite and my name), and add the digest in it.",
	}
}

// unseen returns the refusal of a channel that the app cannot see.
func unseen(err error) error {
	e := &commands.Error{
		Reason: refusedUnseen, Title: "I am not in this conversation", Err: err,
		Message: "I cannot see this conversation, so I cannot post here. Invite me first: type /invite and my name, then try again. Digests go to channels.",
	}
	if slackapi.RetryAfter(err) > 0 {
		e.Title, e.Message = "Not changed", "Slack asks for a pause, so nothing was changed. Try again in a minute."
	}
	return e
}

// closed returns the refusal of a channel into which the bot cannot post.
func closed(info *slack.Channel, user string) error {
	refuse := func(title, message string) error {
		return &commands.Error{Reason: refusedClosed, Title: title, Message: message}
	}
	switch {
	case info.IsArchived:
		return refuse("This channel is archived", "Nothing can be posted here. Make the digest in another channel.")
	case info.IsReadOnly:
		return refuse("This channel is read-only", "Nothing can be posted here. Make the digest in another channel.")
	case info.IsIM && info.User != user, !info.IsIM && !info.IsMember:
		return refuse("I am not in this channel", "I can only post where I am a member. Invite me first: type /invite and my name, then try again.")
	}
	return nil
}

var (
	// ErrReaders is returned by [Gate.MayDeliver] for a conversation whose readers must not see digests.
	ErrReaders = errors.New("its readers may not see it")
	// ErrUndecided is returned by [Gate.MayDeliver] if neither Slack nor the store can be asked.
	ErrUndecided = errors.New("it cannot be decided who may read it")
)

// MayDeliver returns nil if a digest may be posted into a conversation, or [ErrReaders], [ErrUndecided], or Slack's
// error if the conversation cannot be looked up. It checks each time, because a channel may have been shared since the
// digest was created, and the person of a direct message may have become a guest.
func (g *Gate) MayDeliver(ctx context.Context, channel string) error {
	info, err := g.directory.conversation(ctx, channel)
	if err != nil {
		return err
	}
	c := Caller{Channel: channel}
	if err = g.foreign(ctx, info); err == nil && info.IsIM {
		c.User = info.User
		_, err = g.member(ctx, c)
	}
	if err == nil {
		return nil
	}
	_ = g.logged(ctx, c, access.Ask, err)
	if errors.Is(err, errNotAsked) || errors.Is(err, errNoAllowance) { // a temporary failure must not end a digest
		return fmt.Errorf("%w: %w", ErrUndecided, err)
	}
	return fmt.Errorf("%w: %w", ErrReaders, err)
}
