package access

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
)

// MayRead returns nil if a user may read a conversation, or a [*commands.Error] with the reason. Callers ask it for
// questions about another conversation than the one where the user asks. All members of the workspace may read a public
// channel. Guests, and people of other workspaces of the organisation, may read those they are in. Neither the
// conversation nor its members are cached.
func (g *Gate) MayRead(ctx context.Context, user, channel string) error {
	c := Caller{User: user, Channel: channel}
	return g.logged(ctx, c, access.Ask, g.reads(ctx, c))
}

// reads is MayRead without logging.
func (g *Gate) reads(ctx context.Context, c Caller) error {
	who, err := g.member(ctx, c)
	if err != nil {
		return err
	}
	info, err := g.directory.conversation(ctx, c.Channel)
	if err != nil {
		return unreadable(err)
	}
	in := info.User == c.User
	switch {
	case info.IsIM:
	case isPublic(info) && !who.guest && g.atHome(who, info):
		in = true
	default:
		if in, err = g.directory.isMember(ctx, c.User, c.Channel); err != nil {
			return unreadable(err)
		}
	}
	if in {
		return nil
	}
	return &commands.Error{
		Reason: refusedReading, Title: "Only for members of its channel",
		Message: "Only members of that channel see what is posted there, and you are not one of them. Join it again, or ask a member to show you.",
	}
}

func isPublic(info *slack.Channel) bool { return !info.IsPrivate && !info.IsMpIM && !info.IsGroup }

// unreadable returns the refusal if Slack does not say who is in a conversation.
func unreadable(err error) *commands.Error {
	e := &commands.Error{
		Reason: refusedUnseen, Title: "I cannot see that channel", Err: err,
		Message: "I cannot see that channel, and so not whether you are still in it. Ask in the channel itself, or invite me there first.",
	}
	if slackapi.RetryAfter(err) > 0 {
		e.Title, e.Message = "Not shown", "Slack asks for a pause before it says who is in that channel. Try again in a minute."
	}
	return e
}
