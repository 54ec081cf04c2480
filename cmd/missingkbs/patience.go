package main

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/health"
)

// A start waits so long for what may come back by itself: a network that is not up yet, a Slack or a database that
// restarts. Whoever starts the program again after that need not do it often.
const (
	startPatience  = 2 * time.Minute
	startPause     = time.Second // before the second try; each further pause is twice as long
	mostStartPause = 15 * time.Second
)

// waiting is a start that waits for a part.
type waiting struct {
	part   string             // its name in /readyz
	reason string             // why it is not ready: "Slack cannot be reached yet"
	passes func(error) bool   // whether trying again may mend an error
	cause  func(error) string // a better reason for some errors; nil, or empty, for none
	parts  *health.Parts      // that tell the reason
	log    *slog.Logger
}

// until tries until it works, until an error does not pass, and for [startPatience] at most. Its error is the last one.
func (w waiting) until(ctx context.Context, try func(context.Context) error) error {
	began := time.Now()
	for pause := startPause; ; pause = min(2*pause, mostStartPause) {
		err := try(ctx)
		if err == nil || ctx.Err() != nil || !w.passes(err) || time.Since(began)+pause > startPatience {
			return err
		}
		reason := w.reason
		if w.cause != nil {
			reason = cmp.Or(w.cause(err), reason)
		}
		reason += "; trying again"
		w.parts.Set(w.part, func(context.Context) (string, error) { return reason, nil })
		w.log.WarnContext(ctx, "the start waits", "part", w.part, "reason", reason, "pause", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
