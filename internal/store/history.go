package store

import (
	"context"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// dayMillis is the length of a day. The days of readings are UTC days; their times give the day elsewhere.
const dayMillis = 24 * 60 * 60 * 1000

// FirstSeen returns when the updates of a software were first seen missing, including closed ones.
func (s *Store) FirstSeen(ctx context.Context, tenant, software string) (map[patchgap.Key]patchgap.Seen, error) {
	rows, err := s.queries.FirstSeen(ctx, tenant, text(software))
	if err != nil {
		return nil, s.failed("look up when updates were first seen", err)
	}
	seen := make(map[patchgap.Key]patchgap.Seen, len(rows))
	for _, r := range rows {
		key := patchgap.Key{Software: software, KB: r.Kb, OSBuild: r.OsBuild}
		seen[key] = patchgap.Seen{First: fromMillis(r.FirstMs), Before: fromMillis(r.BeforeMs)}
	}
	return seen, nil
}

// History returns what software was missing on each day since a time: a snapshot for each software and day, sorted by
// software and time. Days without a complete reading have none.
func (s *Store) History(ctx context.Context, tenant string, since time.Time, wanted func(software string) bool) ([]patchgap.Snapshot, error) {
	days, err := s.queries.ReadingDays(ctx, tenant, toMillis(since))
	if err != nil {
		return nil, s.failed("list the days of readings", err)
	}
	var all []patchgap.Snapshot
	var u unpacker
	for first := 0; first < len(days); {
		last, software := first, days[first].Software
		for last < len(days) && days[last].Software == software {
			last++
		}
		if wanted(software) {
			rows, err := s.readingsSince(ctx, &u, tenant, software, toMillis(since))
			if err != nil {
				return nil, s.failed("read the history of a software", err)
			}
			all = append(all, snapshotsOf(tenant, days[first:last], rows)...)
		}
		first = last
	}
	return all, nil
}

// snapshotsOf returns the days of one software whose rows are available.
func snapshotsOf(tenant string, days []db.ReadingDaysRow, rows map[int64][]patchgap.Row) []patchgap.Snapshot {
	var all []patchgap.Snapshot
	for _, d := range days {
		if r, kept := rows[d.Hash]; kept {
			all = append(all, patchgap.Snapshot{Tenant: tenant, At: fromMillis(d.AtMs), Software: []string{d.Software}, Rows: r})
		}
	}
	return all
}

// readingsSince returns the different readings of a software, by hash.
func (s *Store) readingsSince(ctx context.Context, u *unpacker, tenant, software string, sinceMS int64) (map[int64][]patchgap.Row, error) {
	packed, err := s.queries.ReadingsSince(ctx, tenant, software, sinceMS)
	if err != nil {
		return nil, err
	}
	rows := make(map[int64][]patchgap.Row, len(packed))
	for _, p := range packed {
		var g gaps
		if err := u.unpack(p.Gaps, &g); err != nil {
			return nil, fmt.Errorf("rows of a software: %w", err)
		}
		rows[p.Hash] = g.rows(software)
	}
	return rows, nil
}

// FailedDigests counts the digests since a time that could read nothing.
func (s *Store) FailedDigests(ctx context.Context, tenant string, since time.Time) (int, error) {
	n, err := s.queries.FailedDeliveries(ctx, tenant, toMillis(since))
	if err != nil {
		return 0, s.failed("count failed digests", err)
	}
	return int(n), nil
}
