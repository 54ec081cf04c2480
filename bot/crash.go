package bot

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
)

// rescue ends a question whose answer panicked in the bot itself, such as while drawing the page. (A panic in a command
// is handled like other errors.) It tells the user in text that needs no drawing. A panic must not end the process,
// which would end all other questions.
func (b *Bot) rescue(q question, err error) {
	b.stats.failed.Add(1)
	ctx := commands.WithTyped(context.Background(), q.line)
	b.log.ErrorContext(ctx, "panic while answering", "request", q.id, "error", err)
	seen := q.observed()
	seen.Outcome, seen.Reason = Failed, commands.Reason(err)
	second := guarded(func() {
		ctx, cancel := context.WithTimeout(ctx, replyTimeout)
		defer cancel()
		if q.entry == EntryTypeahead {
			b.sendAck(ctx, q.envelope, blocks.Suggestions(nil))
			return
		}
		b.sendAck(ctx, q.envelope, nil) // a repeat is harmless: a connection sends each acknowledgement once
		page := commands.Explain(err)
		page.Lead += " Reference: " + q.id + "."
		q.notice.end()
		if err := b.say(ctx, q.private(), textReply(page).text, slackapi.WebhookTries); err != nil {
			seen.Outcome = Lost
			b.log.ErrorContext(ctx, "answer lost", "request", q.id, "error", err)
		}
	})
	if second != nil {
		seen.Outcome = Lost
		b.log.ErrorContext(ctx, "panic while reporting a panic", "request", q.id, "error", second)
	}
	seen.Working = time.Since(q.came)
	b.options.Observe(context.Background(), seen)
}
