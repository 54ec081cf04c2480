package monitor

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/store"
)

const (
	// probeInterval is how late a read-only database is noticed while nothing is written. Writes notice it at once.
	probeInterval = 30 * time.Second
	// troubleProbeInterval is used during trouble, to notice its end.
	troubleProbeInterval = 5 * time.Second
	// probeTimeout bounds one probe. SQLite's other writers finish within it.
	probeTimeout = 8 * time.Second
)

// AddDatabase makes readiness depend on the database: whether it responds now, and whether it accepted the last
// changes.
func (m *Monitor) AddDatabase(s *store.Store) {
	m.Parts.Set(Database, func(ctx context.Context) (string, error) {
		err := s.Ping(ctx)
		trouble := digest.TroubleOf(err)
		switch {
		case err == nil:
			trouble = s.Health().Trouble
		case trouble == "":
			trouble = digest.TroubleAway
		}
		return DatabaseReason(trouble), err
	})
}

// DatabaseReason returns what trouble means, in the words of /readyz; "" for none.
func DatabaseReason(t digest.Trouble) string {
	return map[digest.Trouble]string{
		digest.TroubleAway:     "the database does not answer",
		digest.TroubleBusy:     "the database is too busy: it has no connection to spare, or another program holds it locked",
		digest.TroubleFull:     "the database has no room left: it can be read, and nothing can be written",
		digest.TroubleReadOnly: "the database can be read, and nothing can be written",
		digest.TroubleDisk:     "the disk of the database reports errors",
		digest.TroubleDamaged:  "the database is damaged",
		digest.TroubleDenied:   "the database refuses this program",
		digest.TroubleReplaced: "the database was removed or replaced",
	}[t]
}

// DatabaseProber probes a database regularly and logs when its trouble changes.
type DatabaseProber struct {
	store    *store.Store
	interval time.Duration
	log      *slog.Logger

	logged digest.Trouble
	since  time.Time
}

// NewDatabaseProber returns a prober. An interval of 0 means 30 seconds.
func NewDatabaseProber(s *store.Store, interval time.Duration, log *slog.Logger) *DatabaseProber {
	return &DatabaseProber{store: s, interval: cmp.Or(interval, probeInterval), log: log}
}

// Run probes until ctx is done. Between probes it logs trouble that other users of the database have seen.
func (p *DatabaseProber) Run(ctx context.Context) {
	tick := time.NewTicker(min(p.interval, time.Second))
	defer tick.Stop()
	var probed time.Time
	for {
		interval := p.interval
		if p.logged != "" {
			interval = min(interval, troubleProbeInterval)
		}
		if time.Since(probed) >= interval {
			limited, cancel := context.WithTimeout(ctx, probeTimeout)
			_ = p.store.Probe(limited) // Health has the result
			cancel()
			probed = time.Now()
		}
		if ctx.Err() == nil {
			p.logChange(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// logChange logs when trouble begins, changes or ends, with its duration.
func (p *DatabaseProber) logChange(ctx context.Context) {
	h := p.store.Health()
	now := h.Trouble
	if now == p.logged {
		return
	}
	if p.logged == "" {
		p.since = time.Now()
	}
	p.logged = now
	if now == "" {
		p.log.InfoContext(ctx, "the database takes changes again", "after", time.Since(p.since).Round(time.Second).String())
		return
	}
	p.log.ErrorContext(ctx, "trouble with the database", "trouble", string(now), "reason", DatabaseReason(now), "cure", p.store.Cure(now), "error", h.Message)
}

// databaseFigures reads whether the database accepts changes, and its failures.
func databaseFigures(s *store.Store) metrics.Database {
	h := s.Health()
	f := metrics.Database{Writable: h.Trouble == ""}
	for _, trouble := range digest.Troubles() { // so that series exist before the first failure
		for _, write := range []bool{false, true} {
			f.Failures = append(f.Failures, metrics.DatabaseFailures{
				Trouble: string(trouble), Write: write, Count: h.Failures[store.Failure{Trouble: trouble, Write: write}],
			})
		}
	}
	return f
}
