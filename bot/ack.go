package bot

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	slacksocket "github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/admission"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/internal/span"
)

const (
	// maxAck bounds the JSON of an acknowledgement, in bytes. Slack silently drops 20,480 and more
	// (https://github.com/slack-go/slack/issues/1196); the rest is for the envelope.
	maxAck = 20_000
)

// ackAnswer is an answer in an acknowledgement. If the connection breaks, it is sent to its response_url instead.
type ackAnswer struct {
	reply   reply
	written []byte // the reply as JSON; nil until it is written, and after it was sent
	to      replyTo
}

// MarshalJSON writes the reply alone.
func (c *ackAnswer) MarshalJSON() ([]byte, error) {
	if c.written != nil {
		return c.written, nil
	}
	return c.reply.MarshalJSON()
}

// ackBuffers hold answers while they are sent. An answer of ten kilobytes would be half of what a repeated question allocates.
type ackBuffers struct{ pool sync.Pool }

func (b *ackBuffers) get() []byte {
	if buffer, ok := b.pool.Get().(*[]byte); ok {
		return (*buffer)[:0]
	}
	return make([]byte, 0, maxAck)
}

// put takes back the buffer of an answer that was sent.
func (b *ackBuffers) put(payload any) {
	if sent, ok := payload.(*ackAnswer); ok && cap(sent.written) == maxAck { // append moved a longer answer to a buffer of another size
		buffer := sent.written
		sent.written = nil
		b.pool.Put(&buffer)
	}
}

// ackPayload returns an answer for the acknowledgement, or nil if that may not carry it.
func (b *Bot) ackPayload(q question, done result) any {
	ladder, page := b.options.Ladder, done.page
	if !q.ack.isDone() && q.filled != nil {
		return fieldErrors(q, done.err)
	}
	if done.silent || !q.typed || q.ack.isDone() || time.Since(q.came) >= b.options.AckAfter || !ladder.MayAcknowledge(page) {
		return nil
	}
	r, _, err := b.newReply(q, page, ladder.Form(blocks.ToMessage))
	if err != nil {
		return nil
	}
	written, err := r.appendJSON(b.ackBuffers.get())
	if err != nil || len(written) > maxAck {
		return nil
	}
	return &ackAnswer{reply: r, written: written, to: q.to}
}

// acknowledge acknowledges a question unless that was done before, and reports whether the payload was sent. It sends
// an empty acknowledgement if the payload is nil or no connection took it.
func (b *Bot) acknowledge(ctx context.Context, q question, payload any) (taken bool) {
	q.ack.do(func() {
		taken = payload != nil && b.sendAck(ctx, q.envelope, payload)
		if !taken {
			b.sendAck(ctx, q.envelope, nil)
		}
	})
	return taken
}

// ackMeanwhile acknowledges a question whose answer is being made: at once if the acknowledgement may not carry the answer,
// otherwise when the answer takes too long. The caller calls stop when there is an answer.
func (b *Bot) ackMeanwhile(ctx context.Context, q question) (stop func()) {
	if !q.carries() {
		b.ackSoon(ctx, q)
		return func() {}
	}
	timer := time.AfterFunc(b.options.AckAfter-time.Since(q.came), func() {
		if err := guarded(func() { b.acknowledge(ctx, q, nil) }); err != nil {
			b.countPanic(err)
		}
	})
	return func() { timer.Stop() }
}

// ackSoon queues the acknowledgement of a question.
func (b *Bot) ackSoon(ctx context.Context, q question) {
	if !q.ack.isDone() {
		b.soon(b.acknowledgements, q, func() { b.acknowledge(ctx, q, nil) })
	}
}

// soon queues a small message of a question. If the queue is full or closed, it counts a dropped envelope.
func (b *Bot) soon(queue *admission.Queue, q question, do func()) {
	_, err := queue.Submit(context.Background(), admission.Task{Person: q.user, Do: func(context.Context) { do() }})
	if err == nil {
		return
	}
	if n := b.stats.dropped.Add(1); n&(n-1) == 0 { // a flood of envelopes must not flood the log
		b.log.Error("dropped an envelope: nothing more can be sent", "request", q.id, "dropped", n)
	}
}

// sendAck acknowledges an envelope, and reports whether a connection took the acknowledgement.
func (b *Bot) sendAck(ctx context.Context, envelope string, payload any) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), socketmode.AckTimeout)
	defer cancel()
	ctx, end := b.options.Trace.Start(ctx, "acknowledge", span.Options{Part: true, Attrs: []slog.Attr{slog.Bool("missingkbs.with_answer", payload != nil)}})
	err := b.acks.AckCtx(ctx, envelope, payload)
	if errors.Is(err, socketmode.ErrAcknowledged) { // no failure: the answer follows as a reply
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

// lostAck sends an answer to its response_url whose acknowledgement was lost with its connection.
func (b *Bot) lostAck(e slacksocket.Event) {
	failed, ok := e.Data.(*slacksocket.ErrorWriteFailed)
	if !ok || failed.Response == nil {
		return
	}
	b.stats.unacknowledged.Add(1)
	lost, ok := failed.Response.Payload.(*ackAnswer)
	if !ok {
		return
	}
	b.log.Warn("an acknowledgement was lost with its connection; answering by response_url")
	b.soon(b.notices, question{envelope: failed.Response.EnvelopeID}, func() {
		ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
		defer cancel()
		if err := b.webhook.Reply(ctx, lost.to.responseURL, lost.reply); err != nil {
			b.log.Error("answer lost", "error", err)
		}
	})
}
