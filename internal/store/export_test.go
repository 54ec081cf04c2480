package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/missingkbs/missingkbs/internal/quota"
)

// DB gives tests the database, to look at what the queue keeps there.
func (s *Store) DB() *sql.DB { return s.db }

// LockMigrations lets tests be the process that migrates.
func (s *Store) LockMigrations(ctx context.Context) (unlock func() error, err error) {
	return s.lockMigrations(ctx)
}

// MigrateTo makes the database one of an earlier version.
func (s *Store) MigrateTo(ctx context.Context, version int64) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	current, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if version < current {
		_, err = p.DownTo(ctx, version)
	} else {
		_, err = p.UpTo(ctx, version)
	}
	return err
}

// JobKinds are the kinds of jobs that the queue knows.
func JobKinds() []string {
	return []string{digestArgs{}.Kind(), pruneArgs{}.Kind(), eventArgs{}.Kind(), feedArgs{}.Kind(), checkArgs{}.Kind(), alertArgs{}.Kind()}
}

// EventPauses are the pauses between attempts to send an event.
func EventPauses() []time.Duration { return eventPauses() }

// SetClock lets tests set the clock of a quota, in place of the database's.
func (q *Quota) SetClock(now func() int64) { q.now = now }

// BookAt is Book with the time of the database's clock, in microseconds.
func (q *Quota) BookAt(ctx context.Context, b quota.Booking) (quota.Booked, int64, error) {
	return q.book(ctx, b)
}

// Begin makes the row of a quota.
func (q *Quota) Begin(ctx context.Context) error { return q.begin(ctx) }

// Note has the store meet an error.
func (s *Store) Note(err error) { _ = s.failedWrite("write", err) }
