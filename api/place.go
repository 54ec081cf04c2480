package api

import (
	"context"
	"sync"
	"time"
)

// place is where a call stands in a queue, that of our own rate limit or that of
// a Retry-After, seen by all who wait for the call.
type place struct {
	mu    sync.Mutex
	turn  time.Time // when the call goes on; in the past while it is not waiting
	why   Error     // what to tell those who cannot wait so long
	moved chan struct{}
}

func newPlace() *place { return &place{moved: make(chan struct{})} }

// move tells everybody the turn of the call.
func (p *place) move(turn time.Time, why Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn, p.why = turn, why
	close(p.moved)
	p.moved = make(chan struct{})
}

// look returns the turn, and a channel that is closed when it changes.
func (p *place) look() (turn time.Time, moved <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turn, p.moved
}

// left is the error of a caller who does not wait for the turn.
func (p *place) left(cause error) *Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.why
	e.RetryAfter, e.Err = max(time.Until(p.turn), 0), cause
	return &e
}

// tooSlow reports whether a turn is later than ctx can wait. A turn at the very
// deadline would leave no time for the call.
func tooSlow(ctx context.Context, turn time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && !turn.Before(deadline)
}

type placeKey struct{}

func withPlace(ctx context.Context, p *place) context.Context {
	return context.WithValue(ctx, placeKey{}, p)
}

// placeOf returns the place that ctx carries, or one that nobody looks at.
func placeOf(ctx context.Context) *place {
	if p, ok := ctx.Value(placeKey{}).(*place); ok {
		return p
	}
	return newPlace()
}
