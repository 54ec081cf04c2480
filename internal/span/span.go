// Package span is what the program knows about traces: work is done in spans, which may be nested. It does not know who
// records them; a nil [Tracer] does nothing and costs nothing.
package span

import (
	"context"
	"log/slog"
	"time"
)

// Kind is the kind of a span in its trace.
type Kind int

// The kinds of spans.
const (
	Internal Kind = iota
	Consumer      // it handles a message or job from elsewhere
	Client        // it calls another program
)

// Options describe a span. The zero value is work within the program that starts now.
type Options struct {
	Kind  Kind
	Began time.Time // zero for now
	Part  bool      // start nothing unless there is a trace that it is part of
	Attrs []slog.Attr
}

// End ends a span. An error marks it as failed; its text is not recorded, because it may contain anything: what may be
// known is in the attribute error.type.
type End func(err error, attrs ...slog.Attr)

// Tracer starts a span within that of ctx, or a trace if ctx has none. The returned context has the span.
type Tracer func(ctx context.Context, name string, o Options) (context.Context, End)

// Start starts a span. It does nothing without a tracer.
func (t Tracer) Start(ctx context.Context, name string, o Options) (context.Context, End) {
	if t == nil {
		return ctx, func(error, ...slog.Attr) {}
	}
	return t(ctx, name, o)
}
