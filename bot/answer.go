package bot

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/span"
	"github.com/missingkbs/missingkbs/internal/view"
)

// answer answers a question and sends its page: in the acknowledgement if that may carry it, otherwise as a reply after an
// empty acknowledgement.
func (b *Bot) answer(ctx context.Context, q question) {
	began := time.Now()
	ctx, traced := b.startTrace(commands.WithTyped(commands.WithID(ctx, q.id), q.line), q)
	about := []any{"user", q.user, "channel", q.channel, "kind", string(q.kind)}
	ctx, progress := commands.WithProgress(ctx)
	progress.Begin(began.Add(b.options.Timeout))
	waited := b.sayIfLong(ctx, q, progress.Words)
	stop := b.ackMeanwhile(ctx, q)
	r := b.result(ctx, q)
	stop()
	if r.err != nil && !r.refused { // the gate logs what it refuses
		b.log.WarnContext(ctx, "question failed", append(about, "error", commands.Logged(r.err), "took", time.Since(began))...)
	}

	seen := q.observed()
	seen.Queued = began.Sub(q.came)
	payload := b.ackPayload(q, r)
	seen.InAck = b.acknowledge(ctx, q, payload)
	b.ackBuffers.put(payload)
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
	b.log.InfoContext(ctx, "answered", append(about, "took", time.Since(began), "in_ack", seen.InAck)...)

	seen.Needs, seen.Command, seen.Action, seen.Subject = r.intent.Needs, r.intent.Command, r.intent.Action, r.intent.Subject
	seen.Outcome, seen.Reason = r.outcome(), commands.Reason(r.err)
	if seen.Outcome == Busy {
		seen.Reason = busySlow
	}
	seen.Public = q.to.public
	seen.Working, seen.Reply = r.took, time.Since(began)-r.took
	if !delivered && seen.Outcome != Refused { // a refusal counts even if it was not delivered
		seen.Outcome, seen.Public = Lost, false
	}
	traced(seen)
	b.options.Observe(context.WithoutCancel(ctx), seen)
}

// result answers a question with a page. Errors become pages too.
func (b *Bot) result(ctx context.Context, q question) (r result) {
	began := time.Now()
	defer func() {
		if recovered := recover(); recovered != nil { // a panic of the bot, not of a command
			r.err = panicError(recovered)
			r.page = commands.Explain(r.err)
		}
		r.took = time.Since(began)
	}()
	r = b.run(ctx, q)
	switch {
	case errors.Is(r.err, admission.ErrInterrupted):
		b.stats.busy.Add(1)
		r.page = slowDefenderPage(b.questions.Load().Pace)
	case r.err != nil:
		if !r.refused {
			b.stats.failed.Add(1)
		}
		r.page = commands.Explain(r.err)
		r.page.Note = strings.TrimSpace(r.page.Note + " Reference: " + q.id + ".")
		if button, ok := askAgainButton(q, r.err); ok {
			r.page.Actions = append(r.page.Actions, button)
		}
	}
	return r
}

// offersShare reports whether a page may be posted for everyone: it then offers that itself. A page shown instead of
// the requested one, such as "did you mean", does not.
func offersShare(page view.Page) bool {
	return slices.ContainsFunc(page.Actions, func(a view.Action) bool { return a.Effect == view.Share })
}

// askAgainButton returns a button that repeats a question, unless the question itself is wrong. It does not repeat a share:
// its label would not say so.
func askAgainButton(q question, err error) (view.Action, bool) {
	_, wrong := errors.AsType[*commands.Error](err) // it cannot be answered later either
	button := view.Action{Label: "Ask again", Command: q.line, Effect: view.Replace}
	return button, !wrong && !q.to.public && strings.TrimSpace(q.line) != ""
}

// result is the page of a question with its outcome.
type result struct {
	page    view.Page
	err     error
	intent  commands.Intent
	refused bool // the user lacks the right
	silent  bool // the modal that was opened is the answer; nothing is sent
	took    time.Duration
}

// outcome classifies the result, for metrics and the audit.
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

// run checks a question and answers it within its time limit. It recovers panics of commands.
func (b *Bot) run(ctx context.Context, q question) (r result) {
	defer func() {
		if recovered := recover(); recovered != nil {
			r.err = panicError(recovered)
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
	refusal := b.mayAsk(asking, q, r.intent.Needs, q.to.public && b.answers.Shared(req))
	gate(nil, slog.Bool("missingkbs.refused", refusal != nil))
	progress.Asking("")
	if refusal != nil {
		r.refuse(ctx, refusal)
		return r
	}
	checked := time.Now()
	if err == nil {
		err = cmp.Or(q.shareNeedsChannel(), q.changesAgain(r.intent.Needs))
	}
	if err != nil {
		r.err = err
		return r
	}
	ctx, end := b.options.Trace.Start(ctx, "command "+r.intent.Command, span.Options{Part: true})
	r.page, r.err = b.answers.Run(ctx, req)
	if r.err == nil && r.page.Dialog != nil && q.opens {
		r.silent, r.err = b.openDialog(ctx, q, *r.page.Dialog)
	}
	switch {
	case r.err != nil:
	case isFile(q.kind):
		r.page, r.err = b.sendFile(ctx, q, r.page)
	case q.kind == blocks.Text:
		r.page = asText(q, r.page)
	}
	if r.err != nil && errors.Is(context.Cause(ctx), admission.ErrInterrupted) {
		r.err = admission.ErrInterrupted
	}
	if own, ok := errors.AsType[*commands.Error](r.err); ok && own.Refused {
		r.refuse(ctx, r.err) // the command itself asked the gate, such as who reads a channel
	}
	if r.err == nil && q.to.public && time.Since(checked) > audienceFresh {
		if refusal := b.gate.MayShow(ctx, q.caller()); refusal != nil {
			r.refuse(ctx, refusal)
		}
	}
	end(r.err, slog.String("error.type", commands.Reason(r.err)))
	return r
}

// audienceFresh is how long a check of who reads a channel stays valid. Making an answer may take much longer.
const audienceFresh = time.Second

// refuse records a refusal by the gate. If the question was canceled while the gate waited for Slack, it records that.
func (r *result) refuse(ctx context.Context, refusal error) {
	if ctx.Err() != nil && errors.Is(refusal, context.Canceled) {
		r.err = context.Cause(ctx)
		return
	}
	r.err, r.refused = refusal, true
}

// mayAsk returns an error for the user if a question may not be answered. Nothing else in this package asks the gate
// whether a user may ask. The command (shared) and the channel decide what is posted for everyone, never the button.
func (b *Bot) mayAsk(ctx context.Context, q question, needs access.Right, shared bool) error {
	if err := b.gate.May(ctx, q.caller(), needs); err != nil {
		return err
	}
	switch {
	case !q.to.public:
		return nil
	case !shared:
		return b.gate.RefuseShare(ctx, q.caller())
	}
	return b.gate.MayShow(ctx, q.caller())
}
