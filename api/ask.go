package api

import (
	"cmp"
	"context"
	"time"
)

// Answer is a value with the time it was fetched. The value belongs to the
// caller, who may change it.
type Answer[T any] struct {
	Value     T
	FetchedAt time.Time     // when Defender gave it
	Age       time.Duration // how long ago that was when the answer was given; never negative
	Cached    bool          // it came from memory, not from a call made for this question
}

// CallOption changes one question.
type CallOption func(*callOptions)

type callOptions struct {
	maxAge time.Duration // negative: any age
}

// MaxAge says how old an answer from memory may be. MaxAge(0) always asks
// Defender, though it may join a call that is under way.
func MaxAge(d time.Duration) CallOption {
	return func(o *callOptions) { o.maxAge = max(d, 0) }
}

// question is one thing to ask Defender.
type question[T any] struct {
	path  string // path and query, which is also its key in the cache
	fetch func(context.Context) (T, error)
	clone func(T) T // copies what callers could change; nil when nothing can be
}

// ask answers from memory, or makes a call together with everybody who asks the
// same at this moment.
func ask[T any](ctx context.Context, c *Client, q question[T], opts []CallOption) (Answer[T], error) {
	o := callOptions{maxAge: -1}
	for _, opt := range opts {
		opt(&o)
	}
	got, ok := c.answers.get(q.path, o.maxAge)
	if !ok {
		got = c.share(ctx, q.path, func(ctx context.Context) outcome {
			// Somebody else's call may have landed between our look and this one.
			if kept, ok := c.answers.get(q.path, o.maxAge); ok {
				return kept
			}
			v, err := q.fetch(ctx)
			return c.answers.put(q.path, outcomeOf(v, err, c.now()))
		})
	}
	if got.err != nil {
		own := *got.err
		own.Call = cmp.Or(own.Call, c.call(q.path))
		return Answer[T]{}, &own
	}
	v := got.value.(T)
	if q.clone != nil {
		v = q.clone(v)
	}
	return Answer[T]{Value: v, FetchedAt: got.at, Age: max(0, c.now().Sub(got.at)), Cached: got.cached}, nil
}

// outcome is what came of a question, and when.
type outcome struct {
	value  any
	err    *Error
	at     time.Time
	cached bool // it comes from memory
}

func outcomeOf(v any, err error, at time.Time) outcome {
	o := outcome{value: v, at: at}
	if err != nil {
		o.value, o.err = nil, asError(err)
	}
	return o
}

// share makes a call or joins the one that is under way, and waits for it. It
// gives up at once when the turn of the call comes after the deadline of ctx.
func (c *Client) share(ctx context.Context, key string, fly func(context.Context) outcome) outcome {
	if err := ctx.Err(); err != nil {
		return outcome{err: &Error{Err: err}}
	}
	landed, p, err := c.flights.join(ctx, key, fly)
	if err != nil {
		return outcome{err: &Error{Err: err}}
	}
	for {
		turn, moved := p.look()
		if tooSlow(ctx, turn) {
			return outcome{err: p.left(nil)}
		}
		select {
		case r := <-landed:
			return r.Val.(outcome)
		case <-ctx.Done():
			return outcome{err: stoppedWaiting(ctx, p)}
		case <-moved:
		}
	}
}
