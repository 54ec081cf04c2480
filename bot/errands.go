package bot

import "sync"

// maxErrands is how many errands wait at most: as many as Slack deals out envelopes in a very bad minute.
const maxErrands = 20_000

// errands does small things that the reader of events must not wait for: acknowledgements, and telling people why their
// question is not looked at. A bounded number of goroutines does a bounded number of them, for one person after the
// other. It is safe for concurrent use.
type errands struct {
	crashed func(error) // hears of crashes

	mu    sync.Mutex
	turns *turns[*errand]
	idle  chan struct{} // closed when the last one under way is done; nil when none is
}

type errand struct{ do func() }

// newErrands returns errands of which so many are done at once, and so many for one person.
func newErrands(atOnce, perPerson int) *errands {
	return &errands{turns: newTurns[*errand](bounds{
		runs: atOnce, waits: maxErrands, personRuns: perPerson, personWaits: maxErrands, keyRuns: atOnce,
	})}
}

// add has something done for a person, soon. It reports false when too much waits for that already.
func (e *errands) add(person string, do func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.turns.join(turn[*errand]{person: person, item: &errand{do}}) != roomLeft {
		return false
	}
	if next, ok := e.turns.next(); ok {
		if e.idle == nil {
			e.idle = make(chan struct{})
		}
		go e.work(next)
	}
	return true
}

// work does an errand, and those that wait.
func (e *errands) work(t turn[*errand]) {
	for ok := true; ok; {
		if err := guarded(t.item.do); err != nil {
			e.crashed(err)
		}
		e.mu.Lock()
		e.turns.leave(t, false)
		if t, ok = e.turns.next(); e.turns.runs == 0 {
			close(e.idle)
			e.idle = nil
		}
		e.mu.Unlock()
	}
}

// underWay returns a channel that is closed when nothing is being done any more; nil when nothing is now.
func (e *errands) underWay() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.idle
}

// close ends the waiting of errands, and takes no more. It returns how many are not done.
func (e *errands) close() (left int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.turns.bounds = bounds{}
	return len(e.turns.clear())
}

// waiting is how many errands wait.
func (e *errands) waiting() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.turns.waits
}
