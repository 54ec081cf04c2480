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

// Failure is a kind of failure of the database.
type Failure struct {
	Trouble digest.Trouble
	Write   bool // something was to be written
}

// Health is how the database has done.
type Health struct {
	Trouble  digest.Trouble    // what is wrong with it now; empty when nothing is
	Message  string            // the database's own words for it
	Failures map[Failure]int64 // since the start
}

// health gathers what the methods of a store and its probes meet. A probe alone would not do: a row more may still fit where
// the next digest does not. Nor would the methods alone: in a quiet night none writes.
type health struct {
	mu       sync.Mutex
	failures map[Failure]int64
	probed   reported // by the last probe
	met      reported // by a method
	metAt    time.Time
	file     os.FileInfo // SQLite: the file that was opened
}

// reported is a trouble, and the database's words for it.
type reported struct {
	trouble digest.Trouble
	message string
}

const (
	// troubleHold is how long something that a method met counts. The audit tries again within half a minute, so that a write
	// which fails again and again is seen all the time.
	troubleHold = time.Minute
	// damageHold is the same for damage, which only a read of the damaged part finds.
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
	default: // a probe meets it too, and one that passes shows that it is over
		return
	}
	if h.met.trouble != digest.TroubleDamaged || h.heldLocked().trouble == "" {
		h.met, h.metAt = reported{t, said}, time.Now()
	}
}

// heldLocked is what a method met and still counts.
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

// Health tells how the database does, without asking it.
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

// Probe finds out whether the database takes changes, by one: a row that is written for good, since SQLite keeps one that is
// rolled back in memory. For SQLite it also sees to it that the disk has room, since a row finds some in the log that is there
// already, and that the file is still the one that was opened. [Store.Health] has the result.
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
		s.health.met = reported{} // it has looked for room; what room a server has it cannot know
	}
	return err
}

// probeFile looks at the file of SQLite and the room beside it.
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
	return nil // SQLite itself says what else is wrong
}

// replaced says that the database in use has lost its name: what is written into it is gone when the program ends.
func (s *Store) replaced(cause error) error {
	const said = "it was removed or replaced while it was in use"
	s.health.note(digest.TroubleReplaced, said, true)
	return fmt.Errorf("look at the database file: %w", &digest.StoreError{Trouble: digest.TroubleReplaced, Message: said, Err: cause})
}
