package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/patrickmn/go-cache"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/digest"
)

const (
	// directoryTTL is how long people and channels are remembered: so long may pass until a change in Slack is seen.
	directoryTTL = 10 * time.Minute
	// maxDirectory bounds how many of each are remembered.
	maxDirectory = 10_000
)

// Directory knows people and channels of the workspace, from users.info and conversations.info. It keeps what it was
// told for ten minutes, but no refusal: whoever invites the bot should not have to wait. It is safe for concurrent use.
type Directory struct {
	slack    *webAPI
	self     Workspace
	people   *remembered[*slack.User]
	channels *remembered[*slack.Channel]
}

// NewDirectory returns the directory of the bot's workspace. It needs the scopes users:read, channels:read and
// groups:read; for conversations with the bot alone also im:read.
func NewDirectory(c Config, w Workspace) *Directory {
	return &Directory{
		slack: c.plainWebAPI(), self: w,
		people: newRemembered[*slack.User](), channels: newRemembered[*slack.Channel](),
	}
}

// Zone is the IANA name of a person's time zone, as set in Slack.
func (d *Directory) Zone(ctx context.Context, user string) (string, error) {
	who, err := d.person(ctx, user)
	if err != nil {
		return "", err
	}
	if who.TZ == "" {
		return "", errors.New("no time zone is set for this person")
	}
	return who.TZ, nil
}

// MayPost says, as a [commands.Error], why a person may not decide what is posted into a channel: because it is a guest
// or a stranger, because the bot could not post there, or because others would read it.
//
// Whether the person is a member of the channel is not asked: that takes reading all members, page by page, and whoever
// types a command in a channel is one, but for public channels that a person only looks at. Nor does Slack tell an app
// whether a channel lets only some people post.
func (d *Directory) MayPost(ctx context.Context, user, channel string) error {
	who, err := d.person(ctx, user)
	if err != nil {
		return &commands.Error{
			Title: "Not changed", Message: "Slack does not say who you are right now, so nothing was changed. Try again in a minute.", Err: err,
		}
	}
	if why := d.stranger(who); why != "" {
		return &commands.Error{Title: "Only for members", Message: why}
	}
	info, err := d.channel(ctx, channel)
	if err != nil {
		return unseenChannel(err)
	}
	return closedChannel(info, user)
}

// stranger says why a person is no member of the bot's own organisation.
func (d *Directory) stranger(who *slack.User) string {
	sameOrg := d.self.EnterpriseID != "" && who.Enterprise.EnterpriseID == d.self.EnterpriseID
	switch {
	case who.Deleted || who.IsBot:
		return "Digests are made and changed by people."
	case who.IsRestricted || who.IsUltraRestricted:
		return "Guests may not change what a channel is told. Ask a member of this workspace."
	case who.IsStranger || who.TeamID != "" && who.TeamID != d.self.TeamID && !sameOrg:
		return "Only people of the organisation that runs this bot may change what a channel is told."
	}
	return ""
}

func unseenChannel(err error) error {
	e := &commands.Error{
		Title:   "I am not in this conversation",
		Message: "I cannot see this conversation, so I cannot post here. Invite me first: type /invite and my name, then try again. Digests go to channels.",
		Err:     err,
	}
	if _, slow := errors.AsType[*slack.RateLimitedError](err); slow {
		e.Title, e.Message = "Not changed", "Slack asks for a pause, so nothing was changed. Try again in a minute."
	}
	return e
}

// closedChannel says why the bot should not post into a channel.
func closedChannel(info *slack.Channel, user string) error {
	switch {
	case info.IsArchived:
		return &commands.Error{Title: "This channel is archived", Message: "Nothing can be posted here any more. Make the digest in another channel."}
	case info.IsExtShared || info.IsPendingExtShared:
		return &commands.Error{
			Title:   "This channel is shared with another organisation",
			Message: "What your software lacks is not for them to read: digests go only to channels of your own.",
		}
	case info.IsReadOnly:
		return &commands.Error{Title: "This channel is read-only", Message: "Nothing can be posted here. Make the digest in another channel."}
	case info.IsIM && info.User != user, !info.IsIM && !info.IsMember:
		return &commands.Error{
			Title:   "I am not in this channel",
			Message: "I can only post where I am a member. Invite me first: type /invite and my name, then try again.",
		}
	}
	return nil
}

// mayRead refuses, as a [digest.ErrChannelGone], a channel that people of another organisation read: a channel may have
// been shared after the digest was made.
func (d *Directory) mayRead(ctx context.Context, channel string) error {
	info, err := d.lookUp(ctx, channel) // anew: what is remembered may be older than the sharing
	if err != nil {
		return slackFailure(err)
	}
	if info.IsExtShared || info.IsPendingExtShared {
		return fmt.Errorf("%w: it is shared with another organisation", digest.ErrChannelGone)
	}
	return nil
}

func (d *Directory) person(ctx context.Context, id string) (*slack.User, error) {
	return d.people.get(id, func(*slack.User) bool { return true }, func() (*slack.User, error) {
		who, err := d.slack.client().GetUserInfoContext(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("look up user %s: %w", id, withoutURL(err))
		}
		return who, nil
	})
}

// channel looks a channel up. One that takes no digests is not remembered.
func (d *Directory) channel(ctx context.Context, id string) (*slack.Channel, error) {
	open := func(c *slack.Channel) bool { return closedChannel(c, c.User) == nil }
	return d.channels.get(id, open, func() (*slack.Channel, error) { return d.lookUp(ctx, id) })
}

func (d *Directory) lookUp(ctx context.Context, id string) (*slack.Channel, error) {
	info, err := d.slack.client().GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return nil, fmt.Errorf("look up channel %s: %w", id, withoutURL(err))
	}
	return info, nil
}

// remembered keeps a bounded number of values for a while. It is go-cache without its janitor, whose goroutine nobody
// could stop.
type remembered[T any] struct {
	mu   sync.Mutex // one writer at a time, so that the bound holds
	kept *cache.Cache
}

func newRemembered[T any]() *remembered[T] {
	return &remembered[T]{kept: cache.New(directoryTTL, 0)}
}

// get returns the value of a key, asking for it where it is not known. What keep turns down, and errors, are not
// remembered.
func (r *remembered[T]) get(key string, keep func(T) bool, ask func() (T, error)) (T, error) {
	if v, ok := r.kept.Get(key); ok {
		return v.(T), nil
	}
	v, err := ask()
	if err != nil || !keep(v) {
		return v, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept.ItemCount() >= maxDirectory {
		r.kept.DeleteExpired()
	}
	if r.kept.ItemCount() < maxDirectory {
		r.kept.SetDefault(key, v)
	}
	return v, nil
}
