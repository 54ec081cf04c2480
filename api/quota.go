package api

import (
	"context"
	"time"
)

// Quota is what may be asked of Defender: by this process, or by all that share a
// [Budget].
type Quota struct {
	Minute, Hour Window

	Next           time.Time // when the next call may be made; not after now when it may be made now
	NextBackground time.Time // the same for a call marked [Background]
	Paused         time.Time // until when Defender wants no calls; in the past when it does not say
	Shared         bool      // the figures are those of all processes that share the budget
}

// Window is the quota of any minute or any hour.
type Window struct {
	Limit          int // calls; 0 for no limit, and then nothing else is set
	Left           int // calls that are left of it, roughly; the bursts are smaller, so they come one by one
	LeftBackground int // how many of them calls marked [Background] may take
}

// Quota tells what is left of the quota. With a [Budget] it asks that, and falls
// back to the figures of this process when there is no answer.
func (c *Client) Quota(ctx context.Context) Quota {
	l := c.limiter
	l.mu.Lock()
	now := time.Now()
	q := quotaOf(l.buckets, now, l.paused)
	l.mu.Unlock()
	if l.shared == nil {
		return q
	}
	if all, ok := l.shared.quota(ctx); ok {
		return all
	}
	return q
}

func quotaOf(buckets []bucket, now, paused time.Time) Quota {
	start := later(now, paused)
	q := Quota{Next: start, NextBackground: start, Paused: paused}
	for i := range buckets {
		b := &buckets[i]
		q.Next = later(q.Next, b.turn(start, false, 0))
		q.NextBackground = later(q.NextBackground, b.turn(start, true, 0))
		left := b.left(now)
		w := Window{Limit: b.limit, Left: left, LeftBackground: max(left-b.Reserve, 0)}
		if b.window == time.Minute {
			q.Minute = w
		} else {
			q.Hour = w
		}
	}
	return q
}

// quota asks the budget; ok is false when it is away.
func (s *shared) quota(ctx context.Context) (q Quota, ok bool) {
	if !s.answers() {
		return Quota{}, false
	}
	got, err := s.ask(ctx, s.booking())
	if err != nil {
		return Quota{}, false
	}
	now := time.Now()
	buckets := append([]bucket(nil), s.own...)
	for i := range buckets {
		fill := got.Hour
		if buckets[i].window == time.Minute {
			fill = got.Minute
		}
		buckets[i].full = now.Add(fill.Full)
		buckets[i].used = tally{slot: now.UnixNano() / int64(buckets[i].window), calls: fill.Used}
	}
	q = quotaOf(buckets, now, now.Add(got.Paused))
	q.Shared = true
	return q, true
}
