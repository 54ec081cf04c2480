package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store/sqlitefile"
)

// Failure is a kind of database failure.
type Failure struct {
	Trouble digest.Trouble
	Write   bool // the query was a write
}

// Health describes how well the database works.
type Health struct {
	Trouble  digest.Trouble    // current trouble; "" for none
	Message  string            // the database's own words about it
	Failures map[Failure]int64 // since the start
}

// health collects what a store's methods and probes run into. Probes alone are not enough: one more row may fit where
// the next digest does not. Nor are methods alone: in a quiet night nothing is written.
type health struct {
	mu       sync.Mutex
	failures map[Failure]int64
	probed   reported // by the last probe
	met      reported // by a method
	metAt    time.Time
	file     os.FileInfo // SQLite: the file that was opened
}

// reported is a trouble with the database's words about it.
type reported struct {
	trouble digest.Trouble
	message string
}

const (
	// troubleHold is how long trouble seen by a method counts. The audit retries within half a minute, so a write that
	// keeps failing is seen continuously.
	troubleHold = time.Minute
	// damageHold is the same for damage, which is only seen when the damaged part is read.
	damageHold = 24 * time.Hour
)

// note counts a failure.
func (h *health) note(t digest.Trouble, said string, write bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures == nil {
		h.failures = map[Failure]int64{}
	}
	h.failures[Failure{t, write}]++
	switch t {
	case digest.TroubleFull, digest.TroubleDisk, digest.TroubleDamaged, digest.TroubleReplaced:
	default: // a probe sees it too, and one that passes proves that it is over
		return
	}
	if h.met.trouble != digest.TroubleDamaged || h.heldLocked().trouble == "" {
		h.met, h.metAt = reported{t, said}, time.Now()
	}
}

// heldLocked returns the trouble that a method saw, if it still counts.
func (h *health) heldLocked() reported {
	hold := troubleHold
	if h.met.trouble == digest.TroubleDamaged {
		hold = damageHold
	}
	if time.Since(h.metAt) > hold {
		return reported{}
	}
	return h.met
}

// Health returns the current health, without a query.
func (s *Store) Health() Health {
	h := &s.health
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.heldLocked()
	if now.trouble == "" {
		now = h.probed
	}
	return Health{Trouble: now.trouble, Message: now.message, Failures: maps.Clone(h.failures)}
}

// probeName is the row that [Store.Probe] writes.
const probeName = "health"

// Probe checks whether the database accepts changes, by committing one: SQLite keeps a rolled-back change in memory.
// For SQLite it also checks that the disk has space, because a single row may fit into the existing log, and that the
// file is still the one that was opened. [Store.Health] has the result.
func (s *Store) Probe(ctx context.Context) error {
	err := s.probeFile()
	if err == nil {
		if err = s.queries.WriteProbe(ctx, probeName, toMillis(time.Now())); err != nil {
			err = s.failedWrite("write the row of a health check", err)
		}
	}
	if ctx.Err() == context.Canceled {
		return err
	}
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	s.health.probed = reported{}
	if told, ok := errors.AsType[*digest.StoreError](err); ok {
		s.health.probed = reported{told.Trouble, told.Message}
	}
	if err == nil && s.sqlite && s.health.met.trouble == digest.TroubleFull {
		s.health.met = reported{} // the probe has checked for space; a server's space is unknown
	}
	return err
}

// probeFile checks SQLite's file and the free space next to it.
func (s *Store) probeFile() error {
	if !s.sqlite {
		return nil
	}
	if now, err := os.Stat(s.path); s.health.file != nil && (err != nil || !os.SameFile(now, s.health.file)) {
		return s.replaced(err)
	}
	if err := sqlitefile.CheckSpace(s.path); sqlitefile.IsDiskFull(err) {
		return s.failedWrite("look for room on the disk", err)
	}
	return nil // SQLite itself reports other faults
}

// replaced returns the error for a database file that was moved or deleted: what is written to it is lost when the
// program ends.
func (s *Store) replaced(cause error) error {
	const said = "it was removed or replaced while it was in use"
	s.health.note(digest.TroubleReplaced, said, true)
	return fmt.Errorf("look at the database file: %w", &digest.StoreError{Trouble: digest.TroubleReplaced, Message: said, Err: cause})
}
