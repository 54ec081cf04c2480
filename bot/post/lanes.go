package post

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// Lanes lease a channel to one digest at a time, across all replicas that share them.
type Lanes interface {
	// TakeLane leases a channel to a holder until a time, or prolongs the lease. taken is false while another holder
	// has it; free is when that lease ends.
	TakeLane(ctx context.Context, channel, holder string, now, until time.Time) (free time.Time, taken bool, err error)
	// LeaveLane ends the lease; the next holder may post at free.
	LeaveLane(ctx context.Context, channel, holder string, free time.Time) error
}

// laneTime is the length of a lease. It is short: a digest that takes long to read, or whose process died, must not
// delay others.
const laneTime = 3 * time.Second

// Enter leases a channel to the digest with a key, or prolongs the lease for one message. If another digest has the channel, it
// returns a [digest.RetryLater] instead of holding a worker: a channel accepts one message a second, and other channels may
// be free.
func (p *Poster) Enter(ctx context.Context, channel, key string) error {
	if p.limits.every < 0 {
		return nil
	}
	now := time.Now()
	free, taken, err := p.lanes.TakeLane(ctx, channel, key, now, now.Add(p.limits.ahead(channel)+laneTime))
	if err != nil {
		return err
	}
	if taken {
		p.waiting.remove(channel, key)
		return nil
	}
	return digest.RetryLater{After: p.waiting.pause(channel, key, now, free, p.limits.every), Err: errTurn}
}

// Leave ends the lease.
func (p *Poster) Leave(ctx context.Context, channel, key string) {
	if p.limits.every < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, laneTime)
	defer cancel()
	free := time.Now().Add(p.limits.next(channel))
	if err := p.lanes.LeaveLane(ctx, channel, key, free); err != nil {
		p.log.WarnContext(ctx, "could not end the lease of a channel; its next digest waits some seconds longer", "channel", channel, "error", err)
	}
}

// waitingDigests are the digests that retry once their channel is free.
type waitingDigests struct {
	mu sync.Mutex
	by map[string]map[string]time.Time // by channel and key: when each retries
}

// remove notes that a digest no longer waits.
func (w *waitingDigests) remove(channel, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by[channel], key)
	if len(w.by[channel]) == 0 {
		delete(w.by, channel)
	}
}

// pause returns how long a digest waits: until its channel is free, plus jitter. With the jitter one of the waiting digests
// retries about twice as often as the channel accepts a message.
func (w *waitingDigests) pause(channel, key string, now, free time.Time, every time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[string]map[string]time.Time{}
	}
	if w.by[channel] == nil {
		w.by[channel] = map[string]time.Time{}
	}
	const lost = time.Minute // by then another replica has the digest
	maps.DeleteFunc(w.by[channel], func(_ string, back time.Time) bool { return now.Sub(back) > lost })
	w.by[channel][key] = now
	spread := time.Duration(len(w.by[channel])) * every / 2
	pause := max(free.Sub(now), 0) + rand.N(spread) //nolint:gosec // no secret
	w.by[channel][key] = now.Add(pause)
	return pause
}

// processLanes implements [Lanes] within one process.
type processLanes struct {
	mu sync.Mutex
	by map[string]processLane
}

type processLane struct {
	holder string
	free   time.Time
}

// TakeLane implements [Lanes].
func (l *processLanes) TakeLane(_ context.Context, channel, holder string, now, until time.Time) (time.Time, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lane, ok := l.by[channel]; ok && lane.free.After(now) && lane.holder != holder {
		return lane.free, false, nil
	}
	if l.by == nil {
		l.by = map[string]processLane{}
	}
	if len(l.by) >= maxLimiters {
		maps.DeleteFunc(l.by, func(_ string, lane processLane) bool { return !lane.free.After(now) })
	}
	l.by[channel] = processLane{holder, until}
	return until, true, nil
}

// LeaveLane implements [Lanes].
func (l *processLanes) LeaveLane(_ context.Context, channel, holder string, free time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[channel].holder == holder {
		l.by[channel] = processLane{free: free}
	}
	return nil
}
