package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Mishap is something that goes wrong with single calls of the app over HTTP: of
// the Web API, or to response URLs. Unlike the [Faults], which hold until they are
// switched off, it is over after some calls, and it can be the worst that a network
// does: what was asked is done, and the app does not learn it.
type Mishap struct {
	Call  string        // a method of the Web API, or WayHook; empty: any of these
	Times int           // how many calls it is for; 0 stands for 1
	Delay time.Duration // before anything else; ends early when the app hangs up

	Status     int           // answered in place of what is true, such as 429 or 503; 0: nothing is
	RetryAfter time.Duration // said beside Status; 0: nothing is
	Cut        bool          // the connection ends without an answer
	Acts       bool          // what was asked is done before Status or Cut
}

// Inject adds a mishap, behind those that are there. The returned function takes it
// away and may be called more than once.
func (w *Workspace) Inject(m Mishap) (remove func()) {
	m.Times = max(1, m.Times)
	return w.mishaps.add(&m)
}

// Heal takes all mishaps away, switches all faults of Slack off, and ends the sockets
// that went dead.
func (w *Workspace) Heal() {
	w.mishaps.clear()
	w.SetFaults(Faults{})
	for _, c := range w.sockets.open() {
		if c.hushed.Load() {
			c.end()
		}
	}
}

type mishaps struct {
	mu   sync.Mutex
	list []*Mishap
}

func (l *mishaps) add(m *Mishap) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, m)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.list = slices.DeleteFunc(l.list, func(o *Mishap) bool { return o == m })
	}
}

func (l *mishaps) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

// take finds what goes wrong with a call: the oldest mishap that is for it.
func (l *mishaps) take(call string) Mishap {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.list, func(m *Mishap) bool { return m.Call == "" || m.Call == call })
	if i < 0 {
		return Mishap{}
	}
	m := l.list[i]
	if m.Times--; m.Times <= 0 {
		l.list = slices.Delete(l.list, i, i+1)
	}
	return *m
}

// strike takes what goes wrong with a call and sits its delay out. It reports
// whether the call is carried out.
func (w *Workspace) strike(ctx context.Context, call string) (m Mishap, acts bool) {
	m = w.mishaps.take(call)
	if m.Delay > 0 {
		t := time.NewTimer(m.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done(): // nobody learns what comes of it
			m.Cut = true
		}
	}
	return m, m.Acts || !m.spoils()
}

// spoils says whether the app does not learn what is true.
func (m Mishap) spoils() bool { return m.Status != 0 || m.Cut }

// fault is what the app learns instead.
func (m Mishap) fault() string {
	switch {
	case m.Cut:
		return "the connection was cut"
	case m.Status != 0:
		return fmt.Sprintf("status %d", m.Status)
	}
	return ""
}

// answer is what is sent in place of an honest answer. It does not return where
// that is nothing at all.
func (m Mishap) answer(rw http.ResponseWriter) {
	if m.Cut {
		panic(http.ErrAbortHandler) // net/http's way to close a connection without a word
	}
	if m.RetryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(rateLimited{m.RetryAfter}.seconds()))
	}
	http.Error(rw, http.StatusText(m.Status), m.Status)
}
