package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// inflight runs one call per key at a time. All callers that wait for a call share it: it runs on a context that no single
// caller can end, only [inflight.close].
type inflight struct {
	group singleflight.Group
	wg    sync.WaitGroup
	stop  context.Context
	end   context.CancelFunc

	mu        sync.Mutex
	positions map[string]*queuePosition // of the running calls that can be joined
	closed    bool
	old       time.Duration // of silence, after which a call can no longer be joined
}

func newInflight(old time.Duration) *inflight {
	f := &inflight{positions: map[string]*queuePosition{}, old: old}
	f.stop, f.end = context.WithCancel(context.Background())
	return f
}

var errClosed = errors.New("the client is closed")

// membership is one caller's share in a call.
type membership struct {
	result   <-chan singleflight.Result
	position *queuePosition // of the call
	joined   bool           // the call was already running

	beganBy context.Context // of the question that began the call
}

// join starts a call under a key, or joins the running one unless that hangs. A question that joins a background call
// promotes it.
func (f *inflight) join(ctx context.Context, key string, background bool, call func(context.Context) outcome) (membership, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return membership{}, errClosed
	}
	p, running := f.positions[key]
	if running && p.silentFor(f.patience(background, p)) {
		running = false
		f.group.Forget(key)
	}
	switch {
	case !running:
		p = newQueuePosition(background)
		p.beganBy = ctx
		f.positions[key] = p
		f.wg.Add(1)
	case !background:
		p.promote()
	}
	result := f.group.DoChan(key, func() (any, error) {
		defer f.finish(key, p)
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(f.stop, cancel)()
		return safely(withPosition(ctx, p), call), nil
	})
	return membership{result, p, running, p.beganBy}, nil
}

// patience returns the silence after which a call can no longer be joined: longer when only background callers wait.
func (f *inflight) patience(background bool, p *queuePosition) time.Duration {
	if _, digests := p.background(); background && digests {
		return patienceOfDigests(f.old)
	}
	return f.old
}

// finish removes a call, unless another has replaced it. It also removes it from singleflight under our lock: a caller that
// arrives in between would otherwise join a call without a position.
func (f *inflight) finish(key string, p *queuePosition) {
	f.mu.Lock()
	if f.positions[key] == p {
		delete(f.positions, key)
		f.group.Forget(key)
	}
	f.mu.Unlock()
	f.wg.Done()
}

// close ends the running calls and waits for them.
func (f *inflight) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.end()
	f.wg.Wait()
}

// safely turns a panic into an error for all callers. No caller could recover from it, because it is in another goroutine.
func safely(ctx context.Context, call func(context.Context) outcome) (o outcome) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome{err: &Error{Kind: ErrBadResponse, Err: fmt.Errorf("panic: %v", p)}}
		}
	}()
	return call(ctx)
}
