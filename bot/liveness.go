package bot

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Pulse tells whether the event loop moves. Make one with [NewPulse]; a nil one belongs to a bot that nobody watches.
type Pulse struct {
	asked chan struct{}
	loops atomic.Int32 // that run
}

// NewPulse returns a pulse for [Options].
func NewPulse() *Pulse { return &Pulse{asked: make(chan struct{})} }

// Beat returns nil once the event loop has come round. When no loop runs there is none that could be stuck, and it
// returns nil at once. Its error is that of ctx.
func (p *Pulse) Beat(ctx context.Context) error {
	if p.loops.Load() == 0 {
		return nil
	}
	select {
	case p.asked <- struct{}{}:
		return nil
	case <-ctx.Done():
	}
	if p.loops.Load() == 0 {
		return nil // it ended meanwhile
	}
	return fmt.Errorf("wait for the event loop: %w", ctx.Err())
}

// begin says that a loop runs, until end is called. The loop receives from asked each time it comes round.
func (p *Pulse) begin() (asked <-chan struct{}, end func()) {
	if p == nil {
		return nil, func() {}
	}
	p.loops.Add(1)
	return p.asked, func() { p.loops.Add(-1) }
}
