package api

import (
	"cmp"
	"context"
	"time"
)

// Answer is a value with the time it was fetched. The value belongs to the
// caller, who may change it, unless it was asked for as [ReadOnly].
type Answer[T any] struct {
	Value     T
	FetchedAt time.Time     // when Defender gave it
	Age       time.Duration // how long ago that was when the answer was given; never negative
	Cached    bool          // it came from memory, not from a call made for this question
	Skipped   int           // rows left out of Value because they could not be read: what they say is unknown

	// Version tells the stored answers of this process apart: all copies of one
	// have the same, and each call that Defender answers makes a new one. It is
	// 0 for an answer that is not stored.
	Version uint64

	// Stale is why the answer is an old one, kept beyond its time, instead of a fresh one: an [*Error] that is
	// [ErrThrottled] or [ErrUnavailable], or the end of the caller's deadline. It is nil for a regular answer; see
	// [Options.StaleFor].
	Stale error
}

// CallOption changes one question.
type CallOption func(*callOptions)

type callOptions struct {
	maxAge     time.Duration // negative: any age
	fresh      bool
	background bool
	readOnly   bool
}

// MaxAge says how old an answer from memory may be. MaxAge(0) always asks
// Defender, though it may join a call that is under way.
func MaxAge(d time.Duration) CallOption {
	return func(o *callOptions) { o.maxAge = max(d, 0) }
}

// Fresh rejects old answers: if Defender cannot be asked that is an error, whatever [Options.StaleFor] says. An answer
// from the cache is not an old one.
func Fresh() CallOption {
	return func(o *callOptions) { o.fresh = true }
}

// Background marks a call that no user waits for, such as one for a digest. It leaves part of the budget to questions
// and waits behind all of them; a question that needs the same answer takes over the call. It implies [Fresh], so that
// nothing old is reported as news.
func Background() CallOption {
	return func(o *callOptions) { o.background, o.fresh = true, true }
}

// ReadOnly saves the copy that each caller gets of a stored value: all callers
// share it, and none of them may change it.
func ReadOnly() CallOption {
	return func(o *callOptions) { o.readOnly = true }
}

// question is one question to Defender.
type question[T any] struct {
	path  string // path and query, which is also its key in the cache
	fetch func(context.Context) (T, badRows, error)
	clone func(T) T // copies what callers could change; nil if nothing can be changed
	size  func(T) int
}

// ask answers from memory, or makes a call that all callers with the same question share.
func ask[T any](ctx context.Context, c *Client, q question[T], opts []CallOption) (Answer[T], error) {
	o := callOptions{maxAge: -1}
	for _, opt := range opts {
		opt(&o)
	}
	got, ok := c.answers.get(q.path, o.maxAge)
	var stale error
	if ok {
		c.counts.hits.Add(1)
	} else {
		got, stale = c.fetch(ctx, q.path, o, func(ctx context.Context) outcome {
			// Another call may have ended between our lookup and this one.
			if kept, ok := c.answers.get(q.path, o.maxAge); ok {
				return kept
			}
			v, bad, err := q.fetch(ctx)
			out := outcomeOf(v, err, c.now())
			if err == nil {
				out.skipped = bad.count
				c.unreadable(ctx, q.path, bad)
			}
			out.size = len(q.path) + entryBytes + q.size(v)
			c.recordAuthResult(q.path, out.err)
			c.stale.put(q.path, out)
			return c.answers.put(q.path, out)
		})
	}
	if got.err != nil {
		return Answer[T]{}, got.err
	}
	v := got.value.(T)
	if q.clone != nil && !o.readOnly {
		v = q.clone(v)
	}
	return Answer[T]{Value: v, FetchedAt: got.at, Age: max(0, c.now().Sub(got.at)), Cached: got.cached, Skipped: got.skipped, Version: got.version, Stale: stale}, nil
}

// unreadable counts and logs the rows of an answer that could not be read.
func (c *Client) unreadable(ctx context.Context, path string, bad badRows) {
	if bad.count == 0 {
		return
	}
	c.counts.unreadable.Add(uint64(bad.count)) //nolint:gosec // a count
	c.log.WarnContext(ctx, "left out rows of Defender's answer that cannot be read",
		"call", redactedCall(c.call(path)), "rows", bad.count, "first", bad.first.Error())
}

// fetch makes a call or joins one. If that fails for a reason other than the question, or would take long, it returns
// an old answer and why.
func (c *Client) fetch(ctx context.Context, path string, o callOptions, call func(context.Context) outcome) (outcome, error) {
	known := false
	if !o.fresh {
		_, known = c.stale.get(path, c.now())
	}
	got := c.share(ctx, callRequest{path, o.background, known, call})
	if got.err == nil {
		return got, nil
	}
	own := *got.err
	own.Call = cmp.Or(own.Call, c.call(path))
	if known && mayServeStale(&own) {
		// Another call may have been refused in the meantime, which drops old answers.
		if old, ok := c.stale.get(path, c.now()); ok {
			c.counts.stale.Add(1)
			return old, &own
		}
	}
	return outcome{err: &own}, nil
}

// outcome is the result of a question, and when it was obtained.
type outcome struct {
	value  any
	err    *Error
	at     time.Time
	size   int  // bytes that it takes, roughly
	cached bool // it comes from memory

	skipped int    // rows that could not be read
	version uint64 // of the stored answer; 0 for one that is not stored
}

func outcomeOf(v any, err error, at time.Time) outcome {
	o := outcome{value: v, at: at}
	if err != nil {
		o.value, o.err = nil, asError(err)
	}
	return o
}

// callRequest is a call to make or to join.
type callRequest struct {
	key        string
	background bool
	hasStale   bool // the caller could have a stale answer, so it does not wait long for a turn
	call       func(context.Context) outcome
}

// share makes a call or joins the running one, and waits for it. It gives up at once when the turn of the call comes after the deadline of ctx.
func (c *Client) share(ctx context.Context, f callRequest) outcome {
	if err := ctx.Err(); err != nil {
		return outcome{err: &Error{Err: err}}
	}
	s, err := c.inflight.join(ctx, f.key, f.background, f.call)
	if err != nil {
		return outcome{err: &Error{Err: err}}
	}
	if s.joined {
		c.counts.joined.Add(1)
		c.joined(ctx, s.beganBy)
	} else {
		c.counts.asked.Add(1)
	}
	s.position.await(ctx)
	defer reportTo(ctx, s.position)()
	for {
		turn, moved := s.position.current()
		if afterDeadline(ctx, turn) || f.hasStale && time.Until(turn) > longWait {
			return outcome{err: s.position.throttled(nil)}
		}
		select {
		case r := <-s.result:
			return r.Val.(outcome)
		case <-ctx.Done():
			return outcome{err: stoppedWaiting(ctx, s.position)}
		case <-moved:
		}
	}
}
