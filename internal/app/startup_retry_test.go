package app

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/internal/health"
)

// A start retries temporary errors, and not for ever.
func TestStartupRetry(t *testing.T) {
	t.Parallel()
	temporary, final := errors.New("temporary"), errors.New("final")
	for name, tc := range map[string]struct {
		fails error
		lasts time.Duration // it fails
		want  error
		least time.Duration
		most  time.Duration
	}{
		"works at once":      {nil, 0, nil, 0, 0},
		"comes back":         {temporary, time.Minute, nil, time.Minute, time.Minute + maxStartupPause},
		"does not come back": {temporary, time.Hour, temporary, startupTimeout - maxStartupPause, startupTimeout},
		"is final":           {final, time.Hour, final, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				parts := &health.Parts{}
				r := startupRetry{part: "x", reason: "x is away", temporary: func(err error) bool { return errors.Is(err, temporary) }, parts: parts, log: discard}
				tries := 0
				err := r.run(t.Context(), func(ctx context.Context) error {
					if tries++; tries > 1 && parts.Ready(ctx)["x"] {
						t.Error("while it waits the part is ready")
					}
					if time.Since(began) < tc.lasts {
						return tc.fails
					}
					return nil
				})
				if took := time.Since(began); !errors.Is(err, tc.want) || took < tc.least || took > tc.most {
					t.Errorf("got %v after %v, want %v after %v to %v", err, took, tc.want, tc.least, tc.most)
				}
			})
		})
	}
}

// A program that is stopped while it waits ends at once, by the error of its context and not by the signal.
func TestStartupRetryStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		defer stop(nil)
		time.AfterFunc(89*time.Second, func() { stop(errors.New("terminated")) })
		r := startupRetry{part: "x", reason: "x is away", temporary: func(error) bool { return true }, parts: &health.Parts{}, log: discard}
		began := time.Now()
		var at []time.Duration
		err := r.run(ctx, func(context.Context) error {
			at = append(at, time.Since(began))
			return errors.New("away")
		})
		if !errors.Is(err, context.Canceled) || time.Since(began) != 89*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 30 * time.Second, 45 * time.Second, 60 * time.Second, 75 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("tried at %v, want %v", at, want)
		}
	})
}
