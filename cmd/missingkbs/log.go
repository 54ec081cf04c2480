package main

import (
	"context"
	"log/slog"
	"slices"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/tracing"
)

// withRequest adds the name of the question to what is logged while it is answered, wherever that is, and the id of the
// trace where one is recorded. It takes out of errors what was typed.
type withRequest struct{ slog.Handler }

// Handle is part of [slog.Handler].
func (h withRequest) Handle(ctx context.Context, r slog.Record) error {
	r = untyped(ctx, r)
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

// foreign are the names of what others say, and may repeat what was typed.
var foreign = []string{"error", "err", "faults", "said"}

// untyped is a record whose errors repeat nothing of what was typed. Where none does it is the record itself.
func untyped(ctx context.Context, r slog.Record) slog.Record {
	var attrs []slog.Attr
	changed := false
	r.Attrs(func(a slog.Attr) bool {
		if slices.Contains(foreign, a.Key) {
			if text := a.Value.String(); text != commands.Untyped(ctx, text) {
				a.Value, changed = slog.StringValue(commands.Untyped(ctx, text)), true
			}
		}
		attrs = append(attrs, a)
		return true
	})
	if !changed {
		return r
	}
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	clean.AddAttrs(attrs...)
	return clean
}
