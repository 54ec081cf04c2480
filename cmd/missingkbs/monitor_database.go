package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/store"
)

const (
	// probeEvery is how long it may take until a database that takes no changes is noticed in a quiet night. What people and
	// digests write is noticed at once.
	probeEvery = 30 * time.Second
	// probeAgain is the same while there is trouble, for its end.
	probeAgain = 5 * time.Second
	// probeTime is how long a probe may wait: SQLite's other writers are done within it.
	probeTime = 8 * time.Second
)

// database looks at the database: whether it answers now, and whether it took the last changes.
func (m *monitor) database(s *store.Store) {
	m.parts.Set(partDatabase, func(ctx context.Context) (string, error) {
		err := s.Ping(ctx)
		trouble := digest.TroubleOf(err)
		switch {
		case err == nil:
			trouble = s.Health().Trouble
		case trouble == "":
			trouble = digest.TroubleAway
		}
		return troubleReasons[trouble], err
	})
}

// troubleReasons are what /readyz says of each trouble.
var troubleReasons = map[digest.Trouble]string{
	digest.TroubleAway:     "the database does not answer",
	digest.TroubleBusy:     "the database is too busy: it has no connection to spare, or another program holds it locked",
	digest.TroubleFull:     "the database has no room left: it can be read, and nothing can be written",
	digest.TroubleReadOnly: "the database can be read, and nothing can be written",
	digest.TroubleDisk:     "the disk of the database reports errors",
	digest.TroubleDamaged:  "the database is damaged",
	digest.TroubleDenied:   "the database refuses this program",
	digest.TroubleReplaced: "the database was removed or replaced",
}

// databaseWatch has a database probed, and tells in the log what changes.
type databaseWatch struct {
	store *store.Store
	every time.Duration
	log   *slog.Logger

	told  digest.Trouble
	since time.Time
}

// run probes until ctx ends. Between two probes it looks whether anything else has met trouble.
func (w *databaseWatch) run(ctx context.Context) {
	tick := time.NewTicker(min(w.every, time.Second))
	defer tick.Stop()
	var probed time.Time
	for {
		pause := w.every
		if w.told != "" {
			pause = min(pause, probeAgain)
		}
		if time.Since(probed) >= pause {
			limited, cancel := context.WithTimeout(ctx, probeTime)
			_ = w.store.Probe(limited) // its health has the result
			cancel()
			probed = time.Now()
		}
		if ctx.Err() == nil {
			w.tell(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (w *databaseWatch) tell(ctx context.Context) {
	h := w.store.Health()
	now := h.Trouble
	if now == w.told {
		return
	}
	if w.told == "" {
		w.since = time.Now()
	}
	w.told = now
	if now == "" {
		w.log.InfoContext(ctx, "the database takes changes again", "after", time.Since(w.since).Round(time.Second))
		return
	}
	w.log.ErrorContext(ctx, "trouble with the database", "trouble", string(now), "reason", troubleReasons[now], "cure", w.store.Cure(now), "error", h.Said)
}

// databaseFigures are the figures of how the database does.
func databaseFigures(s *store.Store) func() metrics.Database {
	return func() metrics.Database {
		h := s.Health()
		f := metrics.Database{Writable: h.Trouble == ""}
		for _, trouble := range digest.Troubles() { // there before the first
			for _, write := range []bool{false, true} {
				f.Failures = append(f.Failures, metrics.DatabaseFailures{
					Trouble: string(trouble), Write: write, Count: h.Failures[store.Failure{Trouble: trouble, Write: write}],
				})
			}
		}
		return f
	}
}
