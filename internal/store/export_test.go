package store

import (
	"context"
	"database/sql"
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
