package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/store/db"
)

// SoftwareList is the software list of a tenant as Defender returned it.
type SoftwareList struct {
	Software []byte // in a format that only the caller knows
	Fetched  time.Time
	Skipped  int // rows left out because they could not be read
}

// SoftwareList returns the software list that was saved last, or false if there is none.
func (s *Store) SoftwareList(ctx context.Context, tenant string) (list SoftwareList, ok bool, err error) {
	row, err := s.queries.SoftwareList(ctx, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return list, false, nil
	}
	if err == nil {
		list = SoftwareList{Fetched: fromMillis(row.FetchedMs), Skipped: int(row.Skipped)}
		var u unpacker
		list.Software, err = u.plain(row.Software)
	}
	if err != nil {
		return SoftwareList{}, false, s.failed("read the software list", err)
	}
	return list, true, nil
}

// SaveSoftwareList saves a software list, unless a newer one is saved already.
func (s *Store) SaveSoftwareList(ctx context.Context, tenant string, list SoftwareList) error {
	var p packer
	packed, err := p.pack(list.Software)
	if err == nil {
		err = s.queries.SaveSoftwareList(ctx, db.SaveSoftwareListParams{
			Tenant: tenant, FetchedMs: toMillis(list.Fetched), Skipped: int64(list.Skipped), Software: packed,
		})
	}
	if err != nil {
		return s.failedWrite("save the software list", err)
	}
	return nil
}

// ForgetAsked removes software that people have not asked about since a time, and returns how many rows it removed.
func (s *Store) ForgetAsked(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.queries.PruneAsked(ctx, toMillis(before))
	if err != nil {
		return 0, s.failedWrite("remove what people have not asked about for long", err)
	}
	return n, nil
}

// maxAsked is how many software ids are kept per person.
const maxAsked = 20

// Asked returns the software that a person asked about, most recent first.
func (s *Store) Asked(ctx context.Context, tenant, person string) ([]string, error) {
	software, err := s.queries.Asked(ctx, tenant, text(person), maxAsked)
	if err != nil {
		return nil, s.failed("read what a person asked about", err)
	}
	return software, nil
}

// NoteAsked records when people last asked about software, by person and software. It keeps the last 20 of each person.
func (s *Store) NoteAsked(ctx context.Context, tenant string, asked map[string]map[string]time.Time) error {
	err := s.batch(ctx, func(q *db.Queries) error {
		for _, person := range slices.Sorted(maps.Keys(asked)) { // replicas must lock rows in the same order
			for _, software := range slices.Sorted(maps.Keys(asked[person])) {
				if err := q.NoteAsked(ctx, db.NoteAskedParams{Tenant: tenant, Person: text(person), Software: text(software), AtMs: toMillis(asked[person][software])}); err != nil {
					return err
				}
			}
			if err := q.TrimAsked(ctx, tenant, text(person), maxAsked); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return s.failedWrite("record what people asked about", err)
	}
	return nil
}
