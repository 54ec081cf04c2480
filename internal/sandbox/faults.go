package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Fault makes single calls of the app fail: calls of the Web API, or to response
// URLs. It ends after some calls, while [Faults] hold until they are switched off. It
// can do the worst that a network does: the call takes effect, and the app gets no
// answer.
type Fault struct {
	Call  string        // a method of the Web API, or WayHook; empty: any of these
	Times int           // how many calls it affects; 0 means 1
	Delay time.Duration // before anything else; ends early if the app closes the connection

	Status     int           // of the answer, such as 429 or 503; 0 keeps the answer
	RetryAfter time.Duration // a header beside Status; 0 omits it
	Cut        bool          // the connection ends without an answer
	Acts       bool          // the call takes effect before Status or Cut
}

// Inject adds a fault behind the others. The returned function removes it, and may be
// called more than once.
func (w *Workspace) Inject(m Fault) (remove func()) {
	m.Times = max(1, m.Times)
	return w.faultQueue.add(&m)
}

// Heal removes all faults of calls, switches all faults of Slack off, and closes the
// sockets that were stalled.
func (w *Workspace) Heal() {
	w.faultQueue.clear()
	w.SetFaults(Faults{})
	for _, c := range w.sockets.open() {
		if c.stalled.Load() {
			c.end()
		}
	}
}

type faultQueue struct {
	mu   sync.Mutex
	list []*Fault
}

func (l *faultQueue) add(m *Fault) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, m)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.list = slices.DeleteFunc(l.list, func(o *Fault) bool { return o == m })
	}
}

func (l *faultQueue) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

// take returns the oldest fault that affects a call, and counts the call.
func (l *faultQueue) take(call string) Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.list, func(m *Fault) bool { return m.Call == "" || m.Call == call })
	if i < 0 {
		return Fault{}
	}
	m := l.list[i]
	if m.Times--; m.Times <= 0 {
		l.list = slices.Delete(l.list, i, i+1)
	}
	return *m
}

// delay takes the fault of a call and waits for its delay. acts is true if the call
// takes effect.
func (w *Workspace) delay(ctx context.Context, call string) (m Fault, acts bool) {
	m = w.faultQueue.take(call)
	if m.Delay > 0 {
		t := time.NewTimer(m.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done(): // the app has closed the connection
			m.Cut = true
		}
	}
	return m, m.Acts || !m.spoils()
}

// spoils returns true if the app does not get the true answer.
func (m Fault) spoils() bool { return m.Status != 0 || m.Cut }

// fault says what the app gets instead.
func (m Fault) fault() string {
	switch {
	case m.Cut:
		return "the connection was cut"
	case m.Status != 0:
		return fmt.Sprintf("status %d", m.Status)
	}
	return ""
}

// answer sends the answer of the fault. It panics with [http.ErrAbortHandler] if there
// is none.
func (m Fault) answer(rw http.ResponseWriter) {
	if m.Cut {
		panic(http.ErrAbortHandler) // net/http's way to close a connection without an answer
	}
	if m.RetryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(protocol.RetryAfter(m.RetryAfter)))
	}
	http.Error(rw, http.StatusText(m.Status), m.Status)
}
