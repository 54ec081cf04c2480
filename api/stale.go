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

// oldAnswers keeps the last good answer to each question long after the cache has
// forgotten it, for when Defender cannot be asked. Of those that do not fit, the
// ones that nobody has asked for the longest time are dropped; all of them, when
// we may not ask any more.
type oldAnswers struct {
	life    time.Duration // none is kept when it is not above 0
	entries int
	bytes   int

	mu   sync.Mutex
	by   map[string]*list.Element
	use  *list.List // of *oldAnswer, the one used last in front
	held int        // bytes

	words map[string]Word // the last ones, by resource; "" for all, while that is a refusal
}

type oldAnswer struct {
	key string
	outcome
}

// oldBytes bounds what old answers take, by what their values roughly take. It is
// room for the software list of a large tenant and some hundred lists of updates.
const oldBytes = 16 << 20

func newOldAnswers(life time.Duration, entries int) *oldAnswers {
	return &oldAnswers{life: life, entries: entries, bytes: oldBytes, by: map[string]*list.Element{}, use: list.New(), words: map[string]Word{}}
}

// put keeps an answer. "Not found" is an answer, too: it ends what
// was known before.
func (a *oldAnswers) put(key string, o outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.life <= 0 || o.err != nil && !o.err.Is(ErrNotFound) {
		return
	}
	a.drop(a.by[key])
	if o.err != nil || o.size > a.bytes {
		return
	}
	a.by[key] = a.use.PushFront(&oldAnswer{key, o})
	a.held += o.size
	for len(a.by) > a.entries || a.held > a.bytes {
		a.drop(a.use.Back())
	}
}

// softwarePath is the resource that most calls are for.
const softwarePath = "/api/Software"

// resource is the part of a path that one permission is for.
func resource(path string) string {
	if rest, ok := strings.CutPrefix(path, "/api/"); ok {
		return "/api/" + rest[:strings.IndexAny(rest+"/", "/?")]
	}
	return path
}

// heard takes in what came of a call for a path, of a sign-in where there is none. Who may not ask any more may not be
// shown what was answered before.
func (c *Client) heard(path string, e *Error) {
	if of, refused := c.old.heard(path, Word{c.now(), e}); refused {
		c.answers.forget(of)
	}
}

// heard is that for old answers: a permission that is gone takes those of its resource with it, a credential or a
// licence takes all. A refusal is what the other side says: a secret that cannot be read is none.
func (a *oldAnswers) heard(path string, w Word) (of string, refused bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of = resource(path)
	e := w.Refusal
	switch {
	case e == nil || e.Is(ErrNotFound):
		a.words[of] = Word{At: w.At}
		delete(a.words, "")
	case e.Status == 0:
	case e.Is(ErrCredential), e.Is(ErrLicence):
		of, refused = "", true
	case e.Is(ErrPermission):
		refused = true
	}
	if refused {
		a.words[of] = w
		for key, kept := range a.by {
			if within(key, of) {
				a.drop(kept)
			}
		}
	}
	return of, refused
}

// within reports whether a path is of a resource; of "" all are.
func within(path, of string) bool { return of == "" || resource(path) == of }

// word is the last one on a resource.
func (a *oldAnswers) word(of string) Word {
	a.mu.Lock()
	defer a.mu.Unlock()
	if all, refused := a.words[""]; refused {
		return all
	}
	return a.words[of]
}

func (a *oldAnswers) drop(e *list.Element) {
	if e == nil {
		return
	}
	old := a.use.Remove(e).(*oldAnswer)
	delete(a.by, old.key)
	a.held -= old.size
}

// get returns what is known of a question, unless it is too old even for this.
func (a *oldAnswers) get(key string, now time.Time) (outcome, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.by[key]
	if !ok {
		return outcome{}, false
	}
	old := e.Value.(*oldAnswer)
	if now.Sub(old.at) > a.life {
		a.drop(e)
		return outcome{}, false
	}
	a.use.MoveToFront(e)
	o := old.outcome
	o.cached = true
	return o, true
}

// excused reports whether a failure is a reason to hand out an old answer: nothing
// is known to have changed, Defender could only not be asked in time.
func excused(e *Error) bool {
	return e.Is(ErrThrottled) || e.Is(ErrBusy) || e.Is(ErrUnavailable) || e.Is(ErrNotDefender) || errors.Is(e, context.DeadlineExceeded)
}

// longWait is how long one who could have an old answer waits for the turn of a
// call at most. The call keeps its turn, and so is there for the next one who asks.
const longWait = 2 * time.Second

// entryBytes is what stands around an answer that is kept.
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
