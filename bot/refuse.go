package bot

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// refuse tells the user why a question is not answered, in text that needs no drawing. It uses the acknowledgement if
// that may carry text and was not sent yet.
func (b *Bot) refuse(q question, why Outcome, reason string, page view.Page) {
	if why == Busy {
		b.stats.busy.Add(1)
	}
	queue := b.notices
	if q.carries() && !q.ack.isDone() {
		queue = b.acknowledgements
	}
	q = q.private()
	if queue == b.notices {
		b.ackSoon(context.Background(), q)
	}
	b.soon(queue, q, func() {
		seen := q.observed()
		seen.Outcome, seen.Reason, seen.Queued = why, reason, time.Since(q.came)
		var told bool
		if told, seen.InAck = b.decline(q, page); !told {
			b.log.Error("could not deliver the refusal to the user", "request", q.id)
		}
		seen.Reply = time.Since(q.came) - seen.Queued
		b.options.Observe(context.Background(), seen)
	})
}

// decline sends the page of a refusal, in the acknowledgement or like an answer. told reports whether it was sent,
// inAck whether the acknowledgement carried it.
func (b *Bot) decline(q question, page view.Page) (told, inAck bool) {
	ctx := context.Background()
	q.notice.end()
	if q.entry == EntryTypeahead {
		told = b.sendAck(ctx, q.envelope, blocks.Suggestions(nil))
		return told, told
	}
	var words any
	switch {
	case q.filled != nil:
		words = q.filled.Refuse("", page.Title+". "+page.Lead)
	case q.carries():
		words = &ackAnswer{reply: textReply(page), to: q.to}
	}
	if b.acknowledge(ctx, q, words) {
		return true, true
	}
	return b.reply(ctx, q, page), false
}
