package main

import (
	"context"
	"log/slog"

	"github.com/missingkbs/missingkbs/commands"
)

// withRequest adds the name of the question to what is logged while it is answered, wherever that is.
type withRequest struct{ slog.Handler }

// Handle is part of [slog.Handler].
func (h withRequest) Handle(ctx context.Context, r slog.Record) error {
	if id := commands.IDOf(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("request", id))
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
