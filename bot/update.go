package bot

import (
	"context"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/post"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/view"
)

// directPrefix begins the IDs of direct messages.
const directPrefix = "D"

// update replaces the clicked message, an answer that the bot has sent to the user as a direct message. A response_url does
// that for ephemeral messages only. Slack lets the bot update its own messages where it is a member: a forged click in a
// conversation of two people gets "channel_not_found".
func (b *Bot) update(ctx context.Context, q question, page view.Page) error {
	return b.options.Ladder.Deliver(ctx, blocks.Delivery{Page: page, Tries: blocks.MaxTries, Send: func(f blocks.Form) (blocks.Sent, error) {
		m := blocks.Render(page, blocks.Options{Form: f, Direct: true})
		m.Text = shorten(m.Text)
		return blocks.SentBlocks(m.Blocks), slackapi.RetryOnce(ctx, true, func() error { // the same update twice is one
			_, _, _, err := b.screens.UpdateMessageContext(ctx, q.channel, q.to.update, post.MessageOptions(m)...)
			return err
		})
	}})
}

// maxUpdateText is the limit of chat.update in bytes. chat.postMessage takes ten times as much.
const maxUpdateText = 4000

// shorten leaves out the last lines of a text that is too long for an update, and says so.
func shorten(text string) string {
	const rest = "More lines are not read out here.\n"
	if len(text) <= maxUpdateText {
		return text
	}
	end := strings.LastIndexByte(text[:maxUpdateText-len(rest)], '\n') + 1
	return text[:end] + rest
}

// updates returns the time stamp of the direct message of the bot that a click in a channel replaces; empty for none.
func (c click) updates(kind blocks.ActionKind, channel string) string {
	if kind != blocks.Replace || c.Container.IsEphemeral || !strings.HasPrefix(channel, directPrefix) {
		return ""
	}
	return c.Container.MessageTS
}

// messageUpdater changes messages of the bot; *slackapi.Client is one.
type messageUpdater interface {
	UpdateMessageContext(ctx context.Context, channel, timestamp string, options ...slack.MsgOption) (inChannel, at, text string, err error)
}
