// Package wait waits for a duration that other events may cut short. It does not know why callers wait.
package wait

import (
	"context"
	"errors"
	"time"
)

// ErrWoken is returned by [Unless] if its channel cut the wait short.
var ErrWoken = errors.New("woken before the time had passed")

// For waits for d, and reports whether it passed before ctx was done.
func For(ctx context.Context, d time.Duration) bool { return Unless(ctx, d, nil) == nil }

// Unless waits for d and returns nil. If wake becomes readable first, it returns [ErrWoken]; if ctx is done first, its
// error. A nil channel never wakes.
func Unless(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-wake:
		return ErrWoken
	case <-ctx.Done():
		return ctx.Err()
	}
}
