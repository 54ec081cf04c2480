// Package span is what the parts of this program know of traces: that work is done in spans, which may lie within one
// another. It does not know who records them; a nil [Tracer] does nothing and costs nothing.
package span

import (
	"context"
	"log/slog"
	"time"
)

// Kind is the kind of a span in the trace.
type Kind int

// The kinds of spans.
const (
	Internal Kind = iota
	Consumer      // it works on a message or a job from elsewhere
	Client        // it asks another program
)

// Options say more of a span. The zero value is that of work within the program that begins now.
type Options struct {
	Kind  Kind
	Began time.Time // zero for now
	Part  bool      // start nothing where there is no trace that it would be a part of
	Attrs []slog.Attr
}

// End ends a span. An error marks it as failed; its text is not told, because it may hold anything: what of it may be
// known stands in the attribute error.type.
type End func(err error, attrs ...slog.Attr)

// Tracer starts a span within that of ctx, or a trace where ctx has none. The context that it returns holds the span.
type Tracer func(ctx context.Context, name string, o Options) (context.Context, End)

// Start starts a span. It does nothing without a recorder.
func (t Tracer) Start(ctx context.Context, name string, o Options) (context.Context, End) {
	if t == nil {
		return ctx, func(error, ...slog.Attr) {}
	}
	return t(ctx, name, o)
}
