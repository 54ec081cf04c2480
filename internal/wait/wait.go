// Package wait waits for a duration that other events may cut short. It does not know why callers wait.
package wait

import (
	"context"
	"errors"
	"time"
)

// ErrWoken is returned by [Unless] when the wait was cut short by its channel.
var ErrWoken = errors.New("woken before the time had passed")

// For waits, and reports whether the whole duration passed before the end of ctx.
func For(ctx context.Context, d time.Duration) bool { return Unless(ctx, d, nil) == nil }

// Unless waits until the duration has passed, and returns nil then. If wake becomes readable before, it returns [ErrWoken];
// if ctx ends before, the error of ctx. A nil channel never wakes.
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
