package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/internal/quota"
	"github.com/missingkbs/missingkbs/internal/wait"
)

// limiter is the policy that keeps us under Defender's quota. It stands behind
// the retry policy, so a retry is a call like any other, and behind the token
// policy, so asking Entra costs nothing.
//
// A question books the next turn, however far away, and waits for it. A call of a
// digest books nothing: it waits in the background queue until the buckets hold
// more than the reserve for questions, so that no question is ever behind it.
type limiter struct {
	counts *counts
	queue  backgroundQueue
	shared *shared // nil without a shared budget

	mu       sync.Mutex
	own      quota.Limiter // of this process; with a shared budget the calls of other processes are missing in it
	throttle Error         // Defender's refusal that began the pause; zero when another process received it
}

func newLimiter(o Options) *limiter {
	counts := &counts{}
	return &limiter{counts: counts, shared: newShared(o, counts), own: quota.NewLimiter(o.PerMinute, o.PerHour, 0)}
}

// Do implements [policy.Policy].
func (l *limiter) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	start := time.Now()
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	callStateOf(ctx).waited = time.Since(start)
	resp, err := req.Next()
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		l.heed(ctx, resp)
	}
	return resp, err
}

// wait returns when it is this call's turn, or at once with a [*tooLate] error
// when that would be after the deadline of ctx.
func (l *limiter) wait(ctx context.Context) error {
	p := positionOf(ctx)
	for {
		var err error
		if promoted, background := p.background(); background {
			err = l.waitInBackground(ctx, p, promoted)
		} else {
			err = l.bookAndSleep(ctx, p)
		}
		switch {
		case errors.Is(err, wait.ErrWoken):
		case err != nil:
			return err
		case !l.pausedAt(time.Now()): // or Defender has asked for a pause while we waited
			return nil
		}
	}
}

// bookAndSleep books the next turn and waits for it.
func (l *limiter) bookAndSleep(ctx context.Context, p *queuePosition) error {
	b, err := l.book(ctx)
	if err != nil {
		return l.refuse(err)
	}
	if !b.Turn.After(time.Now()) {
		return nil
	}
	l.counts.waits.Add(1)
	p.move(b.Turn, l.throttleError())
	if err := wait.Unless(ctx, time.Until(b.Turn), nil); err != nil {
		l.giveBack(b)
		return l.refuse(expired(err, b.Turn))
	}
	return nil
}

// book takes the next turn, unless it comes too late for ctx. Then it is given back before another call books, which would
// otherwise get the turn after it.
func (l *limiter) book(ctx context.Context) (quota.Reservation, error) {
	b, err := l.bookOwn(ctx)
	if err != nil || l.shared == nil {
		return b, err
	}
	got, err := l.shared.book(ctx, false)
	if err == nil && !got.Taken {
		err = &tooLate{wait: got.Wait}
	}
	l.pause(got.Paused)
	if err != nil {
		l.giveBack(b)
		return quota.Reservation{}, err
	}
	b.Turn = quota.Later(b.Turn, time.Now().Add(got.Wait))
	return b, nil
}

// bookOwn is book for the buckets of this process. The clock is read under the
// lock: a bucket that is asked about the past would hand out the same turn twice.
func (l *limiter) bookOwn(ctx context.Context) (quota.Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	turn := l.own.Turn(now, false, 0)
	if turn.After(now) && afterDeadline(ctx, turn) {
		return quota.Reservation{}, &tooLate{wait: turn.Sub(now)}
	}
	return l.own.Take(now), nil
}

// giveBack returns a turn that will not be used.
func (l *limiter) giveBack(r quota.Reservation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.own.Return(r)
}

// heed stops all calls for as long as Defender asks.
func (l *limiter) heed(ctx context.Context, resp *http.Response) {
	l.counts.throttled.Add(1)
	findRetryAfter(resp)
	wait := retryAfter(resp)
	if l.pause(wait) {
		l.remember(*responseError(resp))
	}
	if wait > 0 && l.shared != nil {
		l.shared.pause(ctx, min(wait, quota.MaxPause))
	}
}

// pause reports whether the pause is longer than the one that was known.
func (l *limiter) pause(wait time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	longer := l.own.Pause(time.Now(), wait)
	if longer {
		l.throttle = Error{}
	}
	return longer
}

func (l *limiter) remember(refused Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.throttle = refused
}

func (l *limiter) pausedAt(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.own.PausedUntil().After(now)
}

// throttleError is returned to callers that cannot wait: Defender's own refusal during a pause, so that all have its id,
// otherwise our limit.
func (l *limiter) throttleError() Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.own.PausedUntil().After(time.Now()):
		return ownLimit()
	case l.throttle.Kind != nil:
		return l.throttle
	default:
		return defendersPause()
	}
}

// refuse counts a call that is not made, and returns why.
func (l *limiter) refuse(err error) error {
	if late, ok := errors.AsType[*tooLate](err); ok {
		l.counts.refused.Add(1)
		late.why = l.throttleError()
	}
	return err
}

// ownLimit is returned to callers that cannot wait for our rate limit.
func ownLimit() Error {
	return Error{Kind: ErrThrottled, Message: "our own rate limit"}
}

// defendersPause is returned during a pause that Defender asked another process for.
func defendersPause() Error {
	return Error{Kind: ErrThrottled, Message: "Defender asked for a pause"}
}

// tooLate reports that the turn of a call comes after the caller's deadline.
type tooLate struct {
	wait time.Duration
	why  Error
}

func (e *tooLate) Error() string {
	return fmt.Sprintf("%s: the next call goes through in %s", e.why.Message, roundUp(e.wait))
}

// NonRetriable keeps azcore's retry policy from trying again.
func (*tooLate) NonRetriable() {}

// expired turns the end of a deadline into the error for a caller that waits for a turn.
func expired(err error, turn time.Time) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &tooLate{wait: max(time.Until(turn), 0)}
	}
	return err
}
