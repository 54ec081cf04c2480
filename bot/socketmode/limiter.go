package socketmode

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/wait"
)

// reconnectLimiter decides when the next connection may be opened. Slack accepts about one apps.connections.open a
// minute, with bursts (https://docs.slack.dev/apis/web-api/rate-limits), and blocks an app for a while that calls it
// too often. So all connections of the process share one limiter: one call at a time, with an interval that grows while
// connections are short-lived or cannot be opened.
type reconnectLimiter struct {
	minInterval, maxInterval time.Duration // between two calls
	shortLife                time.Duration // a connection that lived less than this was short-lived

	mu           sync.Mutex
	last         time.Time // when the last call was made, or will be
	pause        time.Time // no call before this: Slack asked for it
	shortLived   int       // times in a row that connections were short-lived
	shortLivedAt time.Time // when the last of them ended, or when opening one last failed
	failures     int       // calls in a row that brought no connection
}

// wait returns when the next connection may be opened, or with the error of ctx.
func (p *reconnectLimiter) wait(ctx context.Context) error {
	for {
		d := p.reserve(time.Now())
		if d <= 0 {
			return ctx.Err()
		}
		if !wait.For(ctx, d) {
			return ctx.Err()
		}
	}
}

// reserve takes the next call, or returns how long to wait before asking again: a failure meanwhile may delay it further.
func (p *reconnectLimiter) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.pause
	if !p.last.IsZero() {
		if t := p.last.Add(p.intervalLocked(now)); t.After(next) {
			next = t
		}
	}
	if d := next.Sub(now); d > 0 {
		return d
	}
	p.last = now
	return 0
}

// intervalLocked returns the interval between two calls. The first failure does not lengthen it: it may be the only one.
// Old failures do not either: in a storm the next one follows soon.
func (p *reconnectLimiter) intervalLocked(now time.Time) time.Duration {
	p.forgetLocked(now)
	d := p.minInterval
	for range max(p.shortLived, p.failures) - 1 {
		if d *= 2; d >= p.maxInterval {
			return p.maxInterval
		}
	}
	return d
}

// succeeded records that a connection was opened.
func (p *reconnectLimiter) succeeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = 0
}

// failed records that a connection could not be opened, and the pause that Slack asked for. When Slack fails, many bots
// fail together; jitter keeps them from returning together.
func (p *reconnectLimiter) failed(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures++
	p.forgetLocked(time.Now()) // in a storm some connections are short-lived and some cannot be opened
	p.shortLivedAt = time.Now()
	if t := time.Now().Add(max(pause, rand.N(p.minInterval))); t.After(p.pause) { // the pause of another call may be longer
		p.pause = t
	}
}

// ended records how long a connection lived that we did not close. Several that end together, as when the network
// breaks, count once.
func (p *reconnectLimiter) ended(lived time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.forgetLocked(now)
	switch {
	case lived >= p.shortLife:
		p.shortLived = 0
		return
	case p.shortLived == 0 || now.Sub(p.shortLivedAt) >= p.minInterval/2:
		p.shortLived++
	}
	p.shortLivedAt = now
}

// forgetLocked forgets old failures.
func (p *reconnectLimiter) forgetLocked(now time.Time) {
	if now.Sub(p.shortLivedAt) > p.shortLife {
		p.shortLived = 0
	}
}
