// Package post puts messages into channels: digests, their threads, and direct messages. It keeps to Slack's limits on
// posting, finds a message that was posted before, and translates Slack's errors to those of package digest. It knows
// nothing of questions or of why a digest is due.
package post

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

var _ digest.Poster = (*Poster)(nil)

// Options configure a [Poster]. The zero value of each field stands for its default.
type Options struct {
	Tables     blocks.TableSetting // default TablesAuto
	PerChannel time.Duration       // between two messages in a channel; default 1.1 s, since Slack accepts one a second; negative: no limit
	PerMinute  int                 // messages of this process in a minute; default 240, since Slack accepts "several hundred" of an app; negative: no limit
	Lanes      Lanes               // default: those of this process
	Log        *slog.Logger        // default: discarded
	Ladder     *blocks.Ladder      // which blocks the workspace accepts; default: one of its own, by Tables
}

// Poster posts digests into channels. It is a [digest.Poster], and safe for concurrent use.
//
// It does not retry: a post whose answer was lost may have been accepted, and only the digest's worker knows when to look for
// it ([Poster.Find]).
type Poster struct {
	slack   *slackapi.Client
	http    *http.Client
	config  slackapi.Config
	self    slackapi.Workspace
	gate    *access.Gate
	limits  *postLimits
	lanes   Lanes
	waiting waitingDigests
	ladder  *blocks.Ladder
	log     *slog.Logger
}

// New returns a poster for the bot's workspace. The gate decides which channels digests may be posted to.
func New(c slackapi.Config, w slackapi.Workspace, g *access.Gate, o Options) *Poster {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Ladder == nil {
		o.Ladder = blocks.NewLadder(blocks.LadderOptions{Tables: o.Tables, Log: o.Log})
	}
	if o.Lanes == nil {
		o.Lanes = &processLanes{}
	}
	c = c.WithDefaults()
	return &Poster{
		slack: c.ClientWithoutRetry(), http: c.HTTPClient(), config: c, self: w, gate: g,
		limits: newPostLimits(o.PerChannel, o.PerMinute), lanes: o.Lanes, ladder: o.Ladder, log: o.Log,
	}
}

// keyEvent is the event type of the metadata that holds a digest's key
// (https://docs.slack.dev/messaging/message-metadata). Every app and user of the workspace can read it.
const keyEvent = "missingkbs_digest"

// keyField is the field of the metadata that holds the key.
const keyField = "key"

// Post posts a digest and returns the timestamp of its message. Its errors are those of package digest.
func (p *Poster) Post(ctx context.Context, channel, key string, page view.Page) (message string, err error) {
	if err := p.mayDeliver(ctx, channel); err != nil {
		return "", fmt.Errorf("post digest into %s: %w", channel, err)
	}
	message, err = p.send(ctx, channel, page, KeyMetadata(key))
	if err != nil {
		return "", fmt.Errorf("post digest into %s: %w", channel, err)
	}
	return message, nil
}

// KeyMetadata puts a digest's key into a message's metadata.
func KeyMetadata(key string) slack.MsgOption {
	return slack.MsgOptionMetadata(slack.SlackMetadata{EventType: keyEvent, EventPayload: map[string]any{keyField: key}})
}

// Tell sends a page to one user, as a direct message.
func (p *Poster) Tell(ctx context.Context, user string, page view.Page) error {
	if _, err := p.send(ctx, user, page); err != nil {
		return fmt.Errorf("tell %s: %w", user, err)
	}
	return nil
}

// send posts a page as richly as the workspace accepts it. If the form has no room for all rows, further messages with
// the rest follow.
func (p *Poster) send(ctx context.Context, channel string, page view.Page, more ...slack.MsgOption) (message string, err error) {
	page.Actions = slices.DeleteFunc(slices.Clone(page.Actions), func(a view.Action) bool { return a.Effect == view.Share })
	same := func(int) []slack.MsgOption { return more }
	message, left, err := p.deliver(ctx, channel, page, same)
	for err == nil && left > 0 {
		var ok bool
		if page, ok = rowsLeft(page, left); !ok {
			break
		}
		if _, left, err = p.deliver(ctx, channel, page, same); err != nil {
			p.log.WarnContext(ctx, "rows of a message did not follow it; the message says which it holds", "channel", channel, "error", slackapi.WithoutURL(err))
			return message, nil // a retry would post the message twice
		}
	}
	return message, digestError(err)
}

// deliver posts one message, and returns how many rows it has no room for. It calls more with that number for further
// message options.
func (p *Poster) deliver(ctx context.Context, channel string, page view.Page, more func(hidden int) []slack.MsgOption) (message string, left int, err error) {
	err = p.ladder.Deliver(ctx, blocks.Delivery{Page: page, Tries: blocks.MaxTries, Send: func(f blocks.Form) (blocks.Sent, error) {
		m := blocks.Render(page, blocks.Options{Form: f})
		message, err = p.postMessage(ctx, channel, m, more(m.Hidden))
		left = m.Hidden
		return blocks.SentBlocks(m.Blocks), err
	}})
	return message, left, err
}

func (p *Poster) postMessage(ctx context.Context, channel string, m blocks.Message, more []slack.MsgOption) (string, error) {
	if err := p.limits.wait(ctx, channel); err != nil {
		return "", err
	}
	_, message, err := p.slack.Current().PostMessageContext(ctx, channel, append(MessageOptions(m), more...)...)
	return message, err
}

// MessageOptions returns the options for posting a message.
func MessageOptions(m blocks.Message) []slack.MsgOption {
	return []slack.MsgOption{
		slack.MsgOptionText(m.Text, false), // escaped already
		slack.MsgOptionBlocks(m.Blocks...),
		slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionDisableMarkdown(),
	}
}
