package bot

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// pace says when the next connection may be opened. Slack takes about one apps.connections.open a minute, with bursts
// (https://docs.slack.dev/apis/web-api/rate-limits), and refuses them for a while to whoever calls it too often. So all
// connections of the process share one pace: one call at a time with a gap between two, which grows while connections
// live only shortly or none comes about.
type pace struct {
	gap, most time.Duration // between two calls in good times, and at most
	short     time.Duration // a connection that lived less than this lived shortly

	mu      sync.Mutex
	last    time.Time // when the last call was made, or will be
	pause   time.Time // before this none may be made: Slack asked for it
	bad     int       // times that connections lived shortly, one after another
	badAt   time.Time // when the last of them was, or the last try that brought none
	refused int       // tries that brought none, one after another
}

// wait waits for a turn.
func (p *pace) wait(ctx context.Context) error {
	for {
		d := p.turn(time.Now())
		if d <= 0 {
			return ctx.Err()
		}
		if !slackapi.Sleep(ctx, d) {
			return ctx.Err()
		}
	}
}

// turn takes the turn, or says how long to wait before asking again: what happens meanwhile may put it off.
func (p *pace) turn(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.pause
	if !p.last.IsZero() {
		if t := p.last.Add(p.spacing(now)); t.After(next) {
			next = t
		}
	}
	if d := next.Sub(now); d > 0 {
		return d
	}
	p.last = now
	return 0
}

// spacing needs the lock. The first mishap costs nothing: it may be the only one. Mishaps that were long ago cost nothing
// either: in a storm the next one is never far, and whoever waits long between two connections has only short-lived ones.
func (p *pace) spacing(now time.Time) time.Duration {
	p.forget(now)
	d := p.gap
	for range max(p.bad, p.refused) - 1 {
		if d *= 2; d >= p.most {
			return p.most
		}
	}
	return d
}

// came notes that a connection came about.
func (p *pace) came() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = 0
}

// failed notes a try that brought none, after which Slack may have asked for a pause. Many bots fail together when
// Slack does; chance keeps them from coming back together.
func (p *pace) failed(pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
	p.forget(time.Now()) // in a storm some connections live shortly and some do not come about
	p.badAt = time.Now()
	if t := time.Now().Add(max(pause, rand.N(p.gap))); t.After(p.pause) { // another's may be longer
		p.pause = t
	}
}

// ended notes how long a connection lived that was not ended from here. Several that end together, as they do when the
// network breaks, are one mishap.
func (p *pace) ended(lived time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.forget(now)
	switch {
	case lived >= p.short:
		p.bad = 0
		return
	case p.bad == 0 || now.Sub(p.badAt) >= p.gap/2:
		p.bad++
	}
	p.badAt = now
}

// forget needs the lock. It forgets mishaps of long ago.
func (p *pace) forget(now time.Time) {
	if now.Sub(p.badAt) > p.short {
		p.bad = 0
	}
}
