package bot

import (
	"context"
	"errors"
	"log/slog"

	"github.com/missingkbs/missingkbs/internal/span"
)

// traced begins the trace of a question when its envelope was read, and tells how long it waited until now. What was asked
// and by whom stays out of it.
func (b *Bot) traced(ctx context.Context, q question) (context.Context, func(Observation)) {
	ctx, end := b.options.Trace.Start(ctx, "question "+string(q.entry), span.Options{Kind: span.Consumer, Began: q.came, Attrs: []slog.Attr{
		slog.String("messaging.system", "slack"), slog.String("missingkbs.request_id", q.id), slog.String("missingkbs.entry", string(q.entry)),
	}})
	_, waited := b.options.Trace.Start(ctx, "queue", span.Options{Part: true, Began: q.came})
	waited(nil)
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

var errNoAnswer = errors.New("no answer")
