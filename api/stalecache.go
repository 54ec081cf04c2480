package api

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

// staleCache keeps the last good answer to each question long after the cache has evicted it, for when Defender cannot be
// asked. It evicts the answers that were used least recently, and all answers of a resource when Defender refuses access
// to it.
type staleCache struct {
	life    time.Duration // 0 or less keeps none
	entries int
	bytes   int

	mu   sync.Mutex
	by   map[string]*list.Element
	use  *list.List // of *oldAnswer, the one used last in front
	held int        // bytes

	authResults map[string]AuthResult // the last, by resource; "" while a refusal covers all
}

type staleEntry struct {
	key string
	outcome
}

// staleCacheBytes bounds the estimated size of all stale answers: the software list of a large tenant and some hundred
// lists of updates.
const staleCacheBytes = 16 << 20

func newStaleCache(life time.Duration, entries int) *staleCache {
	return &staleCache{life: life, entries: entries, bytes: staleCacheBytes, by: map[string]*list.Element{}, use: list.New(), authResults: map[string]AuthResult{}}
}

// put stores an answer. "Not found" is an answer too: it removes what was stored before.
func (a *staleCache) put(key string, o outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life <= 0 || o.err != nil && !o.err.Is(ErrNotFound) {
		return
	}
	a.drop(a.by[key])
	if o.err != nil || o.size > a.bytes {
		return
	}
	a.by[key] = a.use.PushFront(&staleEntry{key, o})
	a.held += o.size
	for len(a.by) > a.entries || a.held > a.bytes {
		a.drop(a.use.Back())
	}
}

// softwarePath is the resource that most calls ask for.
const softwarePath = "/api/Software"

// resource returns the part of a path that one permission covers.
func resource(path string) string {
	if rest, ok := strings.CutPrefix(path, "/api/"); ok {
		return "/api/" + rest[:strings.IndexAny(rest+"/", "/?")]
	}
	return path
}

// recordAuthResult records the result of a call for a path, or of a sign-in when the path is empty. Without access, what was
// answered before must not be shown either.
func (c *Client) recordAuthResult(path string, e *Error) {
	if of, refused := c.stale.recordAuthResult(path, AuthResult{c.now(), e}); refused {
		c.answers.forget(of)
	}
}

// recordAuthResult drops stale answers after a refusal: those of one resource for a missing permission, all for a credential
// or a licence. Only an answer of the server is a refusal: a secret that cannot be read is none.
func (a *staleCache) recordAuthResult(path string, r AuthResult) (of string, refused bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of = resource(path)
	e := r.Refusal
	switch {
	case e == nil || e.Is(ErrNotFound):
		a.authResults[of] = AuthResult{At: r.At}
		delete(a.authResults, "")
	case e.Status == 0:
	case e.Is(ErrCredential), e.Is(ErrLicence):
		of, refused = "", true
	case e.Is(ErrPermission):
		refused = true
	}
	if refused {
		a.authResults[of] = r
		for key, kept := range a.by {
			if within(key, of) {
				a.drop(kept)
			}
		}
	}
	return of, refused
}

// within reports whether a path belongs to a resource; "" has all paths.
func within(path, of string) bool { return of == "" || resource(path) == of }

// lastAuthResult returns the last result for a resource.
func (a *staleCache) lastAuthResult(of string) AuthResult {
	a.mu.Lock()
	defer a.mu.Unlock()
	if all, refused := a.authResults[""]; refused {
		return all
	}
	return a.authResults[of]
}

func (a *staleCache) drop(e *list.Element) {
	if e == nil {
		return
	}
	old := a.use.Remove(e).(*staleEntry)
	delete(a.by, old.key)
	a.held -= old.size
}

// get returns the stored answer to a question, unless it is too old.
func (a *staleCache) get(key string, now time.Time) (outcome, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.by[key]
	if !ok {
		return outcome{}, false
	}
	old := e.Value.(*staleEntry)
	if now.Sub(old.at) > a.life {
		a.drop(e)
		return outcome{}, false
	}
	a.use.MoveToFront(e)
	o := old.outcome
	o.cached = true
	return o, true
}

// mayServeStale reports whether a failure allows a stale answer: nothing is known to have changed, but Defender could not be
// asked in time.
func mayServeStale(e *Error) bool {
	return e.Is(ErrThrottled) || e.Is(ErrBusy) || e.Is(ErrUnavailable) || e.Is(ErrNotDefender) || errors.Is(e, context.DeadlineExceeded)
}

// longWait is how long a caller that could have a stale answer waits for the turn of a call. The call keeps its turn, so the
// next caller finds a fresh answer.
const longWait = 2 * time.Second

// entryBytes is the overhead of a stored answer.
const entryBytes = 200

// The size functions say roughly how many bytes a value takes.

func sizeOfKBs(kbs []MissingKB) int {
	n := 0
	for i := range kbs {
		n += 120 + len(kbs[i].ID) + len(kbs[i].Name) + len(kbs[i].URL) + len(kbs[i].OSBuild)
		for _, p := range kbs[i].ProductsNames {
			n += 16 + len(p)
		}
	}
	return n
}

func sizeOfSoftware(all []Software) int {
	n := 0
	for i := range all {
		n += 96 + len(all[i].ID) + len(all[i].Name) + len(all[i].Vendor)
	}
	return n
}

// sizeOfMachines is generous: a device has a dozen short texts.
func sizeOfMachines(all []Machine) int { return cmp.Or(len(all)*1000, 100) }
