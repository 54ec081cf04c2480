package post

import (
	"context"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// Lanes give the turn to post into a channel to one digest at a time, in all processes that share them.
type Lanes interface {
	// TakeLane takes the turn for a holder until a time, or prolongs it. taken is false while it is another's; free is when
	// that ends.
	TakeLane(ctx context.Context, channel, holder string, now, until time.Time) (free time.Time, taken bool, err error)
	// LeaveLane gives it back: the next holder may post at a time.
	LeaveLane(ctx context.Context, channel, holder string, free time.Time) error
}

// laneTime is how long a turn lasts that nothing prolongs. It is short: a digest that reads for long, or whose process died,
// must not keep the others waiting.
const laneTime = 3 * time.Second

// Enter takes the turn to post into a channel for the digest with a key, or prolongs it for one message, whose own turn among
// all messages is yet to come. It holds no worker where another digest has the turn: a channel takes a message a second,
// and other channels may be free.
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

// Leave gives the turn back.
func (p *Poster) Leave(ctx context.Context, channel, key string) {
	if p.limits.every < 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, laneTime)
	defer cancel()
	free := time.Now().Add(p.limits.next(channel))
	if err := p.lanes.LeaveLane(ctx, channel, key, free); err != nil {
		p.log.WarnContext(ctx, "could not give back the turn in a channel; its next digest waits some seconds longer", "channel", channel, "error", err)
	}
}

// waitingDigests are those that were sent away until their channel is free.
type waitingDigests struct {
	mu sync.Mutex
	by map[string]map[string]time.Time // by channel and key: when each is back
}

// remove notes that a digest waits no longer.
func (w *waitingDigests) remove(channel, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.by[channel], key)
	if len(w.by[channel]) == 0 {
		delete(w.by, channel)
	}
}

// pause is how long a digest stays away: until its channel is free, and so much longer by chance that one of those which
// wait for the channel is back about twice as often as it takes a message.
func (w *waitingDigests) pause(channel, key string, now, free time.Time, every time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = map[string]map[string]time.Time{}
	}
	if w.by[channel] == nil {
		w.by[channel] = map[string]time.Time{}
	}
	const lost = time.Minute // another process has it
	maps.DeleteFunc(w.by[channel], func(_ string, back time.Time) bool { return now.Sub(back) > lost })
	w.by[channel][key] = now
	spread := time.Duration(len(w.by[channel])) * every / 2
	pause := max(free.Sub(now), 0) + rand.N(spread) //nolint:gosec // no secret
	w.by[channel][key] = now.Add(pause)
	return pause
}

// processLanes are lanes of one process alone.
type processLanes struct {
	mu sync.Mutex
	by map[string]processLane
}

type processLane struct {
	holder string
	free   time.Time
}

// TakeLane is part of [Lanes].
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

// LeaveLane is part of [Lanes].
func (l *processLanes) LeaveLane(_ context.Context, channel, holder string, free time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[channel].holder == holder {
		l.by[channel] = processLane{free: free}
	}
	return nil
}
