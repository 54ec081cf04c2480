package api

import (
	"context"
	"slices"
	"sync"
	"time"
)

// WaitingFor is what a question waits for.
type WaitingFor int

// The values of WaitingFor.
const (
	ForNothing WaitingFor = iota // no call is under way for it
	ForAnswer                    // Defender has been asked
	ForSignIn                    // the login host has been asked for a token
	ForRetry                     // Defender has failed, and the call is made again
	ForTurn                      // our own limit of calls
	ForPause                     // Defender wants no calls for a while
)

// Waiting is what a question waits for, and until when.
type Waiting struct {
	For   WaitingFor
	Until time.Time // when a turn comes or a pause ends; zero for the others
}

// Progress tracks what the calls made or joined for one question are waiting for. The zero value is ready to use; it is
// safe for concurrent use.
type Progress struct {
	mu        sync.Mutex
	positions []*queuePosition
}

type progressKey struct{}

// WithProgress returns a context whose calls report to p.
func WithProgress(ctx context.Context, p *Progress) context.Context {
	return context.WithValue(ctx, progressKey{}, p)
}

// Waiting returns what is being waited for now: of several calls, what takes longest.
func (p *Progress) Waiting() Waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	var w Waiting
	for _, at := range p.positions {
		one := at.waiting(time.Now())
		if one.Until.After(w.Until) || one.Until.Equal(w.Until) && one.For > w.For {
			w = one
		}
	}
	return w
}

// reportTo adds a call to the progress of ctx until the returned function is called.
func reportTo(ctx context.Context, at *queuePosition) (leave func()) {
	p, ok := ctx.Value(progressKey{}).(*Progress)
	if !ok {
		return func() {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.positions = append(p.positions, at)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if i := slices.Index(p.positions, at); i >= 0 {
			p.positions = slices.Delete(p.positions, i, i+1)
		}
	}
}

// waiting is what a call waits for.
func (p *queuePosition) waiting(now time.Time) Waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.turn.After(now) && p.why.Message == ownLimit().Message:
		return Waiting{ForTurn, p.turn}
	case p.turn.After(now):
		return Waiting{ForPause, p.turn}
	case p.signingIn:
		return Waiting{For: ForSignIn}
	case p.failed:
		return Waiting{For: ForRetry}
	}
	return Waiting{For: ForAnswer}
}

// fail notes that a try has failed; what follows is another one.
func (p *queuePosition) fail() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = true
}

// signIn notes whether the call waits for a token.
func (p *queuePosition) signIn(waits bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signingIn = waits
}
