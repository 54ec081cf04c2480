package api

import (
	"context"
	"sync"
	"time"
)

// place is where a call stands in a queue, that of our own rate limit or that of
// a Retry-After, seen by all who wait for the call, and how urgent it is.
type place struct {
	mu    sync.Mutex
	turn  time.Time // when the call goes on; in the past while it is not waiting
	why   Error     // what to tell those who cannot wait so long
	moved chan struct{}

	digests  bool          // only digests wait for the call
	standing bool          // in the line of such calls
	promoted chan struct{} // closed when a question joins

	crowded bool // the answer is there and waits for others to be read

	failed, signingIn bool // for [Progress]

	until   time.Time // when the last caller leaves that has a deadline
	forever bool      // one has none

	silent time.Time // since when nothing comes of the try that is under way; zero where none is

	beganBy context.Context // of the question that began the call; for its values alone
}

func newPlace(background bool) *place {
	return &place{moved: make(chan struct{}), digests: background, promoted: make(chan struct{})}
}

// background reports whether only digests wait for the call, and returns a channel
// that is closed when that changes.
func (p *place) background() (promoted <-chan struct{}, yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.promoted, p.digests
}

// promote makes the call one that somebody has asked for. Its turn is unknown until
// it has left the line.
func (p *place) promote() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.digests {
		return
	}
	p.digests = false
	close(p.promoted)
	if p.standing {
		p.moveTo(time.Time{}, Error{})
	}
}

// stand is move for a call in the line of background calls.
func (p *place) stand(turn time.Time, why Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.digests {
		p.moveTo(turn, why)
		p.standing = true
	}
}

// move tells everybody the turn of the call.
func (p *place) move(turn time.Time, why Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moveTo(turn, why)
}

func (p *place) moveTo(turn time.Time, why Error) {
	p.turn, p.why, p.standing = turn, why, false
	close(p.moved)
	p.moved = make(chan struct{})
}

// crowd notes whether the answer waits for others to be read.
func (p *place) crowd(waits bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.crowded = waits
}

func (p *place) isCrowded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crowded
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
	return newPlace(false)
}
