package access

import (
	"context"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
)

// MayRead returns nil if a person may read what stands in a conversation, else a [*commands.Error] that says why not. It
// is for those who ask elsewhere: whoever asks in a private conversation is in it. All members of the workspace may read
// a public channel; guests, and people of other workspaces of the organisation, read the ones they are in. Both the conversation and who is in it are looked up anew.
func (g *Gate) MayRead(ctx context.Context, user, channel string) error {
	c := Caller{User: user, Channel: channel}
	return g.logged(ctx, c, access.Ask, g.reads(ctx, c))
}

func (g *Gate) reads(ctx context.Context, c Caller) error {
	who, err := g.member(ctx, c)
	if err != nil {
		return err
	}
	info, err := g.directory.room(ctx, c.Channel)
	if err != nil {
		return unreadable(err)
	}
	in := info.User == c.User
	switch {
	case info.IsIM:
	case isPublic(info) && !who.guest && g.atHome(who, info):
		in = true
	default:
		if in, err = g.directory.inRoom(ctx, c.User, c.Channel); err != nil {
			return unreadable(err)
		}
	}
	if in {
		return nil
	}
	return &commands.Error{
		Reason: refusedReading, Title: "Only for members of its channel",
		Message: "What that channel is told is for its members, and you are not one of them. Join it again, or ask a member to show you.",
	}
}

func isPublic(info *slack.Channel) bool { return !info.IsPrivate && !info.IsMpIM && !info.IsGroup }

// unreadable is the refusal where nobody can tell who is in a conversation.
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
