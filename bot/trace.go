package bot

import (
	"context"
	"errors"
	"log/slog"

	"github.com/missingkbs/missingkbs/internal/span"
)

// startTrace starts the trace of a question at the time its envelope was read, with a span for its time in the queue.
// finish ends it. The trace contains neither the question nor the user.
func (b *Bot) startTrace(ctx context.Context, q question) (traced context.Context, finish func(Observation)) {
	ctx, end := b.options.Trace.Start(ctx, "question "+string(q.entry), span.Options{Kind: span.Consumer, Began: q.came, Attrs: []slog.Attr{
		slog.String("messaging.system", "slack"), slog.String("missingkbs.request_id", q.id), slog.String("missingkbs.entry", string(q.entry)),
	}})
	_, dequeued := b.options.Trace.Start(ctx, "queue", span.Options{Part: true, Began: q.came})
	dequeued(nil)
	return ctx, func(seen Observation) {
		var failed error
		if seen.Outcome == Failed || seen.Outcome == Lost {
			failed = errNoAnswer
		}
		end(failed,
			slog.String("missingkbs.command", seen.Command), slog.String("missingkbs.outcome", string(seen.Outcome)),
			slog.Bool("missingkbs.in_ack", seen.InAck), slog.String("error.type", seen.Reason))
	}
}

// errNoAnswer marks the trace of a question whose user got no answer.
var errNoAnswer = errors.New("no answer")
