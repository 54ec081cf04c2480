package api

import (
	"sync"
	"time"

	"github.com/patrickmn/go-cache"
)

// notFoundTTL is how long "not found" is remembered: long enough for a typing
// error that a whole channel repeats, short enough for a product just installed.
const notFoundTTL = 30 * time.Second

// answers remembers what Defender said. It is go-cache without its janitor, whose
// goroutine nobody could stop: what has expired is swept when something is
// written, and the number of entries is bounded, which go-cache does not do.
type answers struct {
	ttl   time.Duration
	bound int
	now   func() time.Time
	mu    sync.Mutex // one writer at a time, so that the bound holds
	kept  *cache.Cache
}

func newAnswers(ttl time.Duration, bound int, now func() time.Time) *answers {
	return &answers{ttl: ttl, bound: bound, now: now, kept: cache.New(max(ttl, 0), 0)}
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

// put remembers o and returns it. Errors other than "not found" are not remembered.
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
	if _, known := a.kept.Get(key); !known {
		a.makeRoom()
	}
	a.kept.Set(key, o, ttl)
	return o
}

// makeRoom sweeps, and when that is not enough drops what would expire first.
func (a *answers) makeRoom() {
	for a.kept.ItemCount() >= a.bound {
		a.kept.DeleteExpired()
		if a.kept.ItemCount() < a.bound {
			return
		}
		var oldest string
		var soonest int64
		for key, item := range a.kept.Items() {
			if oldest == "" || item.Expiration < soonest {
				oldest, soonest = key, item.Expiration
			}
		}
		a.kept.Delete(oldest)
	}
}
