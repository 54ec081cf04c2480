package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// flights keeps one call per key under way. A call belongs to all who wait for
// it: it runs on a context that no single caller can end, only [flights.close].
type flights struct {
	group singleflight.Group
	wg    sync.WaitGroup
	stop  context.Context
	end   context.CancelFunc

	mu     sync.Mutex
	places map[string]*place // one for each call under way that can be joined
	closed bool
	old    time.Duration // of silence, after which a call is no longer joined
}

func newFlights(old time.Duration) *flights {
	f := &flights{places: map[string]*place{}, old: old}
	f.stop, f.end = context.WithCancel(context.Background())
	return f
}

var errClosed = errors.New("the client is closed")

// seat is a caller's part in a call.
type seat struct {
	landed <-chan singleflight.Result
	place  *place // tells whether the call waits for its turn
	joined bool   // the call was under way already

	beganBy context.Context // of the question that began the call
}

// join starts fly under a key, or joins the one that is already under way, unless
// that one hangs. A question that joins a background call makes it one of its own
// kind.
func (f *flights) join(ctx context.Context, key string, background bool, fly func(context.Context) outcome) (seat, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return seat{}, errClosed
	}
	p, aloft := f.places[key]
	if aloft && p.silentFor(f.patience(background, p)) {
		aloft = false
		f.group.Forget(key)
	}
	switch {
	case !aloft:
		p = newPlace(background)
		p.beganBy = ctx
		f.places[key] = p
		f.wg.Add(1)
	case !background:
		p.promote()
	}
	landed := f.group.DoChan(key, func() (any, error) {
		defer f.land(key, p)
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(f.stop, cancel)()
		return safely(withPlace(ctx, p), fly), nil
	})
	return seat{landed, p, aloft, p.beganBy}, nil
}

// patience is after how long a silence a call is too old to be joined: later where only digests wait for it.
func (f *flights) patience(background bool, p *place) time.Duration {
	if _, digests := p.background(); background && digests {
		return patienceOfDigests(f.old)
	}
	return f.old
}

// land takes a call off the list, unless another has taken its place. It does so for singleflight as well, under our
// lock: one who comes in between would otherwise join a call without a place.
func (f *flights) land(key string, p *place) {
	f.mu.Lock()
	if f.places[key] == p {
		delete(f.places, key)
		f.group.Forget(key)
	}
	f.mu.Unlock()
	f.wg.Done()
}

// close ends the calls under way and waits for them.
func (f *flights) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.end()
	f.wg.Wait()
}

// safely turns a panic, which nobody could recover from in this goroutine, into
// an error for everybody who waits.
func safely(ctx context.Context, fly func(context.Context) outcome) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome{err: &Error{Kind: ErrBadResponse, Err: fmt.Errorf("panic: %v", p)}}
		}
	}()
	return fly(ctx)
}
