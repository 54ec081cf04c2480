// Package asked remembers which software each person asked about, so that searches and suggestions list it first. It
// stores software ids with the time of the last question, a few per person, and forgets them after a time. It knows
// neither what was typed nor the answers.
package asked

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// Store stores what people asked about. *store.Store implements it; it bounds how much it keeps per person.
type Store interface {
	Asked(ctx context.Context, tenant, person string) ([]string, error)
	// NoteAsked records when people asked about software last, by person and software.
	NoteAsked(ctx context.Context, tenant string, asked map[string]map[string]time.Time) error
	ForgetAsked(ctx context.Context, before time.Time) (int64, error)
}

// Options are the dependencies of a [Memory]. All are required.
type Options struct {
	Store Store
	Life  time.Duration    // software not asked about for this long is forgotten
	Now   func() time.Time // the clock that dates what is stored
	Log   *slog.Logger
}

const (
	maxPeople   = 1000                   // in memory
	maxWaiting  = 1000                   // notes not written yet
	writeAfter  = time.Second            // notes of this time are written together: a write costs more than an answer
	freshFor    = time.Minute            // another replica may have written since
	readTime    = 100 * time.Millisecond // a user is typing
	writeTime   = 5 * time.Second
	forgetEvery = 6 * time.Hour
)

// Memory remembers what people asked about. It is safe for concurrent use.
type Memory struct {
	Options
	noted chan struct{} // signals the first note since the last write

	mu      sync.Mutex
	people  map[string]read
	waiting notes // to be written
	count   int   // of what waits
	writing notes // being written
}

// read is what was read about one person.
type read struct {
	software []string
	until    time.Time
}

// notes are times of the last question, by person and software.
type notes map[string]map[string]time.Time

// of returns the software that a person asked about, most recent first.
func (n notes) of(person string) []string {
	return slices.SortedFunc(maps.Keys(n[person]), func(a, b string) int {
		return cmp.Or(n[person][b].Compare(n[person][a]), cmp.Compare(a, b))
	})
}

// New returns a memory. [Memory.Run] writes its notes.
func New(o Options) *Memory {
	return &Memory{Options: o, noted: make(chan struct{}, 1), people: map[string]read{}, waiting: notes{}}
}

// Asked returns the software that a person asked about, most recent first. If it cannot be read quickly, it returns
// what was known before, or nothing.
func (m *Memory) Asked(ctx context.Context, person string) []string {
	m.mu.Lock()
	known := m.people[person]
	m.mu.Unlock()
	if time.Now().Before(known.until) {
		return known.software
	}
	limited, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	software, err := m.Store.Asked(limited, digest.DefaultTenant, person)
	if err != nil {
		m.Log.DebugContext(ctx, "could not read what a person asked about before", "error", err)
		software = known.software
	}
	return m.keep(person, software)
}

// keep caches what was read about a person, after the notes not written yet. It returns both.
func (m *Memory) keep(person string, software []string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.people) >= maxPeople {
		clear(m.people) // they are read again when needed
	}
	m.people[person] = read{software, time.Now().Add(freshFor)}
	for _, unwritten := range []notes{m.writing, m.waiting} {
		for _, id := range slices.Backward(unwritten.of(person)) {
			m.firstLocked(person, id)
		}
	}
	return m.people[person].software
}

// NoteAsked records that a person asked about a software. It does not block: notes that cannot be written soon are
// dropped.
func (m *Memory) NoteAsked(person, software string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.firstLocked(person, software)
	if m.count >= maxWaiting {
		return
	}
	if m.waiting[person] == nil {
		m.waiting[person] = map[string]time.Time{}
	}
	first := m.count == 0
	if _, ok := m.waiting[person][software]; !ok {
		m.count++
	}
	m.waiting[person][software] = m.Now()
	if first {
		select {
		case m.noted <- struct{}{}:
		default:
		}
	}
}

// firstLocked moves a software to the front of a person's cached list.
func (m *Memory) firstLocked(person, software string) {
	known, ok := m.people[person]
	if !ok || len(known.software) > 0 && known.software[0] == software {
		return
	}
	others := slices.DeleteFunc(slices.Clone(known.software), func(id string) bool { return id == software })
	known.software = slices.Insert(others, 0, software)
	m.people[person] = known
}

// Run writes notes and forgets old ones until ctx is done; then it writes the rest.
func (m *Memory) Run(ctx context.Context) {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	var due <-chan time.Time
	for {
		select {
		case <-m.noted:
			due = time.After(writeAfter)
		case <-due:
			m.write(ctx)
		case <-tick.C:
			m.forget(ctx)
		case <-ctx.Done():
			m.write(ctx)
			return
		}
	}
}

// write writes the waiting notes, even after ctx is done.
func (m *Memory) write(ctx context.Context) {
	m.mu.Lock()
	batch := m.waiting
	m.waiting, m.count, m.writing = notes{}, 0, batch
	m.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	err := m.Store.NoteAsked(limited, digest.DefaultTenant, batch)
	if err != nil {
		m.Log.DebugContext(ctx, "could not remember what people asked about", "error", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writing = nil
	for person, software := range batch {
		for id := range software {
			if err == nil && !slices.Contains(m.people[person].software, id) { // it was read before this write
				m.firstLocked(person, id)
			}
		}
	}
}

func (m *Memory) forget(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if _, err := m.Store.ForgetAsked(limited, m.Now().Add(-m.Life)); err != nil && ctx.Err() == nil {
		m.Log.WarnContext(ctx, "could not forget what people have not asked about for long", "error", err)
	}
}
