package api

import (
	"context"
	"sync"
	"time"
)

// queuePosition is when a call may go on, under our own rate limit or after a Retry-After, and how urgent it is. All
// callers that wait for the call share it.
type queuePosition struct {
	mu    sync.Mutex
	turn  time.Time // when the call goes on; in the past when it does not wait
	why   Error     // returned to callers that cannot wait so long
	moved chan struct{}

	backgroundOnly bool          // only background callers wait for the call
	queued         bool          // in the queue of background calls
	promoted       chan struct{} // closed when a question joins

	waitsForMemory bool // the answer has arrived and waits for memory

	failed, signingIn bool // for [Progress]

	until   time.Time // when the last caller leaves that has a deadline
	forever bool      // one has none

	silent time.Time // since when the running try has received nothing; zero when none runs

	beganBy context.Context // of the question that began the call; only for its values
}

func newQueuePosition(background bool) *queuePosition {
	return &queuePosition{moved: make(chan struct{}), backgroundOnly: background, promoted: make(chan struct{})}
}

// background reports whether only background callers wait for the call, and returns a channel that is closed when that
// changes.
func (p *queuePosition) background() (promoted <-chan struct{}, yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.promoted, p.backgroundOnly
}

// promote makes the call one that a user waits for. Its turn is unknown until it has left the background queue.
func (p *queuePosition) promote() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.backgroundOnly {
		return
	}
	p.backgroundOnly = false
	close(p.promoted)
	if p.queued {
		p.moveTo(time.Time{}, Error{})
	}
}

// waitInQueue is move for a call in the background queue.
func (p *queuePosition) waitInQueue(turn time.Time, why Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.backgroundOnly {
		p.moveTo(turn, why)
		p.queued = true
	}
}

// move sets the turn of the call, and wakes all callers that wait for it.
func (p *queuePosition) move(turn time.Time, why Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moveTo(turn, why)
}

func (p *queuePosition) moveTo(turn time.Time, why Error) {
	p.turn, p.why, p.queued = turn, why, false
	close(p.moved)
	p.moved = make(chan struct{})
}

// setWaitsForMemory records whether the answer waits until others are decoded.
func (p *queuePosition) setWaitsForMemory(waits bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waitsForMemory = waits
}

func (p *queuePosition) isWaitingForMemory() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waitsForMemory
}

// current returns the turn, and a channel that is closed when it changes.
func (p *queuePosition) current() (turn time.Time, moved <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turn, p.moved
}

// throttled returns the error of a caller that does not wait for the turn.
func (p *queuePosition) throttled(cause error) *Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.why
	e.RetryAfter, e.Err = max(time.Until(p.turn), 0), cause
	return &e
}

// afterDeadline reports whether a turn comes at the deadline of ctx or later. A turn at the deadline leaves no time for the
// call.
func afterDeadline(ctx context.Context, turn time.Time) bool {
	deadline, ok := ctx.Deadline()
	return ok && !turn.Before(deadline)
}

type positionKey struct{}

func withPosition(ctx context.Context, p *queuePosition) context.Context {
	return context.WithValue(ctx, positionKey{}, p)
}

// positionOf returns the position that ctx carries, or a new one without callers.
func positionOf(ctx context.Context) *queuePosition {
	if p, ok := ctx.Value(positionKey{}).(*queuePosition); ok {
		return p
	}
	return newQueuePosition(false)
}
