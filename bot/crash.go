package bot

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
)

// A crash in a command is a failure like others. One in what the bot itself does for a question, such as drawing the
// page, must not end the process either: it would end the questions of everybody.

// rescue does what is left to do for a question in whose answer the bot crashed: whoever asked is told in words that need
// no drawing, where there is a way.
func (b *Bot) rescue(q question, err error) {
	b.stats.failed.Add(1)
	ctx := commands.WithTyped(context.Background(), q.line)
	b.log.ErrorContext(ctx, "crashed while answering", "request", q.id, "error", err)
	seen := q.observed()
	seen.Outcome, seen.Reason = Failed, commands.Reason(err)
	again := guarded(func() {
		ctx, cancel := context.WithTimeout(ctx, replyTimeout)
		defer cancel()
		if q.entry == EntryTypeahead {
			b.sendAck(ctx, q.envelope, blocks.Suggestions(nil))
			return
		}
		b.sendAck(ctx, q.envelope, nil) // again if that was done: a connection sends each acknowledgement once
		page := commands.Explain(err)
		page.Lead += " Reference: " + q.id + "."
		q.notice.end()
		if err := b.say(ctx, q.private(), textReply(page).text, slackapi.WebhookTries); err != nil {
			seen.Outcome = Lost
			b.log.ErrorContext(ctx, "answer lost", "request", q.id, "error", err)
		}
	})
	if again != nil {
		seen.Outcome = Lost
		b.log.ErrorContext(ctx, "crashed again", "request", q.id, "error", again)
	}
	seen.Working = time.Since(q.came)
	b.options.Observe(context.Background(), seen)
}
