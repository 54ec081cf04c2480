package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

const (
	// refreshAfter is the age from which an entry is read again in the background, while it still serves.
	refreshAfter = 5 * time.Minute
	// freshFor is how long an entry is used without a call. Changes in Slack take effect after that time at the latest.
	freshFor = 10 * time.Minute
	// staleFor is how long an entry is used while Slack cannot be asked.
	staleFor = time.Hour
	// callPatience is how long a question waits for Slack to answer.
	callPatience = 3 * time.Second
	// retryAfter is the pause after a failed call, so that an outage does not cause a call per question.
	retryAfter = 5 * time.Second
	// maxRetryAfter bounds the pause that Slack asks for.
	maxRetryAfter = time.Minute
	// goneFor is how long "not found" is cached. It spares Slack repeated lookups without delaying the user who fixes
	// the cause.
	goneFor = 10 * time.Second
	// maxEntries bounds each cache.
	maxEntries = 10_000
)

// errNotAsked is returned by a lookup without a usable entry while Slack cannot be asked.
var errNotAsked = errors.New("cannot ask Slack")

// directoryCache caches what Slack says about things with ids. One call at a time reads an entry, in the background if
// the entry is still fresh. A stale entry is used for an hour while Slack cannot be asked.
//
// If Slack says that a thing does not exist, its entry is dropped at once, and "not found" is cached for seconds only.
// The cache is safe for concurrent use; calls under way end by themselves.
type directoryCache[T any] struct {
	load func(ctx context.Context, id string) (T, error)
	gone func(error) bool // reports whether Slack answered that there is no such thing

	ended chan struct{} // closed; stands for a call that has ended

	mu      sync.Mutex
	entries map[string]*entry[T]
}

// entry is the cached state of one thing.
type entry[T any] struct {
	value T
	at    time.Time     // when Slack returned it; zero if it never did
	call  chan struct{} // closed when the running call ends; nil if there is none
	err   error         // of the last call
	pause time.Time     // no call before this time
}

func newDirectoryCache[T any](load func(ctx context.Context, id string) (T, error), gone func(error) bool) *directoryCache[T] {
	ended := make(chan struct{})
	close(ended)
	return &directoryCache[T]{load: load, gone: gone, ended: ended, entries: map[string]*entry[T]{}}
}

// get returns the value of an id, and asks Slack if the entry is not fresh. It waits for Slack no longer than callPatience.
func (c *directoryCache[T]) get(ctx context.Context, id string) (T, error) {
	e, v, call := c.lookUp(id)
	if call == nil {
		return v, nil
	}
	timeout := time.NewTimer(callPatience)
	defer timeout.Stop()
	select {
	case <-call:
	case <-timeout.C:
	case <-ctx.Done():
	}
	return c.stale(e, ctx.Err())
}

// peek returns the value of an id without a call.
func (c *directoryCache[T]) peek(id string) (v T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[id]; e != nil && e.usable() {
		return e.value, true
	}
	return v, false
}

// lookUp returns the value if it is fresh, or else the call to wait for. It starts a call if one is due.
func (c *directoryCache[T]) lookUp(id string) (e *entry[T], v T, call <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e = c.entries[id]
	if e == nil {
		c.evictLocked()
		e = &entry[T]{}
		c.entries[id] = e
	}
	age := time.Since(e.at)
	if age >= refreshAfter && e.call == nil && !time.Now().Before(e.pause) {
		e.call = make(chan struct{})
		go c.refresh(id, e)
	}
	if age < freshFor {
		return e, e.value, nil
	}
	if e.call == nil {
		return e, v, c.ended // the last call failed a moment ago
	}
	return e, v, e.call
}

// refresh makes one call.
func (c *directoryCache[T]) refresh(id string, e *entry[T]) {
	// Not the caller's context: all callers wait for this call, and later ones profit from it.
	ctx, cancel := context.WithTimeout(context.Background(), slackapi.Timeout)
	defer cancel()
	v, err := c.load(ctx, id)
	c.mu.Lock()
	defer c.mu.Unlock()
	close(e.call)
	e.call, e.err = nil, err
	switch {
	case err == nil:
		e.value, e.at = v, time.Now()
	case c.gone(err):
		e.at, e.pause = time.Time{}, time.Now().Add(goneFor)
	default:
		e.pause = time.Now().Add(min(max(retryAfter, slackapi.RetryAfter(err)), maxRetryAfter))
	}
}

// stale returns the cached value after a call has failed or was not made, as long as it may be used.
func (c *directoryCache[T]) stale(e *entry[T], stopped error) (v T, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case e.usable():
		return e.value, nil
	case e.err != nil && c.gone(e.err):
		return v, e.err
	}
	return v, errors.Join(errNotAsked, e.err, stopped)
}

func (e *entry[T]) usable() bool { return time.Since(e.at) < staleFor }

// evictLocked keeps the bound: it drops entries that no longer serve and, if that is not enough, the oldest one.
func (c *directoryCache[T]) evictLocked() {
	if len(c.entries) < maxEntries {
		return
	}
	var oldest string
	var at time.Time
	for id, e := range c.entries {
		switch {
		case e.call != nil:
		case !e.usable():
			delete(c.entries, id)
		case oldest == "" || e.at.Before(at):
			oldest, at = id, e.at
		}
	}
	if len(c.entries) >= maxEntries {
		delete(c.entries, oldest)
	}
}
