package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/post"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Users also ask outside of channels: on the Home tab, which is a page of its own, and in modals (dialog.go). The
// answer to a modal goes into the channel chosen in it, or is a direct message, because modals cannot hold tables. All
// of them use the same command lines as channels.

// toHome draws a page for the user's Home tab.
func (b *Bot) toHome(ctx context.Context, q question, page view.Page) blocks.Delivery {
	first := commands.HomeName
	if q.line == commands.HomeName {
		first = ""
	}
	return blocks.Delivery{Page: page, On: blocks.ToHome, Tries: blocks.MaxTries, Send: func(f blocks.Form) (blocks.Sent, error) {
		home := blocks.Home(page, blocks.Options{Form: f}, first)
		return blocks.SentBlocks(home.Blocks.BlockSet), slackapi.RetryOnce(ctx, true, func() error {
			_, err := b.screens.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: q.user, View: *home})
			return err
		})
	}}
}

// toUser draws a page for the user alone: as a direct message or, after a mention, in the channel.
func (b *Bot) toUser(ctx context.Context, q question, page view.Page) blocks.Delivery {
	return blocks.Delivery{Page: page, Tries: blocks.MaxTries, Send: func(f blocks.Form) (blocks.Sent, error) {
		m := blocks.Render(page, blocks.Options{Form: f, Direct: q.to.direct})
		return blocks.SentBlocks(m.Blocks), slackapi.RetryOnce(ctx, false, func() error {
			return b.postTo(ctx, q, post.MessageOptions(m)...)
		})
	}}
}

// toResponseURL draws a page for the response_url of the question.
func (b *Bot) toResponseURL(ctx context.Context, q question, page view.Page) blocks.Delivery {
	return blocks.Delivery{Page: page, Tries: slackapi.MaxPosts, Left: q.to.responseURL.Left, Send: func(f blocks.Form) (blocks.Sent, error) {
		r, sent, err := b.newReply(q, page, f)
		if err == nil {
			err = b.webhook.Reply(ctx, q.to.responseURL, r)
		}
		if q.to.replace && errors.Is(err, slackapi.ErrDeliveryUnknown) { // a replacement cannot appear twice
			err = b.webhook.Reply(ctx, q.to.responseURL, r)
		}
		return sent, err
	}}
}

// deliver sends a page to the destination of its question, in a simpler form if Slack refuses its blocks. If the channel
// of a mention takes no answer, because the bot or the user has left it, the page becomes a direct message.
func (b *Bot) deliver(ctx context.Context, q question, page view.Page) error {
	to, doing := b.toResponseURL, ""
	switch {
	case q.to.home:
		to, doing = b.toHome, "publish the Home tab of "+q.user
	case q.to.direct:
		to, doing = b.toUser, "tell "+q.user
	case q.to.only != "":
		to, doing = b.toUser, "answer "+q.user+" in "+q.to.only
	case q.to.update != "":
		err := b.update(ctx, q, page)
		if err == nil || errors.Is(err, slackapi.ErrDeliveryUnknown) {
			return err
		}
		b.log.InfoContext(ctx, "the direct message cannot be replaced; sending a new one", "error", slackapi.WithoutURL(err))
	}
	err := b.options.Ladder.Deliver(ctx, to(ctx, q, page))
	if q.to.only != "" && slackapi.HasCode(err, channelClosed...) {
		b.log.InfoContext(ctx, "the channel takes no answer; sending a direct message instead", "channel", q.to.only, "error", slackapi.WithoutURL(err))
		q.to = replyTo{direct: true}
		return b.deliver(ctx, q, page)
	}
	if err == nil || doing == "" {
		return err
	}
	return fmt.Errorf("%s: %w", doing, slackapi.WithoutURL(err))
}

// channelClosed lists the refusals of chat.postEphemeral that a retry cannot cure. See
// https://docs.slack.dev/reference/methods/chat.postEphemeral#errors.
var channelClosed = []string{
	"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel",
	"restricted_action_thread_only_channel", "restricted_action_non_threadable_channel",
}

// postTo posts a message to the user: into the channel of a mention, visible to them alone, or as a direct message.
func (b *Bot) postTo(ctx context.Context, q question, options ...slack.MsgOption) error {
	if q.to.thread != "" {
		options = append(options, slack.MsgOptionTS(q.to.thread))
	}
	var err error
	if q.to.only != "" {
		_, err = b.screens.PostEphemeralContext(ctx, q.to.only, q.user, options...)
	} else {
		_, _, err = b.screens.PostMessageContext(ctx, q.user, options...)
	}
	return err
}

// errRefused marks the error of a user who may not ask for suggestions.
var errRefused = errors.New("refused")

// replyTimeout is how long posting an answer may take.
const replyTimeout = 15 * time.Second

// reply is a message in the format of response_url and acknowledgements: a text, or a drawing with its text. See
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses.
type reply struct {
	public  bool   // for everyone in the channel, otherwise for the user alone
	replace bool   // replaces the clicked message
	thread  string // thread to post in, unless it replaces a message; empty for none
	text    string
	drawing *blocks.Drawing // nil for none
	asOf    view.AsOf       // of the drawing
}

// MarshalJSON writes the reply. Callers that need the bytes call it directly: package json would validate and copy them
// again.
func (r reply) MarshalJSON() ([]byte, error) {
	return r.appendJSON(make([]byte, 0, 256+len(r.text)+r.drawing.Size()))
}

// appendJSON appends the reply as JSON.
func (r reply) appendJSON(to []byte) ([]byte, error) {
	to = append(to, `{"response_type":"`...)
	if r.public {
		to = append(to, "in_channel"...)
	} else {
		to = append(to, "ephemeral"...)
	}
	to = append(to, `","replace_original":`...)
	to = strconv.AppendBool(to, r.replace)
	if r.thread != "" && !r.replace {
		thread, err := json.Marshal(r.thread)
		if err != nil {
			return nil, err
		}
		to = append(append(to, `,"thread_ts":`...), thread...)
	}
	// The text contains foreign data: it is not parsed as markup, and its links do not unfurl.
	to = append(to, `,"mrkdwn":false,"unfurl_links":false,"unfurl_media":false,"text":`...)
	if r.drawing == nil {
		text, err := json.Marshal(r.text)
		return append(append(to, text...), '}'), err
	}
	to = r.drawing.AppendText(to, r.asOf)
	if r.drawing.HasBlocks() {
		to = r.drawing.AppendBlocks(append(to, `,"blocks":`...), r.asOf)
	}
	return append(to, '}'), nil
}

// newReply draws a page as the reply to a question.
func (b *Bot) newReply(q question, page view.Page, f blocks.Form) (reply, blocks.Sent, error) {
	o := blocks.Options{Form: f}
	if q.to.public {
		o.SharedBy = q.user
	}
	drawing, err := b.drawings.draw(page, o)
	if err != nil {
		return reply{}, blocks.Sent{}, err
	}
	sent := blocks.Sent{Uses: drawing.Uses(), Blocks: func() []slack.Block { return blocks.Render(page, o).Blocks }}
	return reply{public: q.to.public, replace: q.to.replace, thread: q.to.thread, drawing: drawing, asOf: page.AsOf}, sent, nil
}

// textReply returns a page as a reply that needs no drawing.
func textReply(page view.Page) reply { return reply{text: page.Title + "\n" + page.Lead} }

// reply sends the page of an answer, also after the question was canceled. It reports whether Slack took it. If that is
// unknown, it tells the user that the answer may be missing.
func (b *Bot) reply(ctx context.Context, q question, page view.Page) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTimeout)
	defer cancel()
	ctx, end := b.options.Trace.Start(ctx, "reply", span.Options{Part: true, Kind: span.Client})
	err := b.deliver(ctx, q, page)
	end(err)
	told := false
	if errors.Is(err, slackapi.ErrDeliveryUnknown) && !q.to.home { // the Home tab shows whether it has changed
		told = b.deliver(ctx, q.private(), maybeLostPage(q)) == nil
	}
	switch {
	case told:
		b.log.WarnContext(ctx, "an answer may be lost; the user was told", "error", err)
	case err != nil:
		b.log.ErrorContext(ctx, "answer lost", "error", err)
	}
	return err == nil
}

// say sends a text, which needs no drawing, to where the answer goes. A response_url is tried as often as tries says.
func (b *Bot) say(ctx context.Context, q question, words string, tries int) error {
	switch {
	case q.to.home:
		return b.deliver(ctx, q, view.Page{Title: "Missing KBs", Lead: words, Actions: []view.Action{{Label: "Reload", Command: commands.HomeName, Effect: view.Replace}}})
	case q.to.direct || q.to.only != "":
		err := b.postTo(ctx, q, slack.MsgOptionText(words, true), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMarkdown())
		if err != nil {
			return fmt.Errorf("tell %s: %w", q.user, slackapi.WithoutURL(err))
		}
		return nil
	}
	return b.webhook.Send(ctx, q.to.responseURL, reply{text: words, thread: q.to.thread}, tries)
}

// maybeLostPage tells the user that an answer may not have arrived.
func maybeLostPage(q question) view.Page {
	page := view.Page{Title: "Your answer may be missing", Lead: "The connection to Slack broke while the answer was on its way. If you do not see it, ask again."}
	switch {
	case q.to.public:
		page.Lead = "The connection to Slack broke while the answer was posted for everyone. Look whether it is there before you share it again."
	case strings.TrimSpace(q.line) != "":
		page.Actions = []view.Action{{Label: "Ask again", Command: q.line, Effect: view.Replace}}
	}
	return page
}
