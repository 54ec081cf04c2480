package bot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	ackTimeout   = 2 * time.Second  // to hand an acknowledgement to the connection; Slack waits three seconds in all
	replyTimeout = 15 * time.Second // to post an answer

	// maxAck is how many bytes of JSON an acknowledgement carries. Slack drops 20,480 and more without a word
	// (https://github.com/slack-go/slack/issues/1196); the rest is for the envelope.
	maxAck = 20_000
)

// answer runs a question and sends its page: in the acknowledgement when it may travel there, else to the response_url
// after an empty one.
func (b *Bot) answer(ctx context.Context, q question) {
	began := time.Now()
	ctx, traced := b.traced(commands.WithTyped(commands.WithID(ctx, q.id), q.line), q)
	log := b.log.With("user", q.user, "channel", q.channel, "kind", string(q.kind))
	ctx, progress := commands.WithProgress(ctx)
	progress.Begin(began.Add(b.options.Timeout))
	waited := b.sayIfLong(ctx, q, progress.Words)
	stop := b.ackMeanwhile(ctx, q)
	r := b.result(ctx, q)
	stop()
	if r.err != nil && !r.refused { // the gate logs what it refuses
		log.WarnContext(ctx, "question failed", "error", commands.Logged(r.err), "took", time.Since(began))
	}

	seen := q.observed()
	seen.Queued = began.Sub(q.came)
	seen.InAck = b.acknowledge(ctx, q, b.payload(q, r.page))
	waited()
	delivered := true
	if !seen.InAck {
		if r.err == nil && q.to.public && !offersShare(r.page) {
			q, seen.Share = q.private(), false
		}
		if r.err != nil {
			q = q.private()
		}
		if r.err != nil || !r.silent {
			delivered = b.reply(ctx, q, r.page)
		}
	}
	b.stats.answered.Add(1)
	log.InfoContext(ctx, "answered", "took", time.Since(began), "in_ack", seen.InAck)

	seen.Needs, seen.Command, seen.Action, seen.Subject = r.intent.Needs, r.intent.Command, r.intent.Action, r.intent.Subject
	seen.Outcome, seen.Reason = r.outcome(), commands.Reason(r.err)
	if seen.Outcome == Busy {
		seen.Reason = busySlow
	}
	seen.Public = q.to.public
	seen.Working, seen.Reply = r.took, time.Since(began)-r.took
	if !delivered && seen.Outcome != Refused { // a refusal is one, heard or not
		seen.Outcome, seen.Public = Lost, false
	}
	traced(seen)
	b.options.Observe(context.WithoutCancel(ctx), seen)
}

// result has a question answered; a failure becomes a page too.
func (b *Bot) result(ctx context.Context, q question) (r result) {
	began := time.Now()
	defer func() {
		if crash := recover(); crash != nil { // not the command's
			r.err = crashed(crash)
			r.page = commands.Explain(r.err)
		}
		r.took = time.Since(began)
	}()
	r = b.run(ctx, q)
	switch {
	case errors.Is(r.err, admission.ErrInterrupted):
		b.stats.busy.Add(1)
		r.page = slowDefender(b.questions.Load().Pace)
	case r.err != nil:
		if !r.refused {
			b.stats.failed.Add(1)
		}
		r.page = commands.Explain(r.err)
		r.page.Note = strings.TrimSpace(r.page.Note + " Reference: " + q.id + ".")
		if again, ok := askAgain(q, r.err); ok {
			r.page.Actions = append(r.page.Actions, again)
		}
	}
	return r
}

// offersShare reports whether a page may be posted for everyone: it offers that itself. A page that came instead of the
// one that was shared, such as "did you mean", does not.
func offersShare(page view.Page) bool {
	return slices.ContainsFunc(page.Actions, func(a view.Action) bool { return a.Effect == view.Share })
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
	page    view.Page
	err     error
	intent  commands.Intent
	refused bool // the person may not have this
	silent  bool // there is nothing to say beside the modal that was opened
	took    time.Duration
}

func (r result) outcome() Outcome {
	switch {
	case r.refused:
		return Refused
	case errors.Is(r.err, admission.ErrInterrupted):
		return Busy
	case r.err != nil:
		return Failed
	}
	return Answered
}

// ackMeanwhile acknowledges a question while its answer is made: soon if the acknowledgement may not carry the answer,
// else when the answer takes too long. The caller stops it when there is an answer.
func (b *Bot) ackMeanwhile(ctx context.Context, q question) (stop func()) {
	if !q.carries() {
		b.ackSoon(ctx, q)
		return func() {}
	}
	timer := time.AfterFunc(b.options.AckAfter-time.Since(q.came), func() {
		if err := guarded(func() { b.acknowledge(ctx, q, nil) }); err != nil {
			b.crashed(err)
		}
	})
	return func() { timer.Stop() }
}

// newID names a question in the log and on pages about failures.
func newID() string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails, see its documentation
	return hex.EncodeToString(id[:])
}

// run has a question answered, within its time and without letting a crash through.
func (b *Bot) run(ctx context.Context, q question) (r result) {
	defer func() {
		if crash := recover(); crash != nil {
			r.err = crashed(crash)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, b.options.Timeout)
	defer cancel()
	if q.entry == EntryShortcut {
		var end context.CancelFunc
		ctx, end = context.WithDeadline(ctx, q.came.Add(triggerLife))
		defer end()
	}
	req, err := q.request()
	r.intent = b.answers.Intent(req)
	progress := commands.ProgressOf(ctx)
	progress.Asking("Slack")
	asking, gate := b.options.Trace.Start(ctx, "gate", span.Options{Part: true})
	refusal := b.mayAsk(asking, q, r.intent.Needs, b.answers.Shared(req))
	gate(nil, slog.Bool("missingkbs.refused", refusal != nil))
	progress.Asking("")
	if refusal != nil {
		r.refuse(ctx, refusal)
		return r
	}
	checked := time.Now()
	if err != nil {
		r.err = err
		return r
	}
	if q.entry == EntryShortcut {
		r.silent, r.intent.Command, r.err = true, "shortcut", b.open(ctx, q)
		return r
	}
	ctx, end := b.options.Trace.Start(ctx, "command "+r.intent.Command, span.Options{Part: true})
	r.page, r.err = b.answers.Run(ctx, req)
	if r.err != nil && errors.Is(context.Cause(ctx), admission.ErrInterrupted) {
		r.err = admission.ErrInterrupted
	}
	if own, ok := errors.AsType[*commands.Error](r.err); ok && own.Refused {
		r.refuse(ctx, r.err) // the command asked the gate, such as who reads a channel
	}
	if r.err == nil && q.to.public && time.Since(checked) > seenFor {
		if refusal := b.gate.MayShow(ctx, q.caller()); refusal != nil {
			r.refuse(ctx, refusal)
		}
	}
	end(r.err, slog.String("error.type", commands.Reason(r.err)))
	return r
}

// seenFor is how long it counts who reads a channel. An answer may take much longer than that.
const seenFor = time.Second

// refuse notes a refusal. One that was given because the question was cut off while the gate waited for Slack is none.
func (r *result) refuse(ctx context.Context, refusal error) {
	if ctx.Err() != nil && errors.Is(refusal, context.Canceled) {
		r.err = context.Cause(ctx)
		return
	}
	r.err, r.refused = refusal, true
}

// mayAsk says, as an error for the person, why a question is not answered. It is the one place that asks the gate.
// What is posted for everyone is decided by the command (shared) and by the channel, never by the button.
func (b *Bot) mayAsk(ctx context.Context, q question, needs access.Right, shared bool) error {
	if err := b.gate.May(ctx, q.caller(), needs); err != nil {
		return err
	}
	switch {
	case !q.to.public:
		return nil
	case !shared:
		return b.gate.notShared(ctx, q.caller())
	}
	return b.gate.MayShow(ctx, q.caller())
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

// newReply draws a page for where it goes. It returns the blocks, too, that the reply holds as JSON.
func newReply(q question, page view.Page, f blocks.Form) (reply, []slack.Block, error) {
	o := blocks.Options{Form: f}
	r := reply{ResponseType: "ephemeral", ReplaceOriginal: q.to.replace}
	if q.to.public {
		o.SharedBy = q.user
		r.ResponseType = "in_channel"
	}
	m := blocks.Render(page, o)
	r.Text = m.Text
	if len(m.Blocks) == 0 {
		return r, nil, nil
	}
	raw, err := json.Marshal(m.Blocks)
	r.Blocks = raw
	return r, m.Blocks, err
}

// payload is an answer for the acknowledgement, or nil if it may not travel there.
func (b *Bot) payload(q question, page view.Page) any {
	ladder := b.options.Ladder
	if !q.typed || q.ack.isDone() || time.Since(q.came) >= b.options.AckAfter || !ladder.mayAcknowledge(page) {
		return nil
	}
	r, _, err := newReply(q, page, ladder.form(onMessage))
	if err != nil {
		return nil
	}
	payload := &carried{reply: r, to: q.to}
	if raw, err := payload.MarshalJSON(); err != nil || len(raw) > maxAck {
		return nil
	}
	return payload
}

// acknowledge acknowledges a question, unless that was done: with a payload, or empty if that is nil or not taken. It
// reports whether the payload was taken.
func (b *Bot) acknowledge(ctx context.Context, q question, payload any) (taken bool) {
	q.ack.do(func() {
		taken = payload != nil && b.sendAck(ctx, q.envelope, payload)
		if !taken {
			b.sendAck(ctx, q.envelope, nil)
		}
	})
	return taken
}

// sendAck acknowledges an envelope. It reports whether the acknowledgement was handed to the connection.
func (b *Bot) sendAck(ctx context.Context, envelope string, payload any) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTimeout)
	defer cancel()
	ctx, end := b.options.Trace.Start(ctx, "acknowledge", span.Options{Part: true, Attrs: []slog.Attr{slog.Bool("missingkbs.with_answer", payload != nil)}})
	err := b.acks.AckCtx(ctx, envelope, payload)
	if errors.Is(err, errAcked) { // no failure: it was acknowledged before its connection ended, and the answer takes the other way
		end(nil)
		return false
	}
	end(err)
	if err != nil {
		b.stats.unacknowledged.Add(1)
		b.log.WarnContext(ctx, "could not acknowledge", "error", err)
		return false
	}
	return true
}

// reply posts a page to where its answer goes, even when the question was cut off: then the page says so. It reports
// whether Slack took it.
func (b *Bot) reply(ctx context.Context, q question, page view.Page) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replyTimeout)
	defer cancel()
	ctx, end := b.options.Trace.Start(ctx, "reply", span.Options{Part: true, Kind: span.Client})
	err := b.post(ctx, q, page)
	end(err)
	told := false
	if errors.Is(err, errUnsure) && !q.to.home { // which shows what it shows
		told = b.post(ctx, q.private(), maybeLost(q)) == nil
	}
	switch {
	case told:
		b.log.WarnContext(ctx, "an answer may be lost, and the person is told", "error", err)
	case err != nil:
		b.log.ErrorContext(ctx, "answer lost", "error", err)
	}
	return err == nil
}

func (b *Bot) post(ctx context.Context, q question, page view.Page) error {
	switch {
	case q.to.home:
		return b.publish(ctx, q, page)
	case q.to.direct:
		return b.tell(ctx, q, page)
	}
	return b.options.Ladder.deliver(ctx, delivery{page: page, tries: hookTries, left: q.to.responseURL.left, send: func(f blocks.Form) ([]slack.Block, error) {
		r, drawn, err := newReply(q, page, f)
		if err == nil {
			err = b.webhook.Reply(ctx, q.to.responseURL, r)
		}
		if q.to.replace && errors.Is(err, errUnsure) { // in the place of the same message it cannot come twice
			err = b.webhook.Reply(ctx, q.to.responseURL, r)
		}
		return drawn, err
	}})
}
