package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

const (
	// refreshAfter is the age from which what is known is asked for again in the background, while it still serves.
	refreshAfter = 5 * time.Minute
	// freshFor is how long what is known serves without asking: so long may pass until a change in Slack is seen.
	freshFor = 10 * time.Minute
	// lastWordFor is how long what is known serves while Slack cannot be asked. Then nothing is known any more.
	lastWordFor = time.Hour
	// patience is how long a question waits for Slack to say who somebody is.
	patience = 3 * time.Second
	// askAgainAfter is the pause after Slack could not be asked: an outage is not met with a call for each question.
	askAgainAfter = 5 * time.Second
	// goneFor is how long Slack's word that there is no such thing serves: many may ask for it, and whoever mends it
	// waits no longer than that.
	goneFor = 10 * time.Second
	// maxAskAgain bounds the pause that Slack asks for.
	maxAskAgain = time.Minute
	// maxKnown bounds how many things of a kind are remembered.
	maxKnown = 10_000
)

// errNotAsked says that nothing is known because Slack could not be asked.
var errNotAsked = errors.New("cannot ask Slack")

// known remembers what Slack says of things that are named by ids. It asks for each once at a time, in the background
// where it can: what is fresh serves at once, and what is not serves for an hour while Slack cannot be asked.
//
// What Slack says there is not ([known.gone]) is forgotten at once, and that it is not there is remembered for seconds
// only: whoever mends it need not wait. It is safe for concurrent use; calls under way end by themselves.
type known[T any] struct {
	ask  func(ctx context.Context, id string) (T, error)
	gone func(error) bool // Slack has answered, and knows no such thing

	over chan struct{} // closed: a call that has ended

	mu    sync.Mutex
	facts map[string]*fact[T]
}

// fact is what is known of one thing.
type fact[T any] struct {
	value T
	at    time.Time     // when Slack said so; zero: never
	call  chan struct{} // closed when the call that is under way is over; nil: there is none
	err   error         // of the last call
	pause time.Time     // until when Slack is not asked again
}

func newKnown[T any](ask func(ctx context.Context, id string) (T, error), gone func(error) bool) *known[T] {
	over := make(chan struct{})
	close(over)
	return &known[T]{ask: ask, gone: gone, over: over, facts: map[string]*fact[T]{}}
}

// get returns what is known of a thing, asking Slack where that is not fresh. It waits for Slack no longer than patience
// allows.
func (k *known[T]) get(ctx context.Context, id string) (T, error) {
	f, v, call := k.look(id)
	if call == nil {
		return v, nil
	}
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case <-call:
	case <-timeout.C:
	case <-ctx.Done():
	}
	return k.lastWord(f, ctx.Err())
}

// peek returns what is known of a thing already, without asking.
func (k *known[T]) peek(id string) (v T, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f := k.facts[id]; f != nil && f.usable() {
		return f.value, true
	}
	return v, false
}

// look returns what is fresh, or else the call to wait for. It sees to it that there is a call where one is due.
func (k *known[T]) look(id string) (f *fact[T], v T, call <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f = k.facts[id]
	if f == nil {
		k.makeRoom()
		f = &fact[T]{}
		k.facts[id] = f
	}
	age := time.Since(f.at)
	if age >= refreshAfter && f.call == nil && !time.Now().Before(f.pause) {
		f.call = make(chan struct{})
		go k.refresh(id, f)
	}
	if age < freshFor {
		return f, f.value, nil
	}
	if f.call == nil {
		return f, v, k.over // Slack was asked in vain a moment ago
	}
	return f, v, f.call
}

// refresh makes one call.
func (k *known[T]) refresh(id string, f *fact[T]) {
	// Of nobody's context: all who ask meanwhile wait for this call, and the next ones profit from it.
	ctx, cancel := context.WithTimeout(context.Background(), slackapi.Timeout)
	defer cancel()
	v, err := k.ask(ctx, id)
	k.mu.Lock()
	defer k.mu.Unlock()
	close(f.call)
	f.call, f.err = nil, err
	switch {
	case err == nil:
		f.value, f.at = v, time.Now()
	case k.gone(err):
		f.at, f.pause = time.Time{}, time.Now().Add(goneFor)
	default:
		f.pause = time.Now().Add(min(max(askAgainAfter, slackapi.RetryAfter(err)), maxAskAgain))
	}
}

// lastWord returns what is known after Slack was asked, or could not be.
func (k *known[T]) lastWord(f *fact[T], stopped error) (v T, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case f.usable():
		return f.value, nil
	case f.err != nil && k.gone(f.err):
		return v, f.err
	}
	return v, errors.Join(errNotAsked, f.err, stopped)
}

func (f *fact[T]) usable() bool { return time.Since(f.at) < lastWordFor }

// makeRoom keeps the bound: it forgets what serves no more and, where that is not enough, something old.
func (k *known[T]) makeRoom() {
	if len(k.facts) < maxKnown {
		return
	}
	var oldest string
	var at time.Time
	for id, f := range k.facts {
		switch {
		case f.call != nil:
		case !f.usable():
			delete(k.facts, id)
		case oldest == "" || f.at.Before(at):
			oldest, at = id, f.at
		}
	}
	if len(k.facts) >= maxKnown {
		delete(k.facts, oldest)
	}
}
