// Package asked remembers which software each person asked about, so that searches and suggestions put it first. It keeps the
// ids of software and when they were asked about, a few for each person, and forgets them after a time. It does not know what
// was typed, nor the answers.
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

// Store keeps what people asked about. *store.Store is one; it bounds how much it keeps of each person.
type Store interface {
	Asked(ctx context.Context, tenant, person string) ([]string, error)
	// NoteAsked records when people asked about software last, by person and software.
	NoteAsked(ctx context.Context, tenant string, asked map[string]map[string]time.Time) error
	ForgetAsked(ctx context.Context, before time.Time) (int64, error)
}

// Options are the dependencies of a [Memory]. All are required.
type Options struct {
	Store Store
	Life  time.Duration    // what was not asked about for so long is forgotten
	Now   func() time.Time // the clock that dates what is remembered
	Log   *slog.Logger
}

const (
	maxPeople   = 1000                   // in memory
	maxWaiting  = 1000                   // notes that are not written yet
	writeAfter  = time.Second            // notes of that time are written at once: a write costs more than an answer
	freshFor    = time.Minute            // another process may have written since
	readTime    = 100 * time.Millisecond // a person is typing
	writeTime   = 5 * time.Second
	forgetEvery = 6 * time.Hour
)

// Memory remembers what people asked about. It is safe for concurrent use.
type Memory struct {
	Options
	noted chan struct{} // the first note since the last write

	mu      sync.Mutex
	people  map[string]read
	waiting notes // are to be written
	count   int   // of what waits
	writing notes // are being written
}

// read is what was read of one person.
type read struct {
	software []string
	until    time.Time
}

// notes are when software was asked about last, by person and software.
type notes map[string]map[string]time.Time

// of returns the software that a person asked about, the last first.
func (n notes) of(person string) []string {
	return slices.SortedFunc(maps.Keys(n[person]), func(a, b string) int {
		return cmp.Or(n[person][b].Compare(n[person][a]), cmp.Compare(a, b))
	})
}

// New returns a memory. [Memory.Run] writes what it is told.
func New(o Options) *Memory {
	return &Memory{Options: o, noted: make(chan struct{}, 1), people: map[string]read{}, waiting: notes{}}
}

// Asked returns the software that a person asked about, the last first. If it cannot be read at once, it returns what was
// known before, or nothing.
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

// keep remembers for a while what was read about a person, behind the notes not written yet. It returns both.
func (m *Memory) keep(person string, software []string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.people) >= maxPeople {
		clear(m.people) // they are read again
	}
	m.people[person] = read{software, time.Now().Add(freshFor)}
	for _, unwritten := range []notes{m.writing, m.waiting} {
		for _, id := range slices.Backward(unwritten.of(person)) {
			m.firstLocked(person, id)
		}
	}
	return m.people[person].software
}

// NoteAsked remembers that a person asked about a software. It does not wait: what cannot be written soon is not remembered.
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

// firstLocked puts a software first in the list that memory holds for a person.
func (m *Memory) firstLocked(person, software string) {
	known, ok := m.people[person]
	if !ok || len(known.software) > 0 && known.software[0] == software {
		return
	}
	others := slices.DeleteFunc(slices.Clone(known.software), func(id string) bool { return id == software })
	known.software = slices.Insert(others, 0, software)
	m.people[person] = known
}

// Run writes what is remembered and forgets what is old, until ctx ends; then it writes the rest.
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

// write writes the waiting notes, also after ctx has ended.
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
			if err == nil && !slices.Contains(m.people[person].software, id) { // it was read before this was written
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
