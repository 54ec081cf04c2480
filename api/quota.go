package api

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// Quota is what may still be asked of Defender: by this process, or by all that share a [Budget].
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

// Quota returns what is left of the quota. With a [Budget] it asks that, and returns the figures of this process when the
// budget does not answer.
func (c *Client) Quota(ctx context.Context) Quota {
	l := c.limiter
	l.mu.Lock()
	q := quotaOf(&l.own, time.Now())
	l.mu.Unlock()
	if l.shared == nil {
		return q
	}
	if all, ok := l.shared.quota(ctx); ok {
		return all
	}
	return q
}

func quotaOf(l *quota.Limiter, now time.Time) Quota {
	q := Quota{Next: l.Turn(now, false, 0), NextBackground: l.Turn(now, true, 0), Paused: l.PausedUntil()}
	for _, b := range l.Buckets() {
		left := b.Left(now)
		w := Window{Limit: b.Limit, Left: left, LeftBackground: max(left-b.Reserve, 0)}
		if b.Window == time.Minute {
			q.Minute = w
		} else {
			q.Hour = w
		}
	}
	return q
}

// quota asks the budget; ok is false when it does not answer.
func (s *shared) quota(ctx context.Context) (q Quota, ok bool) {
	if !s.answers() {
		return Quota{}, false
	}
	got, err := s.ask(ctx, s.booking())
	if err != nil {
		return Quota{}, false
	}
	now := time.Now()
	all := quota.NewLimiter(s.perMinute, s.perHour, budgetSlack)
	all.Load(now, got)
	q = quotaOf(&all, now)
	q.Shared = true
	return q, true
}
