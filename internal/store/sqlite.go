package store

import (
	"context"
	"fmt"
	"os"

	"github.com/missingkbs/missingkbs/internal/store/sqlitefile"
)

// sqliteConns bounds the connections that queries share. Readers do not wait for the one writer, and more connections
// would only wait for each other.
const sqliteConns = 4

func (s *Store) openSQLite(ctx context.Context, path string) error {
	return s.openError(s.openSQLiteFile(ctx, path))
}

func (s *Store) openSQLiteFile(ctx context.Context, path string) error {
	s.sqlite, s.path = true, path
	if err := sqlitefile.Create(path); err != nil {
		return err
	}
	created := sqlitefile.Missing(path)
	var err error
	if s.db, err = sqlitefile.Open(ctx, path, "immediate"); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(sqliteConns)
	// River needs a connection of its own: with ours it would wait for itself while our transaction held it.
	if s.jobs, err = sqlitefile.Open(ctx, path, "immediate"); err != nil {
		return err
	}
	s.jobs.SetMaxOpenConns(1)
	if s.health.file, err = os.Stat(path); err != nil {
		return fmt.Errorf("look at the database file: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, "SELECT count(*) FROM sqlite_master"); err != nil { // creates the files beside the database
		return fmt.Errorf("read the database file %s: %w", path, err)
	}
	return sqlitefile.Tighten(created)
}
