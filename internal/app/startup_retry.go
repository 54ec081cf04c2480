package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/missingkbs/missingkbs/internal/health"
)

// How long a start waits for what may recover by itself: a network that is not up yet, or a Slack or database that
// restarts. With it the service manager seldom needs to restart the program.
const (
	startupTimeout  = 2 * time.Minute
	startupPause    = time.Second // before the second attempt; doubles each time
	maxStartupPause = 15 * time.Second
)

// startupRetry retries a step of the start while its error may be temporary.
type startupRetry struct {
	part      string             // its name in /readyz
	reason    string             // why it is not ready, such as "Slack cannot be reached yet"
	temporary func(error) bool   // reports whether a retry may help
	explain   func(error) string // returns a better reason for some errors; may be nil, and may return ""
	parts     *health.Parts      // show the reason
	log       *slog.Logger
}

// run calls try until it succeeds, fails permanently, or [startupTimeout] has passed. It returns the last error, or the
// context's if that ends during a pause.
func (r startupRetry) run(ctx context.Context, try func(context.Context) error) error {
	pauses := &backoff.ExponentialBackOff{InitialInterval: startupPause, Multiplier: 2, MaxInterval: maxStartupPause}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := try(ctx)
		if err != nil && (ctx.Err() != nil || !r.temporary(err)) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(startupTimeout), backoff.WithNotify(func(err error, pause time.Duration) {
		r.announce(ctx, err, pause)
	}))
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
		return ctx.Err() // its cause may be a signal
	}
	return err
}

// announce shows in /readyz and in the log why the start waits.
func (r startupRetry) announce(ctx context.Context, err error, pause time.Duration) {
	reason := r.reason
	if r.explain != nil {
		reason = cmp.Or(r.explain(err), reason)
	}
	reason += "; trying again"
	r.parts.Set(r.part, func(context.Context) (string, error) { return reason, nil })
	r.log.WarnContext(ctx, "waiting for a dependency before starting", "part", r.part, "reason", reason, "pause", pause.String(), "error", err)
}
