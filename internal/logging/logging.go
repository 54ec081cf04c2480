// Package logging makes the program's log. It knows the two formats, hides secrets and what people typed, and adds the ID
// of the question and of the trace to each record. It knows neither settings nor where logs are collected.
package logging

import (
	"context"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/tracing"
	"github.com/missingkbs/missingkbs/internal/view"
)

// The formats of a log.
const (
	Text = "text"
	JSON = "json"
)

// New makes a log. An empty format means [Text] on a terminal and [JSON] elsewhere.
func New(w io.Writer, format string, level slog.Leveler) *slog.Logger {
	if format == "" {
		format = JSON
		if IsTerminal(w) {
			format = Text
		}
	}
	w = redact.Writer{Writer: w} // in case a caller logs a secret
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: readable}
	if format == Text {
		return slog.New(handler{slog.NewTextHandler(w, o)})
	}
	return slog.New(handler{slog.NewJSONHandler(view.EscapeJSON(w), o)})
}

// readable writes durations in words in both formats, rounded to what an operator can use, and leaves out what has no value.
// As JSON slog would write nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindDuration:
		d := a.Value.Duration()
		if d.Abs() > time.Second {
			d = d.Round(time.Millisecond)
		}
		a.Value = slog.StringValue(d.String())
	case slog.KindAny:
		if a.Value.Any() == nil {
			return slog.Attr{}
		}
	}
	return a
}

// IsTerminal returns true if a person reads what is written to w.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // is a character device, too
	return err != nil || !os.SameFile(info, null)
}

// handler adds the IDs of the question and the trace in ctx to each record. It removes typed words from errors.
type handler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	r = withoutTyped(ctx, r)
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

// WithAttrs implements [slog.Handler].
func (h handler) WithAttrs(a []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(a)}
}

// WithGroup implements [slog.Handler].
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name)}
}

// foreignKeys are the keys of texts that other systems wrote. Such texts may repeat what a person typed.
var foreignKeys = []string{"error", "faults", "said"}

// withoutTyped returns r without the words that a person typed. It returns r itself if there are none.
func withoutTyped(ctx context.Context, r slog.Record) slog.Record {
	changed := false
	clean := func(a slog.Attr) slog.Attr {
		if !slices.Contains(foreignKeys, a.Key) {
			return a
		}
		text := a.Value.String()
		if without := commands.Untyped(ctx, text); without != text {
			a.Value, changed = slog.StringValue(without), true
		}
		return a
	}
	r.Attrs(func(a slog.Attr) bool {
		clean(a)
		return !changed
	})
	if !changed {
		return r
	}
	without := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		without.AddAttrs(clean(a))
		return true
	})
	return without
}
