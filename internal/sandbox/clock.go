package sandbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// clock is the time of the workspace, which its page can move forward.
type clock struct {
	base   func() time.Time
	tenant *apitest.Tenant // nil if the workspace has its own clock

	mu     sync.Mutex
	offset time.Duration
	last   int64 // microseconds of the newest ts
}

func newClock(o Options) *clock {
	switch {
	case o.Clock != nil:
		return &clock{base: o.Clock, tenant: o.Defender}
	case o.Defender != nil:
		return &clock{base: o.Defender.Now, tenant: o.Defender}
	}
	return &clock{base: time.Now}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base().Add(c.offset)
}

// advance moves the time forward, or the tenant's if this clock follows it.
func (c *clock) advance(d time.Duration) {
	if c.tenant != nil {
		c.tenant.Advance(d)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Now returns the time of the workspace.
func (w *Workspace) Now() time.Time { return w.clock.now() }

// Advance moves the workspace's clock forward, and with it the Defender tenant's.
// Slack's own spans (three seconds, thirty minutes) live by the real clock.
func (w *Workspace) Advance(d time.Duration) {
	w.clock.advance(d)
	w.trace.Add(trace.UI, "advance clock", 0, object{"by": d.String()})
	w.tellClock(0)
}

// ts returns a new message timestamp, later than all before it: Slack's ts identifies a message, and a clock that
// stands still must not return the same one twice.
func (c *clock) ts() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last+1, c.base().Add(c.offset).UnixMicro())
	return protocol.Timestamp(c.last)
}

// Pending returns what the app does by the workspace's clock: when something is due next (the zero time for nothing),
// and how many due things are still under way.
type Pending func(ctx context.Context) (next time.Time, underWay int, err error)

const (
	travelPoll = 50 * time.Millisecond
	// maxTravel bounds how long one move of the clock waits for what is due on the way.
	maxTravel = 10 * time.Minute
)

// ErrTravelling is returned by [Workspace.Travel] while the clock is already being moved.
var ErrTravelling = errors.New("the clock is being moved already")

// Travel moves the workspace's clock forward as time would pass: it stops whenever the app has something to do, and
// continues when that is done. So nothing is late or out of order. Without [Options.Pending] it is [Workspace.Advance].
// If ctx or ten minutes end the wait, the clock stays where it is.
func (w *Workspace) Travel(ctx context.Context, d time.Duration) error {
	if !w.travel.TryLock() {
		return ErrTravelling
	}
	defer w.travel.Unlock()
	if w.opts.Pending == nil {
		w.Advance(d)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxTravel)
	defer cancel()
	until := w.Now().Add(d)
	for {
		next, err := w.settle(ctx)
		if err != nil {
			return err
		}
		now := w.Now()
		if next.IsZero() || next.After(until) {
			w.Advance(max(until.Sub(now), 0))
			_, err := w.settle(ctx)
			return err
		}
		w.Advance(max(next.Sub(now), 0))
	}
}

// settle waits until nothing due is under way, and returns when something is due next.
func (w *Workspace) settle(ctx context.Context) (next time.Time, err error) {
	ticker := time.NewTicker(travelPoll)
	defer ticker.Stop()
	told := 0
	for {
		next, underWay, err := w.opts.Pending(ctx)
		if err == nil && underWay == 0 {
			if told > 0 {
				w.tellClock(0)
			}
			return next, nil
		}
		if err == nil && underWay != told {
			told = underWay
			w.tellClock(underWay)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return next, errors.Join(ctx.Err(), err)
		case <-w.ctx.Done():
			return next, w.ctx.Err()
		}
	}
}

// tellClock sends the page the time, and how many tasks the clock waits for.
func (w *Workspace) tellClock(waiting int) {
	w.feed.Send("clock", object{"clock": w.clock.now(), "waiting": waiting})
}
