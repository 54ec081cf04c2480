package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Prune removes what is older than a time: deliveries, readings, ended acceptances, and closed updates; and audit
// entries, which have a time of their own. The zero time removes nothing. It returns how many rows it removed. The
// baseline of a subscription is kept however old it is, so that after a long pause a digest can still tell what
// changed. It works in small steps, so that nothing waits long for it.
func (s *Store) Prune(ctx context.Context, before, auditsBefore time.Time) (int64, error) {
	ms := toMillis(before)
	var total int64
	steps := []func() (int64, error){
		func() (int64, error) { return s.pruneAudits(ctx, toMillis(auditsBefore)) },
		func() (int64, error) { return s.queries.PruneDeliveries(ctx, ms) },
		func() (int64, error) { return s.queries.PruneThreads(ctx) },
		func() (int64, error) { return s.queries.PruneAcceptances(ctx, ms) },
		func() (int64, error) { return s.queries.PruneLanes(ctx, ms) },
		func() (int64, error) { return s.pruneReadings(ctx, ms) },
		func() (int64, error) { return s.queries.PruneReadingDays(ctx, ms) },
		func() (int64, error) { return s.queries.PruneUpdates(ctx, ms) },
		func() (int64, error) { return s.queries.PruneSoftware(ctx, ms) },
		func() (int64, error) { return s.queries.PruneOrphanedUpdates(ctx) },
	}
	var errs []error
	for _, step := range steps {
		n, err := step()
		total += n
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return total, s.failedWrite(fmt.Sprintf("remove history before %s, audits before %s",
			before.Format(time.DateOnly), auditsBefore.Format(time.DateOnly)), err)
	}
	return total, nil
}

// pruneBatch is how many entries are removed at once: SQLite has one writer, and questions and digests wait for it.
const pruneBatch = 2000

func (s *Store) pruneAudits(ctx context.Context, beforeMS int64) (total int64, err error) {
	for {
		n, err := s.queries.PruneAudits(ctx, beforeMS, pruneBatch)
		total += n
		if err != nil || n < pruneBatch {
			return total, err
		}
	}
}

// pruneReadings removes old readings, except those that a baseline consists of.
func (s *Store) pruneReadings(ctx context.Context, beforeMS int64) (int64, error) {
	old, err := s.queries.ReadingsBefore(ctx, beforeMS)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	kept, err := s.baselineReadings(ctx)
	if err != nil {
		return 0, err
	}
	var removed int64
	err = s.tx(ctx, func(q *db.Queries) error {
		for _, r := range old {
			if kept[r] {
				continue
			}
			n, err := q.RemoveReading(ctx, db.RemoveReadingParams{
				Tenant: r.Tenant, Software: r.Software, Hash: r.Hash, BeforeMs: beforeMS,
			})
			if err != nil {
				return err
			}
			removed += n
		}
		return nil
	})
	return removed, err
}

// baselineReadings returns the readings that baselines consist of.
func (s *Store) baselineReadings(ctx context.Context) (map[db.ReadingsBeforeRow]bool, error) {
	rows, err := s.queries.Baselines(ctx)
	if err != nil {
		return nil, err
	}
	var u unpacker
	kept := map[db.ReadingsBeforeRow]bool{}
	for _, row := range rows {
		var list contents
		if err := u.unpack(row.Contents, &list); err != nil {
			return nil, fmt.Errorf("read a baseline: %w", err)
		}
		for i, software := range list.Software {
			kept[db.ReadingsBeforeRow{Tenant: row.Tenant, Software: text(software), Hash: list.Hash[i]}] = true
		}
	}
	return kept, nil
}
