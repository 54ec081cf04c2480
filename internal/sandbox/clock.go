package sandbox

import (
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// clock is the time of the workspace, which its page can move forward.
type clock struct {
	base   func() time.Time
	tenant *apitest.Tenant // nil: the workspace has a clock of its own

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

// advance moves the time forward, or the tenant's, which this one follows.
func (c *clock) advance(d time.Duration) {
	if c.tenant != nil {
		c.tenant.Advance(d)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Now is the time of the workspace.
func (w *Workspace) Now() time.Time { return w.clock.now() }

// Advance moves the workspace's clock forward, and with it the Defender tenant's.
// Slack's own spans (three seconds, thirty minutes) live by the real clock.
func (w *Workspace) Advance(d time.Duration) {
	w.clock.advance(d)
	w.trace.Add(trace.UI, "advance clock", 0, object{"by": d.String()})
	w.tellClock(0)
}

// ts returns a new message timestamp, later than every one before it: Slack's ts
// is a message's key, and a clock that stands still must not give the same twice.
func (c *clock) ts() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = max(c.last+1, c.base().Add(c.offset).UnixMicro())
	return protocol.Timestamp(c.last)
}
