package bot

import "slices"

// bounds say how much may be under way at once, and how much may wait for it.
type bounds struct {
	runs        int // questions that are worked on
	slow        int // of those, questions that have been worked on for a while; the rest is for what is answered quickly
	waits       int // questions that wait for their turn
	personRuns  int // questions of one person that are worked on
	personWaits int // questions of one person that wait
	keyRuns     int // questions about the same thing that are worked on: more would wait for the same answer
}

// full says why somebody's question is not taken.
type full int

const (
	roomLeft   full = iota
	roomFull        // as many questions wait as may
	personFull      // as many questions of this person wait as may
)

// turns hands out turns: to one person after the other, whoever has asked most, and to each in the order of asking. It
// keeps the bounds and knows nothing of time. It is not safe for concurrent use.
type turns[T comparable] struct {
	bounds
	order   []string // people who wait, whose turn is next first
	waiting map[string][]turn[T]
	running map[string]int // by person
	keys    map[string]int // questions that are worked on, by key
	waits   int
	runs    int
	slows   int
}

// turn is a question in the eyes of [turns].
type turn[T comparable] struct {
	person, key string
	item        T
}

func newTurns[T comparable](b bounds) *turns[T] {
	return &turns[T]{bounds: b, waiting: map[string][]turn[T]{}, running: map[string]int{}, keys: map[string]int{}}
}

// join lets a question wait for its turn, which may be at once: [turns.next] is to be called afterwards.
func (t *turns[T]) join(q turn[T]) full {
	at := t.waiting[q.person]
	if !t.free(q) || len(at) > 0 { // somebody who need not wait is no burden
		switch {
		case len(at) >= t.personWaits:
			return personFull
		case t.waits >= t.bounds.waits:
			return roomFull
		}
	}
	if len(at) == 0 {
		t.order = append(t.order, q.person)
	}
	t.waiting[q.person] = append(at, q)
	t.waits++
	return roomLeft
}

// free reports whether a question may be worked on now.
func (t *turns[T]) free(q turn[T]) bool { return t.runs < t.bounds.runs && t.allowed(q) }

// allowed reports whether a question may be worked on as far as its person and what it is about go.
func (t *turns[T]) allowed(q turn[T]) bool {
	return t.running[q.person] < t.personRuns && t.keys[q.key] < t.keyRuns
}

// next returns the question whose turn it is, if there is one. It counts as worked on until [turns.leave].
func (t *turns[T]) next() (q turn[T], ok bool) {
	if t.runs >= t.bounds.runs {
		return q, false
	}
	i, at := t.first()
	if i < 0 {
		return q, false
	}
	person := t.order[i]
	q = t.waiting[person][at]
	t.drop(i, at)
	if len(t.waiting[person]) > 0 {
		t.order = append(t.order, person) // behind the others
	}
	t.runs++
	t.running[person]++
	t.keys[q.key]++
	return q, true
}

// first finds the question whose turn it would be if there were a worker: the place of its person in the order, and its
// own among those of the person. There is none where the first is negative.
func (t *turns[T]) first() (i, at int) {
	for i, person := range t.order {
		if at := slices.IndexFunc(t.waiting[person], t.allowed); at >= 0 {
			return i, at
		}
	}
	return -1, -1
}

// ahead is how many questions of others, and of the same person, have their turn before one that waits. What keeps a
// question back besides, such as how many are about the same thing, is not looked at.
func (t *turns[T]) ahead(q turn[T]) (n int) {
	own := slices.Index(t.waiting[q.person], q)
	before := true
	for _, person := range t.order {
		switch {
		case person == q.person:
			n += own
			before = false
		case before:
			n += min(len(t.waiting[person]), own+1)
		default:
			n += min(len(t.waiting[person]), own)
		}
	}
	return n
}

// pressing reports whether a question waits for nothing but a worker.
func (t *turns[T]) pressing() bool {
	i, _ := t.first()
	return i >= 0 && t.runs >= t.bounds.runs
}

// drop takes a question, and its person, out of the order; whoever still waits is put back by the caller.
func (t *turns[T]) drop(i, at int) {
	person := t.order[i]
	t.order = slices.Delete(t.order, i, i+1)
	t.waits--
	rest := t.waiting[person]
	if at == 0 { // nothing has to move, however many wait
		rest[0] = turn[T]{}
		rest = rest[1:]
	} else {
		rest = slices.Delete(rest, at, at+1)
	}
	if len(rest) > 0 {
		t.waiting[person] = rest
	} else {
		delete(t.waiting, person)
	}
}

// slow notes that a question is worked on for long, and reports whether there is room for that. Where there is none the
// question is to be given up as soon as another is [turns.pressing]: what is answered quickly would wait for it.
func (t *turns[T]) slow() bool {
	if t.slows >= t.bounds.slow {
		return false
	}
	t.slows++
	return true
}

// leave ends a question that was worked on; slow is what [turns.slow] said of it, if it was asked.
func (t *turns[T]) leave(q turn[T], slow bool) {
	t.runs--
	fewer(t.running, q.person)
	fewer(t.keys, q.key)
	if slow {
		t.slows--
	}
}

func fewer(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}

// remove ends the waiting of a question, and reports whether it did wait.
func (t *turns[T]) remove(q turn[T]) bool {
	at := slices.Index(t.waiting[q.person], q)
	if at < 0 {
		return false
	}
	i := slices.Index(t.order, q.person)
	t.drop(i, at)
	if len(t.waiting[q.person]) > 0 {
		t.order = slices.Insert(t.order, i, q.person)
	}
	return true
}

// clear ends the waiting of all questions, and returns them.
func (t *turns[T]) clear() []turn[T] {
	var all []turn[T]
	for _, person := range t.order {
		all = append(all, t.waiting[person]...)
	}
	t.order, t.waits = nil, 0
	clear(t.waiting)
	return all
}
