package bot

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Liveness reports whether the event loop of a bot makes progress. It is safe for concurrent use. A nil one is not checked.
type Liveness struct {
	heartbeat chan struct{}
	loops     atomic.Int32 // running event loops
}

// NewLiveness returns a liveness check for [Options].
func NewLiveness() *Liveness { return &Liveness{heartbeat: make(chan struct{})} }

// Heartbeat returns nil when the event loop has answered. If no loop runs, none can be stuck, and it returns nil at once. Its
// error is that of ctx.
func (l *Liveness) Heartbeat(ctx context.Context) error {
	if l.loops.Load() == 0 {
		return nil
	}
	select {
	case l.heartbeat <- struct{}{}:
		return nil
	case <-ctx.Done():
	}
	if l.loops.Load() == 0 {
		return nil // it ended meanwhile
	}
	return fmt.Errorf("wait for the event loop: %w", ctx.Err())
}

// begin registers a running event loop until end is called. The loop must receive from heartbeat in each iteration.
func (l *Liveness) begin() (heartbeat <-chan struct{}, end func()) {
	if l == nil {
		return nil, func() {}
	}
	l.loops.Add(1)
	return l.heartbeat, func() { l.loops.Add(-1) }
}
