package bot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// order lists whose turns come, one leaving before the next comes.
func (t *turns[T]) inOrder() []T {
	var out []T
	for {
		q, ok := t.next()
		if !ok {
			return out
		}
		out = append(out, q.item)
		t.leave(q, false)
	}
}

func ask(t *turns[string], names ...string) {
	for _, name := range names {
		t.join(turn[string]{name[:1], "k", name})
	}
}

func TestTurnsGoRound(t *testing.T) {
	t.Parallel()
	q := newTurns[string](bounds{runs: 1, waits: 100, personRuns: 1, personWaits: 10, keyRuns: 1, slow: 1})
	ask(q, "a1", "a2", "a3", "a4", "b1", "c1", "b2")
	if diff := cmp.Diff([]string{"a1", "b1", "c1", "a2", "b2", "a3", "a4"}, q.inOrder()); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}

// What waits for the same thing as many others lets others pass, also those of the same person.
func TestTurnsPassWhatWaitsForTheSame(t *testing.T) {
	t.Parallel()
	q := newTurns[string](bounds{runs: 10, waits: 100, personRuns: 5, personWaits: 10, keyRuns: 2, slow: 5})
	for i := range 5 {
		q.join(turn[string]{fmt.Sprint("p", i), "slow", fmt.Sprint("slow", i)})
	}
	q.join(turn[string]{"p4", "quick", "quick"})
	var got []string
	for {
		next, ok := q.next()
		if !ok {
			break
		}
		got = append(got, next.item)
	}
	if diff := cmp.Diff([]string{"slow0", "slow1", "quick"}, got); diff != "" {
		t.Errorf("turns (-want +got):\n%s", diff)
	}
}

func TestTurnsRefuse(t *testing.T) {
	t.Parallel()
	q := newTurns[string](bounds{runs: 1, waits: 3, personRuns: 1, personWaits: 2, keyRuns: 1, slow: 1})
	steps := []struct {
		who  string
		want full
	}{{"a0", roomLeft}, {"a1", roomLeft}, {"a2", roomLeft}, {"a3", personFull}, {"b1", roomLeft}, {"c1", roomFull}, {"a4", personFull}}
	for i, s := range steps {
		if got := q.join(turn[string]{s.who[:1], "k", s.who}); got != s.want {
			t.Errorf("%s: %v, want %v", s.who, got, s.want)
		}
		if i == 0 {
			q.next()
		}
	}
	none := newTurns[string](bounds{runs: 1, personRuns: 1, keyRuns: 1})
	if none.join(turn[string]{"a", "k", "a"}) != roomLeft {
		t.Error("whoever need not wait is refused where nobody may wait")
	}
	none.next()
	if none.join(turn[string]{"b", "k", "b"}) == roomLeft {
		t.Error("somebody waits where nobody may")
	}
}

// machine drives turns at random beside a model that is too simple to be wrong.
type machine struct {
	q    *turns[int]
	n    int
	runs []turn[int]
	slow map[int]bool
	// overtaken counts, for each question that waits, the turns that others got while it could have been worked on.
	overtaken map[int]int
}

func (m *machine) waitingItems() []turn[int] {
	var all []turn[int]
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
	if len(m.runs) > m.q.bounds.runs || len(m.slow) > m.q.bounds.slow || m.q.waits > m.q.bounds.waits+m.q.bounds.runs {
		t.Fatalf("%d run, %d slow, %d wait: bounds %+v", len(m.runs), len(m.slow), m.q.waits, m.q.bounds)
	}
	if m.q.runs != len(m.runs) || m.q.slows != len(m.slow) || m.q.waits != len(m.waitingItems()) {
		t.Fatalf("counts %d, %d, %d; want %d, %d, %d", m.q.runs, m.q.slows, m.q.waits, len(m.runs), len(m.slow), len(m.waitingItems()))
	}
	if !maps.Equal(persons, m.q.running) || !maps.Equal(keys, m.q.keys) {
		t.Fatalf("running %v %v, want %v %v", m.q.running, m.q.keys, persons, keys)
	}
	for p, n := range persons {
		if n > m.q.personRuns {
			t.Fatalf("%d questions of %s run", n, p)
		}
	}
	for k, n := range keys {
		if n > m.q.keyRuns {
			t.Fatalf("%d questions about %s run", n, k)
		}
	}
	if got, want := slices.Sorted(slices.Values(m.q.order)), slices.Sorted(maps.Keys(m.q.waiting)); !slices.Equal(got, want) {
		t.Fatalf("in order %v, waiting %v", got, want)
	}
}

// next takes all turns that there are, and counts who is overtaken.
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
				t.Fatalf("nobody gets a turn, but %v could", free)
			}
			return
		}
		if free[got.item] == "" {
			t.Fatalf("%v gets a turn that breaks a bound", got)
		}
		first := map[string]bool{}
		for item, person := range free {
			if person != got.person && !first[person] {
				m.overtaken[item]++
			}
			// Fairness is between people: each of them waits for no more than one turn of every other.
			if n := m.overtaken[item]; n > 2*people*m.q.personWaits {
				t.Fatalf("question %d of %s was overtaken %d times", item, person, n)
			}
		}
		delete(m.overtaken, got.item)
		m.runs = append(m.runs, got)
	}
}

const people = 5

// Whatever comes: the bounds hold, nobody waits who need not, nothing is lost, and nobody starves.
func TestTurnsKeepTheirPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.IntRange(1, 4)
		m := &machine{slow: map[int]bool{}, overtaken: map[int]int{}, q: newTurns[int](bounds{
			runs: few.Draw(t, "runs"), slow: rapid.IntRange(0, 3).Draw(t, "slow"), waits: rapid.IntRange(0, 12).Draw(t, "waits"),
			personRuns: few.Draw(t, "personRuns"), personWaits: rapid.IntRange(0, 4).Draw(t, "personWaits"), keyRuns: few.Draw(t, "keyRuns"),
		})}
		taken, done, gone := 0, 0, 0
		t.Repeat(map[string]func(*rapid.T){
			"": m.check,
			"join": func(t *rapid.T) {
				m.n++
				q := turn[int]{fmt.Sprint("p", rapid.IntRange(1, people).Draw(t, "person")), fmt.Sprint("k", rapid.IntRange(1, 3).Draw(t, "key")), m.n}
				before := len(m.q.waiting[q.person])
				why := m.q.join(q)
				if why == personFull && before < m.q.personWaits || why == roomFull && m.q.waits < m.q.bounds.waits {
					t.Fatalf("refused (%v) with %d of the person and %d in all waiting: %+v", why, before, m.q.waits, m.q.bounds)
				}
				if why == roomLeft {
					taken++
				}
				m.next(t)
			},
			"leave": func(t *rapid.T) {
				if len(m.runs) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(m.runs)-1).Draw(t, "which")
				m.q.leave(m.runs[i], m.slow[m.runs[i].item])
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
						} else if len(m.slow) < m.q.bounds.slow {
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
				slices.SortFunc(all, func(a, b turn[int]) int { return a.item - b.item })
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

// One person who asks without end does not hold up another.
func TestTurnsDoNotStarve(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := newTurns[string](bounds{runs: rapid.IntRange(1, 5).Draw(t, "runs"), slow: 1, waits: 1000, personRuns: 3, personWaits: 10, keyRuns: 5})
		var running []turn[string]
		flood := func() {
			for q.join(turn[string]{"greedy", "k", "flood"}) == roomLeft {
				if next, ok := q.next(); ok {
					running = append(running, next)
				}
			}
		}
		flood()
		others := rapid.IntRange(1, 20).Draw(t, "others")
		for i := range others {
			q.join(turn[string]{fmt.Sprint("p", i), "k", "modest"})
		}
		served := 0
		for turns := 0; served < others; turns++ {
			if turns > 2*others+5 {
				t.Fatalf("%d of %d others were served in %d turns", served, others, turns)
			}
			if len(running) > 0 {
				q.leave(running[0], false)
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
