package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	ackTimeout   = 2 * time.Second  // to hand an acknowledgement to the connection; Slack waits three seconds in all
	replyTimeout = 15 * time.Second // to post an answer

	// maxAck is how many bytes of JSON an acknowledgement carries. Slack drops 20,480 and more without a word
	// (https://github.com/slack-go/slack/issues/1196); the rest is for the envelope.
	maxAck = 20_000
)

// tableState is what is known of data_table blocks in this workspace.
type tableState int32

const (
	tablesUnknown tableState = iota
	tablesAccepted
	tablesRefused
)

// answer runs a question and sends its page: in the acknowledgement when it may travel there, else to the response_url
// after an empty one.
func (b *Bot) answer(ctx context.Context, q question) {
	began := time.Now()
	id := newID()
	log := b.log.With("request", id, "user", q.user, "channel", q.channel, "kind", string(q.kind))
	results := make(chan result, 1)
	b.running.Go(func() {
		page, err := b.run(ctx, q)
		if err != nil {
			b.stats.failed.Add(1)
			log.Warn("question failed", "error", err, "took", time.Since(began))
			page = commands.Explain(err)
			page.Note = strings.TrimSpace(page.Note + " Reference: " + id + ".")
			if again, ok := askAgain(q, err); ok {
				page.Actions = append(page.Actions, again)
			}
		}
		results <- result{page, err != nil}
	})

	inAck := false
	if q.typed {
		if r, came := within(results, b.options.AckAfter-time.Since(began)); came {
			results <- r // for the other way, should this one be closed
			inAck = b.ackWith(ctx, q, r.page)
		}
	}
	if !inAck {
		b.ack(ctx, q.envelope, nil)
		r := <-results
		if r.failed {
			q = q.private()
		}
		b.reply(ctx, q, r.page)
	}
	b.stats.answered.Add(1)
	log.Info("answered", "took", time.Since(began), "in_ack", inAck)
}

// askAgain is the button that repeats a question which failed through no fault of its own. A share is not repeated by a
// button that does not say so.
func askAgain(q question, err error) (view.Action, bool) {
	_, wrong := errors.AsType[*commands.Error](err) // the question cannot be answered, now or later
	again := view.Action{Label: "Ask again", Command: q.line, Effect: view.Replace}
	return again, !wrong && !q.to.public && strings.TrimSpace(q.line) != ""
}

// result is what became of a question.
type result struct {
	page   view.Page
	failed bool
}

// within waits a while for a result.
func within(results <-chan result, d time.Duration) (result, bool) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case r := <-results:
		return r, true
	case <-t.C:
		return result{}, false
	}
}

// newID names a question in the log and on pages about failures.
func newID() string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails, see its documentation
	return hex.EncodeToString(id[:])
}

// run has a question answered, within its time and without letting a crash through.
func (b *Bot) run(ctx context.Context, q question) (page view.Page, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", commands.ErrPanic, r, debug.Stack())
		}
	}()
	if !b.workspace.ours(q) {
		return view.Page{}, &commands.Error{
			Title:   "Only for members of this workspace",
			Message: "This bot answers people of the organisation that runs it. Ask one of them to share what you need.",
		}
	}
	ctx, cancel := context.WithTimeout(ctx, b.options.Timeout)
	defer cancel()
	req, err := q.request()
	if err != nil {
		return view.Page{}, err
	}
	if q.to.public {
		if err := b.mayShare(ctx, q.channel); err != nil {
			return view.Page{}, err
		}
	}
	return b.answers.Run(ctx, req)
}

// send sends a page that refuses a question.
func (b *Bot) send(ctx context.Context, q question, page view.Page) {
	q = q.private()
	if q.typed && b.ackWith(ctx, q, page) {
		return
	}
	b.ack(ctx, q.envelope, nil)
	b.reply(ctx, q, page)
}

// reply is a message as response_url and acknowledgements take it.
// See https://docs.slack.dev/interactivity/handling-user-interaction#message_responses.
type reply struct {
	ResponseType    string          `json:"response_type"` // "ephemeral" or "in_channel"
	ReplaceOriginal bool            `json:"replace_original"`
	Text            string          `json:"text"`
	Markdown        bool            `json:"mrkdwn"` // of Text; always false, it holds foreign words
	UnfurlLinks     bool            `json:"unfurl_links"`
	UnfurlMedia     bool            `json:"unfurl_media"`
	Blocks          json.RawMessage `json:"blocks,omitempty"`
}

// carried is an answer inside an acknowledgement. It keeps the way it could take if its connection breaks.
type carried struct {
	reply reply
	to    replyTo
}

// MarshalJSON writes the reply alone.
func (c *carried) MarshalJSON() ([]byte, error) { return json.Marshal(c.reply) }

// newReply draws a page for where it goes.
func (b *Bot) newReply(q question, page view.Page, classic bool) (reply, bool, error) {
	o := blocks.Options{Classic: classic}
	r := reply{ResponseType: "ephemeral", ReplaceOriginal: q.to.replace}
	if q.to.public {
		o.SharedBy = q.user
		r.ResponseType = "in_channel"
	}
	m := blocks.Render(page, o)
	raw, err := json.Marshal(m.Blocks)
	r.Text, r.Blocks = m.Text, raw
	return r, m.HasTable(), err
}

// classic reports whether tables have to be drawn without data_table.
func (b *Bot) classic() bool {
	return b.options.Tables == TablesClassic ||
		b.options.Tables == TablesAuto && tableState(b.tables.Load()) == tablesRefused
}

// ackWith acknowledges a question with its answer and reports whether it could. Slack drops an acknowledgement it does
// not like without a word, so a table travels that way only after the workspace has taken one.
func (b *Bot) ackWith(ctx context.Context, q question, page view.Page) bool {
	r, table, err := b.newReply(q, page, b.classic())
	if err != nil || table && b.options.Tables == TablesAuto && tableState(b.tables.Load()) != tablesAccepted {
		return false
	}
	payload := &carried{reply: r, to: q.to}
	if raw, err := payload.MarshalJSON(); err != nil || len(raw) > maxAck {
		return false
	}
	return b.ack(ctx, q.envelope, payload)
}

// ack acknowledges an envelope. It reports whether the acknowledgement was handed to the connection.
func (b *Bot) ack(ctx context.Context, envelope string, payload any) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTimeout)
	defer cancel()
	if err := b.acks.AckCtx(ctx, envelope, payload); err != nil {
		b.log.Warn("could not acknowledge", "error", err)
		return false
	}
	return true
}

// reply posts a page to the response_url, even when the question was cut off: then the page says so. Where Slack
// refuses the table it is drawn the classic way, now and from now on.
func (b *Bot) reply(ctx context.Context, q question, page view.Page) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTimeout)
	defer cancel()
	classic := b.classic()
	r, table, err := b.newReply(q, page, classic)
	if err == nil {
		err = b.webhook.Reply(ctx, q.to.responseURL, r)
	}
	if table && err == nil {
		b.tables.CompareAndSwap(int32(tablesUnknown), int32(tablesAccepted))
	}
	if table && errors.Is(err, errInvalidBlocks) && b.options.Tables != TablesData {
		if r, _, err = b.newReply(q, page, true); err == nil {
			err = b.webhook.Reply(ctx, q.to.responseURL, r)
		}
		// Only a workspace that has never taken a table, and takes the same page without one, refuses tables.
		if err == nil && b.tables.CompareAndSwap(int32(tablesUnknown), int32(tablesRefused)) {
			b.log.Warn("this workspace refuses data_table blocks; drawing tables as sections from now on")
		}
	}
	if err != nil {
		b.log.Error("answer lost", "error", err)
	}
}
