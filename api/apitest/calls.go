package apitest

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Call is one call of the Defender API, as the service saw it.
type Call struct {
	Time      time.Time // real, not of the tenant's clock
	Duration  time.Duration
	Method    string
	Path      string // decoded, without a version: /api/Software/…
	Query     string // as sent
	Status    int    // 0: the client left before the answer
	RequestID string
	Fault     string // the name of the last fault that met the call, if one did
	Body      []byte // of the answer; only told to OnCall, not kept
}

// keptCalls and keptPaths bound what a long run remembers.
const (
	keptCalls = 1000
	keptPaths = 10_000
)

// callLog remembers the last calls and how often each path was called.
type callLog struct {
	mu     sync.Mutex
	ring   []Call
	next   int
	counts map[string]int // lower-case path
	tokens int
	hooks  []func(Call)
}

func (l *callLog) add(c Call) {
	l.mu.Lock()
	hooks := l.hooks
	l.remember(c)
	l.mu.Unlock()
	for _, hook := range hooks {
		hook(c)
	}
}

func (l *callLog) remember(c Call) {
	c.Body = nil
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	path := strings.ToLower(c.Path)
	if _, known := l.counts[path]; known || len(l.counts) < keptPaths {
		l.counts[path]++
	}
	if len(l.ring) < keptCalls {
		l.ring = append(l.ring, c)
		return
	}
	l.ring[l.next] = c
	l.next = (l.next + 1) % keptCalls
}

// Calls are the last calls of the Defender API, oldest first, at most 1,000.
// A call is there before its answer is on the way.
func (t *Tenant) Calls() []Call {
	t.calls.mu.Lock()
	defer t.calls.mu.Unlock()
	return slices.Concat(t.calls.ring[t.calls.next:], t.calls.ring[:t.calls.next])
}

// Count is how many calls there were whose path begins so, in any case of
// letters; "" counts all.
func (t *Tenant) Count(pathPrefix string) int {
	t.calls.mu.Lock()
	defer t.calls.mu.Unlock()
	n, prefix := 0, strings.ToLower(pathPrefix)
	for path, count := range t.calls.counts {
		if strings.HasPrefix(path, prefix) {
			n += count
		}
	}
	return n
}

// TokenCalls is how many times Entra's token endpoint was called.
func (t *Tenant) TokenCalls() int {
	t.calls.mu.Lock()
	defer t.calls.mu.Unlock()
	return t.calls.tokens
}

// OnCall has f told of every later call, before its answer is on the way. It
// is called from the goroutine of the request and must be quick; it may be
// called from several at once, and it must not change c.Body.
func (t *Tenant) OnCall(f func(c Call)) {
	t.calls.mu.Lock()
	defer t.calls.mu.Unlock()
	t.calls.hooks = append(slices.Clip(t.calls.hooks), f)
}
