// Package asked remembers which software each person asked about, so that searches and suggestions put it first. It keeps the
// ids of software and when they were asked about, a few for each person, and forgets them after a time. It does not know what
// was typed, nor the answers.
package asked

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// Store keeps what people asked about. *store.Store is one; it bounds how much it keeps of each person.
type Store interface {
	Asked(ctx context.Context, tenant, person string) ([]string, error)
	NoteAsked(ctx context.Context, tenant, person, software string, at time.Time) error
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
	freshFor    = time.Minute            // another process may have written since
	readTime    = 100 * time.Millisecond // a person is typing
	writeTime   = 5 * time.Second
	forgetEvery = 6 * time.Hour
)

// Memory remembers what people asked about. It is safe for concurrent use.
type Memory struct {
	Options
	notes chan note

	mu     sync.Mutex
	people map[string]read
}

// read is what was read of one person.
type read struct {
	software []string
	until    time.Time
}

type note struct {
	person, software string
	at               time.Time
}

// New returns a memory. [Memory.Run] writes what it is told.
func New(o Options) *Memory {
	return &Memory{Options: o, notes: make(chan note, maxWaiting), people: map[string]read{}}
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
	m.keep(person, software)
	return software
}

// keep remembers what was read of a person, for a while.
func (m *Memory) keep(person string, software []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.people) >= maxPeople {
		clear(m.people) // they are read again
	}
	m.people[person] = read{software, time.Now().Add(freshFor)}
}

// NoteAsked remembers that a person asked about a software. It does not wait: what cannot be written soon is not remembered.
func (m *Memory) NoteAsked(person, software string) {
	m.first(person, software)
	select {
	case m.notes <- note{person, software, m.Now()}:
	default:
	}
}

// first puts a software first in what is in memory of a person.
func (m *Memory) first(person, software string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.people[person]; ok {
		others := slices.DeleteFunc(slices.Clone(known.software), func(id string) bool { return id == software })
		known.software = slices.Insert(others, 0, software)
		m.people[person] = known
	}
}

// Run writes what is remembered and forgets what is old, until ctx ends; then it writes the rest.
func (m *Memory) Run(ctx context.Context) {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		select {
		case n := <-m.notes:
			m.write(ctx, n)
		case <-tick.C:
			m.forget(ctx)
		case <-ctx.Done():
			m.rest(ctx)
			return
		}
	}
}

func (m *Memory) write(ctx context.Context, n note) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	if err := m.Store.NoteAsked(limited, digest.DefaultTenant, n.person, n.software, n.at); err != nil {
		m.Log.DebugContext(ctx, "could not remember what a person asked about", "error", err)
		return
	}
	m.mu.Lock()
	missed := !slices.Contains(m.people[n.person].software, n.software) // it was read before this was written
	m.mu.Unlock()
	if missed {
		m.first(n.person, n.software)
	}
}

func (m *Memory) forget(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if _, err := m.Store.ForgetAsked(limited, m.Now().Add(-m.Life)); err != nil && ctx.Err() == nil {
		m.Log.WarnContext(ctx, "could not forget what people have not asked about for long", "error", err)
	}
}

// rest writes what waits at the end, as far as there is time.
func (m *Memory) rest(ctx context.Context) {
	end := time.Now().Add(writeTime)
	for time.Now().Before(end) {
		select {
		case n := <-m.notes:
			m.write(ctx, n)
		default:
			return
		}
	}
}
