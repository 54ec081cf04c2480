package faults

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Fault makes single calls of the app fail: calls of the Web API, or to response
// URLs. It ends after some calls, while [Switches] hold until they are switched off. It
// can do the worst that a network does: the call takes effect, and the app gets no
// answer.
type Fault struct {
	Call  string        // a method of the Web API, or "response_url"; empty: any of these
	Times int           // how many calls it affects; 0 means 1
	Delay time.Duration // before anything else; ends early if the app closes the connection

	Status     int           // of the answer, such as 429 or 503; 0 keeps the answer
	RetryAfter time.Duration // a header beside Status; 0 omits it
	Cut        bool          // the connection ends without an answer
	Acts       bool          // the call takes effect before Status or Cut
}

// Inject adds a fault behind the others. The returned function removes it, and may be
// called more than once.
func (s *Set) Inject(f Fault) (remove func()) {
	f.Times = max(1, f.Times)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, &f)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls = slices.DeleteFunc(s.calls, func(other *Fault) bool { return other == &f })
	}
}

// take returns the oldest fault that affects a call, and counts the call.
func (s *Set) take(call string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.calls, func(f *Fault) bool { return f.Call == "" || f.Call == call })
	if i < 0 {
		return Fault{}
	}
	f := s.calls[i]
	if f.Times--; f.Times <= 0 {
		s.calls = slices.Delete(s.calls, i, i+1)
	}
	return *f
}

// Begin takes the fault of a call and waits for its delay. acts is true if the call
// takes effect.
func (s *Set) Begin(ctx context.Context, call string) (f Fault, acts bool) {
	f = s.take(call)
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done(): // the app has closed the connection
			f.Cut = true
		}
	}
	return f, f.Acts || !f.Spoils()
}

// Spoils returns true if the app does not get the true answer.
func (f Fault) Spoils() bool { return f.Status != 0 || f.Cut }

// String says what the app gets instead of the true answer; empty if it gets that.
func (f Fault) String() string {
	switch {
	case f.Cut:
		return "the connection was cut"
	case f.Status != 0:
		return fmt.Sprintf("status %d", f.Status)
	}
	return ""
}

// Answer sends the answer of the fault. It panics with [http.ErrAbortHandler] if there
// is none.
func (f Fault) Answer(rw http.ResponseWriter) {
	if f.Cut {
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	}
	if f.RetryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(protocol.RetryAfter(f.RetryAfter)))
	}
	http.Error(rw, http.StatusText(f.Status), f.Status)
}
