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
