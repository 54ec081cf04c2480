package api

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patrickmn/go-cache"
)

// notFoundTTL is how long "not found" is remembered: long enough for a typing
// error that a whole channel repeats, short enough for a product just installed.
const notFoundTTL = 30 * time.Second

// cacheBytes bounds what remembered answers take, by what their values roughly take: some thousand ordinary ones, or
// one of the longest that is read.
const cacheBytes = 64 << 20

// answers is the cache of Defender's answers. It is go-cache without its janitor, whose goroutine cannot be stopped: expired
// entries are swept at each write. Entries and bytes are bounded, which go-cache does not do. An answer larger than the
// bound is not stored, so that it evicts no others.
type answers struct {
	ttl   time.Duration
	bound int
	now   func() time.Time
	kept  *cache.Cache

	mu    sync.Mutex // one writer at a time, so that the bounds hold
	bytes int        // bound
	held  int
}

func newAnswers(ttl time.Duration, bound int, now func() time.Time) *answers {
	a := &answers{ttl: ttl, bound: bound, now: now, kept: cache.New(max(ttl, 0), 0), bytes: cacheBytes}
	a.kept.OnEvicted(func(_ string, v any) { a.held -= v.(outcome).size }) // only put deletes
	return a
}

// get returns what is known about key, unless it is older than maxAge; a negative
// maxAge takes any age.
func (a *answers) get(key string, maxAge time.Duration) (outcome, bool) {
	if a.ttl <= 0 || maxAge == 0 {
		return outcome{}, false
	}
	v, ok := a.kept.Get(key)
	if !ok {
		return outcome{}, false
	}
	o := v.(outcome)
	// go-cache goes by the real clock; ours may be another that was moved on.
	if age := a.now().Sub(o.at); age > a.ttl || maxAge > 0 && age > maxAge {
		return outcome{}, false
	}
	o.cached = true
	return o, true
}

// versions counts the answers that were stored. All clients of the process share it, so that no two answers have the
// same version.
var versions atomic.Uint64

// put remembers o as a new version and returns it. Errors other than "not found" are not remembered.
func (a *answers) put(key string, o outcome) outcome {
	if a.ttl <= 0 || (o.err != nil && !o.err.Is(ErrNotFound)) {
		return o
	}
	ttl := a.ttl
	if o.err != nil {
		ttl = min(ttl, notFoundTTL)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept.Delete(key) // what is only replaced is not told to OnEvicted
	if o.size > a.bytes {
		return o
	}
	a.evict(o.size)
	o.version = versions.Add(1)
	a.kept.Set(key, o, ttl)
	a.held += o.size
	return o
}

// forget drops the answers of a resource, or all.
func (a *answers) forget(of string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key := range a.kept.Items() {
		if within(key, of) {
			a.kept.Delete(key)
		}
	}
}

func (a *answers) full(size int) bool { return a.kept.ItemCount() >= a.bound || a.held+size > a.bytes }

// evict sweeps, and when that is not enough drops what would expire first.
func (a *answers) evict(size int) {
	if !a.full(size) {
		return
	}
	a.kept.DeleteExpired()
	if !a.full(size) {
		return
	}
	items := a.kept.Items()
	for _, key := range slices.SortedFunc(maps.Keys(items), func(x, y string) int {
		return cmp.Or(cmp.Compare(items[x].Expiration, items[y].Expiration), strings.Compare(x, y))
	}) {
		if !a.full(size) {
			return
		}
		a.kept.Delete(key)
	}
}
