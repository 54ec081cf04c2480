package api

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"golang.org/x/time/rate"
)

// limiter is the policy that keeps us under Defender's quota. It stands behind
// the retry policy, so a retry is a call like any other, and behind the token
// policy, so asking Entra costs nothing.
//
// A bucket lets burst + rate·window calls into any window, not rate·window, so
// the two buckets are sized by that sum. Both are asked at the same moment and the
// later turn counts; that breaks the promise of neither, because a call that is
// held back by one bucket was paid for earlier in the other.
type limiter struct {
	mu      sync.Mutex
	buckets []*rate.Limiter
}

// newLimiter allows perMinute calls in any minute and perHour in any hour. A
// limit below zero is none.
func newLimiter(perMinute, perHour int) *limiter {
	var l limiter
	if perMinute > 0 {
		l.buckets = append(l.buckets, bucket(perMinute, perMinute*2/5, time.Minute))
	}
	if perHour > 0 {
		l.buckets = append(l.buckets, bucket(perHour, min(50, perHour/4), time.Hour))
	}
	return &l
}

// bucket allows n calls in any window, of which up to burst at once.
func bucket(n, burst int, window time.Duration) *rate.Limiter {
	if n == 1 {
		// Nothing is left for a rate beside the burst: one call, and the next one when
		// the window is surely over.
		return rate.NewLimiter(rate.Every(window+time.Second), 1)
	}
	burst = max(burst, 1)
	return rate.NewLimiter(rate.Limit(float64(n-burst)/window.Seconds()), burst)
}

// Do implements [policy.Policy].
func (l *limiter) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return req.Next()
}

// wait returns when it is this call's turn, or at once with a [*tooLate] error
// when that would be after the deadline of ctx.
func (l *limiter) wait(ctx context.Context) error {
	booked, err := l.book(ctx)
	if err != nil {
		return err
	}
	wait := time.Until(booked.turn)
	if wait <= 0 {
		return nil
	}
	placeOf(ctx).move(booked.turn, ownLimit())
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		l.giveBack(booked)
		return ctx.Err()
	}
}

// booking is a turn in every bucket.
type booking struct {
	turn time.Time // the latest of them
	in   []*rate.Reservation
}

// book takes the next turn, unless it comes too late for ctx: then it is given
// back before anybody else books, who would otherwise be told of the one after
// it. The clock is read under the lock: a bucket that is asked about the past
// would hand out the same moment twice.
func (l *limiter) book(ctx context.Context) (booking, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	b := l.bookAt(now)
	if b.turn.After(now) && tooSlow(ctx, b.turn) {
		b.cancelAt(now)
		return booking{}, &tooLate{b.turn.Sub(now)}
	}
	return b, nil
}

func (l *limiter) bookAt(now time.Time) booking {
	b := booking{turn: now}
	for _, bucket := range l.buckets {
		r := bucket.ReserveN(now, 1)
		b.in = append(b.in, r)
		if at := now.Add(r.DelayFrom(now)); at.After(b.turn) {
			b.turn = at
		}
	}
	return b
}

// giveBack returns a turn that will not be used, as far as nobody is behind it.
func (l *limiter) giveBack(b booking) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.cancelAt(time.Now())
}

func (b booking) cancelAt(now time.Time) {
	for _, r := range b.in {
		r.CancelAt(now)
	}
}

// ownLimit is what those hear who cannot wait for our rate limit.
func ownLimit() Error {
	return Error{Kind: ErrThrottled, Message: "our own rate limit"}
}

// tooLate says that the rate limit's turn comes after the caller's deadline.
type tooLate struct{ wait time.Duration }

func (e *tooLate) Error() string {
	return fmt.Sprintf("our rate limit lets the next call through in %s", roundUp(e.wait))
}

// NonRetriable keeps azcore's retry policy from trying again.
func (*tooLate) NonRetriable() {}
