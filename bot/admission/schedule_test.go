package admission

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// inOrder lists what runs, when one task ends before the next begins.
func (t *schedule[T]) inOrder() []T {
	var out []T
	for {
		q, ok := t.next()
		if !ok {
			return out
		}
		out = append(out, q.item)
		t.finish(q, false)
	}
}

func ask(t *schedule[string], names ...string) {
	for _, name := range names {
		t.add(entry[string]{name[:1], "k", name})
	}
}

func TestScheduleGoesRound(t *testing.T) {
	t.Parallel()
	q := newSchedule[string](Limits{Running: 1, Waiting: 100, PersonRunning: 1, PersonWaiting: 10, KeyRunning: 1, Slow: 1})
	ask(q, "a1", "a2", "a3", "a4", "b1", "c1", "b2")
	if diff := cmp.Diff([]string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}, q.inOrder()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// A task that waits for the same thing as many others lets others pass, also those of the same person.
func TestSchedulePassesWhatWaitsForTheSame(t *testing.T) {
	t.Parallel()
	q := newSchedule[string](Limits{Running: 10, Waiting: 100, PersonRunning: 5, PersonWaiting: 10, KeyRunning: 2, Slow: 5})
	for i := range 5 {
		q.add(entry[string]{fmt.Sprint("p", i), "slow", fmt.Sprint("slow", i)})
	}
	q.add(entry[string]{"p4", "quick", "quick"})
	var got []string
	for {
		next, ok := q.next()
		if !ok {
			break
		}
		got = append(got, next.item)
	}
	if diff := cmp.Diff([]string{"slow0", "slow1", "quick"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestScheduleRefuses(t *testing.T) {
	t.Parallel()
	q := newSchedule[string](Limits{Running: 1, Waiting: 3, PersonRunning: 1, PersonWaiting: 2, KeyRunning: 1, Slow: 1})
	steps := []struct {
		who  string
		want verdict
	}{{"a0", accepted}, {"a1", accepted}, {"a2", accepted}, {"a3", personFull}, {"b1", accepted}, {"c1", queueFull}, {"a4", personFull}}
	for i, s := range steps {
		if got := q.add(entry[string]{s.who[:1], "k", s.who}); got != s.want {
			t.Errorf("%s: %v, want %v", s.who, got, s.want)
		}
		if i == 0 {
			q.next()
		}
	}
	none := newSchedule[string](Limits{Running: 1, PersonRunning: 1, KeyRunning: 1})
	if none.add(entry[string]{"a", "k", "a"}) != accepted {
		t.Error("a task that need not wait is refused where none may wait")
	}
	none.next()
	if none.add(entry[string]{"b", "k", "b"}) == accepted {
		t.Error("a task waits where none may")
	}
}

// machine drives a schedule at random beside a model that is too simple to be wrong.
type machine struct {
	q    *schedule[int]
	n    int
	runs []entry[int]
	slow map[int]bool
	// overtaken counts, for each question that waits, how often others ran while it could have run.
	overtaken map[int]int
}

func (m *machine) waitingItems() []entry[int] {
	var all []entry[int]
	for _, w := range m.q.waiting {
		all = append(all, w...)
	}
	return all
}

func (m *machine) check(t *rapid.T) {
	persons, keys := map[string]int{}, map[string]int{}
	for _, r := range m.runs {
		persons[r.person]++
		keys[r.key]++
	}
	if len(m.runs) > m.q.Running || len(m.slow) > m.q.Slow || m.q.waits > m.q.Waiting+m.q.Running {
		t.Fatalf("%d run, %d slow, %d wait: bounds %+v", len(m.runs), len(m.slow), m.q.waits, m.q.Limits)
	}
	if m.q.runs != len(m.runs) || m.q.slows != len(m.slow) || m.q.waits != len(m.waitingItems()) {
		t.Fatalf("counts %d, %d, %d; want %d, %d, %d", m.q.runs, m.q.slows, m.q.waits, len(m.runs), len(m.slow), len(m.waitingItems()))
	}
	if !maps.Equal(persons, m.q.running) || !maps.Equal(keys, m.q.keys) {
		t.Fatalf("running %v %v, want %v %v", m.q.running, m.q.keys, persons, keys)
	}
	for p, n := range persons {
		if n > m.q.PersonRunning {
			t.Fatalf("%d questions of %s run", n, p)
		}
	}
	for k, n := range keys {
		if n > m.q.KeyRunning {
			t.Fatalf("%d questions about %s run", n, k)
		}
	}
	if got, want := slices.Sorted(slices.Values(m.q.order)), slices.Sorted(maps.Keys(m.q.waiting)); !slices.Equal(got, want) {
		t.Fatalf("in order %v, waiting %v", got, want)
	}
}

// next starts all tasks that can run, and counts which are overtaken.
func (m *machine) next(t *rapid.T) {
	for {
		free := map[int]string{}
		for _, w := range m.waitingItems() {
			if m.q.free(w) {
				free[w.item] = w.person
			}
		}
		got, ok := m.q.next()
		if !ok {
			if len(free) > 0 {
				t.Fatalf("no task runs, but %v could", free)
			}
			return
		}
		if free[got.item] == "" {
			t.Fatalf("%v runs beyond a limit", got)
		}
		first := map[string]bool{}
		for item, person := range free {
			if person != got.person && !first[person] {
				m.overtaken[item]++
			}
			// Fairness is between people: each waits for no more than one turn of every other.
			if n := m.overtaken[item]; n > 2*people*m.q.PersonWaiting {
				t.Fatalf("question %d of %s was overtaken %d times", item, person, n)
			}
		}
		delete(m.overtaken, got.item)
		m.runs = append(m.runs, got)
	}
}

const people = 5

// Whatever comes: the limits hold, no task waits that need not, none is lost, and no person starves.
func TestScheduleKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.IntRange(1, 4)
		m := &machine{slow: map[int]bool{}, overtaken: map[int]int{}, q: newSchedule[int](Limits{
			Running: few.Draw(t, "runs"), Slow: rapid.IntRange(0, 3).Draw(t, "slow"), Waiting: rapid.IntRange(0, 12).Draw(t, "waits"),
			PersonRunning: few.Draw(t, "personRuns"), PersonWaiting: rapid.IntRange(0, 4).Draw(t, "personWaits"), KeyRunning: few.Draw(t, "keyRuns"),
		})}
		taken, done, gone := 0, 0, 0
		t.Repeat(map[string]func(*rapid.T){
			"": m.check,
			"join": func(t *rapid.T) {
				m.n++
				q := entry[int]{fmt.Sprint("p", rapid.IntRange(1, people).Draw(t, "person")), fmt.Sprint("k", rapid.IntRange(1, 3).Draw(t, "key")), m.n}
				before := len(m.q.waiting[q.person])
				why := m.q.add(q)
				if why == personFull && before < m.q.PersonWaiting || why == queueFull && m.q.waits < m.q.Waiting {
					t.Fatalf("refused (%v) with %d of the person and %d in all waiting: %+v", why, before, m.q.waits, m.q.Limits)
				}
				if why == accepted {
					taken++
				}
				m.next(t)
			},
			"leave": func(t *rapid.T) {
				if len(m.runs) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(m.runs)-1).Draw(t, "which")
				m.q.finish(m.runs[i], m.slow[m.runs[i].item])
				delete(m.slow, m.runs[i].item)
				m.runs = slices.Delete(m.runs, i, i+1)
				done++
				m.next(t)
			},
			"slow": func(t *rapid.T) {
				for _, r := range m.runs {
					if !m.slow[r.item] {
						if ok := m.q.slow(); ok {
							m.slow[r.item] = true
						} else if len(m.slow) < m.q.Slow {
							t.Fatal("no room for a slow one")
						}
						return
					}
				}
				t.Skip()
			},
			"remove": func(t *rapid.T) {
				all := m.waitingItems()
				if len(all) == 0 {
					t.Skip()
				}
				slices.SortFunc(all, func(a, b entry[int]) int { return a.item - b.item })
				q := rapid.SampledFrom(all).Draw(t, "who")
				if !m.q.remove(q) || m.q.remove(q) {
					t.Fatal("it waited once")
				}
				delete(m.overtaken, q.item)
				gone++
			},
		})
		if rest := len(m.q.clear()); taken != done+gone+len(m.runs)+rest {
			t.Fatalf("%d taken, %d done, %d gone, %d run, %d wait", taken, done, gone, len(m.runs), rest)
		}
		m.check(t)
	})
}

// One person who asks without end does not hold up others.
func TestScheduleStarvesNoPerson(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := newSchedule[string](Limits{Running: rapid.IntRange(1, 5).Draw(t, "runs"), Slow: 1, Waiting: 1000, PersonRunning: 3, PersonWaiting: 10, KeyRunning: 5})
		var running []entry[string]
		flood := func() {
			for q.add(entry[string]{"greedy", "k", "flood"}) == accepted {
				if next, ok := q.next(); ok {
					running = append(running, next)
				}
			}
		}
		flood()
		others := rapid.IntRange(1, 20).Draw(t, "others")
		for i := range others {
			q.add(entry[string]{fmt.Sprint("p", i), "k", "modest"})
		}
		served := 0
		for turns := 0; served < others; turns++ {
			if turns > 2*others+5 {
				t.Fatalf("%d of %d others were served in %d turns", served, others, turns)
			}
			if len(running) > 0 {
				q.finish(running[0], false)
				running = running[1:]
			}
			for {
				next, ok := q.next()
				if !ok {
					break
				}
				if strings.HasPrefix(next.item, "modest") {
					served++
				}
				running = append(running, next)
			}
			flood()
		}
	})
}
