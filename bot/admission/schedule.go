package admission

import "slices"

// Limits bound how many tasks run at once, and how many wait for a worker.
type Limits struct {
	Running       int // tasks that run at once
	Slow          int // of those, tasks that are slow; the remaining workers are kept for quick ones
	Waiting       int // tasks that wait for a worker
	PersonRunning int // tasks of one person that run
	PersonWaiting int // tasks of one person that wait
	KeyRunning    int // running tasks with the same key: more would only wait for the same answer
}

// verdict is whether a task may wait.
type verdict int

const (
	accepted   verdict = iota
	queueFull          // the queue is full
	personFull         // the person's part of the queue is full
)

// schedule decides which task runs next. People take turns, however many tasks one of them has; the tasks of one person
// run in order. It enforces the limits and knows nothing of time. It is not safe for concurrent use.
type schedule[T comparable] struct {
	Limits
	order   []string // people with waiting tasks; the first one has the next turn
	waiting map[string][]entry[T]
	running map[string]int // running tasks by person
	keys    map[string]int // running tasks by key
	waits   int
	runs    int
	slows   int
}

// entry is a task as the schedule sees it.
type entry[T comparable] struct {
	person, key string
	item        T
}

func newSchedule[T comparable](l Limits) *schedule[T] {
	return &schedule[T]{Limits: l, waiting: map[string][]entry[T]{}, running: map[string]int{}, keys: map[string]int{}}
}

// add queues a task. It may be able to run at once: the caller calls [schedule.next] afterwards.
func (s *schedule[T]) add(e entry[T]) verdict {
	own := s.waiting[e.person]
	if !s.free(e) || len(own) > 0 { // a task that runs at once does not use the queue
		switch {
		case len(own) >= s.PersonWaiting:
			return personFull
		case s.waits >= s.Waiting:
			return queueFull
		}
	}
	if len(own) == 0 {
		s.order = append(s.order, e.person)
	}
	s.waiting[e.person] = append(own, e)
	s.waits++
	return accepted
}

// free reports whether a task may run now.
func (s *schedule[T]) free(e entry[T]) bool { return s.runs < s.Running && s.allowed(e) }

// allowed reports whether the limits of a task's person and of its key let it run.
func (s *schedule[T]) allowed(e entry[T]) bool {
	return s.running[e.person] < s.PersonRunning && s.keys[e.key] < s.KeyRunning
}

// next returns the task that runs next, if one can. It counts as running until [schedule.finish].
func (s *schedule[T]) next() (e entry[T], ok bool) {
	if s.runs >= s.Running {
		return e, false
	}
	i, at := s.first()
	if i < 0 {
		return e, false
	}
	person := s.order[i]
	e = s.waiting[person][at]
	s.drop(i, at)
	if len(s.waiting[person]) > 0 {
		s.order = append(s.order, person) // after the others
	}
	s.runs++
	s.running[person]++
	s.keys[e.key]++
	return e, true
}

// first finds the task that a free worker would run: its person's index in the order, and its own index among the tasks
// of that person. The first is negative if there is none.
func (s *schedule[T]) first() (i, at int) {
	for i, person := range s.order {
		if at := slices.IndexFunc(s.waiting[person], s.allowed); at >= 0 {
			return i, at
		}
	}
	return -1, -1
}

// ahead counts the tasks that run before one that waits. It does not consider the limits of keys.
func (s *schedule[T]) ahead(e entry[T]) (n int) {
	own := slices.Index(s.waiting[e.person], e)
	before := true
	for _, person := range s.order {
		switch {
		case person == e.person:
			n += own
			before = false
		case before:
			n += min(len(s.waiting[person]), own+1)
		default:
			n += min(len(s.waiting[person]), own)
		}
	}
	return n
}

// needsWorker reports whether a task waits only because all workers are taken.
func (s *schedule[T]) needsWorker() bool {
	i, _ := s.first()
	return i >= 0 && s.runs >= s.Running
}

// drop takes a task and its person out of the order. The caller puts back a person who has more tasks.
func (s *schedule[T]) drop(i, at int) {
	person := s.order[i]
	s.order = slices.Delete(s.order, i, i+1)
	s.waits--
	rest := s.waiting[person]
	if at == 0 { // moves nothing, however many tasks wait
		rest[0] = entry[T]{}
		rest = rest[1:]
	} else {
		rest = slices.Delete(rest, at, at+1)
	}
	if len(rest) > 0 {
		s.waiting[person] = rest
	} else {
		delete(s.waiting, person)
	}
}

// slow counts a running task as slow, and reports whether the limit allowed it. If not, the caller ends the task as soon
// as another [schedule.needsWorker]: quick tasks would wait behind it.
func (s *schedule[T]) slow() bool {
	if s.slows >= s.Slow {
		return false
	}
	s.slows++
	return true
}

// finish ends a task that ran; slow is what [schedule.slow] returned for it, false if it was not called.
func (s *schedule[T]) finish(e entry[T], slow bool) {
	s.runs--
	decrement(s.running, e.person)
	decrement(s.keys, e.key)
	if slow {
		s.slows--
	}
}

func decrement(m map[string]int, key string) {
	if m[key]--; m[key] <= 0 {
		delete(m, key)
	}
}

// remove takes a waiting task out, and reports whether it waited.
func (s *schedule[T]) remove(e entry[T]) bool {
	at := slices.Index(s.waiting[e.person], e)
	if at < 0 {
		return false
	}
	i := slices.Index(s.order, e.person)
	s.drop(i, at)
	if len(s.waiting[e.person]) > 0 {
		s.order = slices.Insert(s.order, i, e.person)
	}
	return true
}

// clear takes all waiting tasks out and returns them.
func (s *schedule[T]) clear() []entry[T] {
	var all []entry[T]
	for _, person := range s.order {
		all = append(all, s.waiting[person]...)
	}
	s.order, s.waits = nil, 0
	clear(s.waiting)
	return all
}
