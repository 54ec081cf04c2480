package main

import (
	"context"
	"log/slog"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/tracing"
)

// withRequest adds the name of the question to what is logged while it is answered, wherever that is, and the id of the
// trace where one is recorded.
type withRequest struct{ slog.Handler }

// Handle is part of [slog.Handler].
func (h withRequest) Handle(ctx context.Context, r slog.Record) error {
	id, trace := commands.IDOf(ctx), tracing.ID(ctx)
	if id != "" || trace != "" {
		r = r.Clone()
	}
	if id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	if trace != "" {
		r.AddAttrs(slog.String("trace_id", trace))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is part of [slog.Handler].
func (h withRequest) WithAttrs(a []slog.Attr) slog.Handler {
	return withRequest{h.Handler.WithAttrs(a)}
}

// WithGroup is part of [slog.Handler].
func (h withRequest) WithGroup(name string) slog.Handler {
	return withRequest{h.Handler.WithGroup(name)}
}
