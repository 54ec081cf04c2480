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

// SoftwareList is the software list of a tenant as Defender gave it.
type SoftwareList struct {
	Software []byte // the caller knows their form
	Fetched  time.Time
	Skipped  int // rows that could not be read and are not in it
}

// SoftwareList returns the software list that was saved last, or false where none was.
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

// ForgetAsked removes what people have not asked about since a time, and returns how much that was.
func (s *Store) ForgetAsked(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.queries.PruneAsked(ctx, toMillis(before))
	if err != nil {
		return 0, s.failedWrite("remove what people have not asked about for long", err)
	}
	return n, nil
}

// maxAsked is how much software is kept of what one person asked about.
const maxAsked = 20

// Asked returns the software that a person asked about, the last first.
func (s *Store) Asked(ctx context.Context, tenant, person string) ([]string, error) {
	software, err := s.queries.Asked(ctx, tenant, text(person), maxAsked)
	if err != nil {
		return nil, s.failed("read what a person asked about", err)
	}
	return software, nil
}

// NoteAsked records when people asked about software last, by person and software. Of each person the last 20 are kept.
func (s *Store) NoteAsked(ctx context.Context, tenant string, asked map[string]map[string]time.Time) error {
	err := s.batch(ctx, func(q *db.Queries) error {
		for _, person := range slices.Sorted(maps.Keys(asked)) { // replicas lock rows in one order
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
