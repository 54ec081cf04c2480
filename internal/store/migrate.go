package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store/sqlitefile"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	versionTable = "missingkbs_migrations"
	lockID       = int64(0x6d697373) // "miss"; PostgreSQL's advisory locks are numbers
)

// ErrNewer reports that a later version of the program has changed the database, so that this one cannot know what it
// would break.
var ErrNewer = errors.New("the database was made by a newer version of missingkbs; run that version, or restore a backup")

// Migrate brings our tables and the queue's to the version of this program. Current tables are left alone. Several
// processes may call it at once: one does the work, the others wait.
func (s *Store) Migrate(ctx context.Context) (err error) {
	unlock, err := s.lockMigrations(ctx)
	if err != nil {
		return s.migrateError("lock the database for migration", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()

	from, to, err := s.Version(ctx)
	if err != nil {
		return err
	}
	if from > to {
		return ErrNewer
	}
	if err := s.migrateOurs(ctx); err != nil {
		return s.migrateError(fmt.Sprintf("migrate the database from version %d to %d", from, to), err)
	}
	if err := s.migrateQueue(ctx); err != nil {
		return s.migrateError("migrate the queue's tables", err)
	}
	if from < to {
		s.log.InfoContext(ctx, "database migrated", "from", from, "to", to)
	}
	return nil
}

// migrateError returns the error of a migration. No user data is involved yet, so its full text stays.
func (s *Store) migrateError(doing string, err error) error {
	if trouble := s.trouble(err); trouble != "" && !isOurs(err) {
		err = &digest.StoreError{Trouble: trouble, Message: err.Error(), Err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Version returns the database's version, 0 if it is empty, and the one this program needs. It changes nothing, while
// goose would create its table just to look.
func (s *Store) Version(ctx context.Context) (current, wanted int64, err error) {
	p, err := s.provider()
	if err != nil {
		return 0, 0, err
	}
	for _, source := range p.ListSources() {
		wanted = max(wanted, source.Version)
	}
	var tables int
	if s.sqlite {
		err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE name = $1", versionTable).Scan(&tables)
	} else {
		err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM pg_class WHERE oid = to_regclass($1)", versionTable).Scan(&tables)
	}
	if err == nil && tables > 0 {
		current, err = p.GetDBVersion(ctx)
	}
	if err != nil {
		return 0, 0, s.failed("read the version of the database", err)
	}
	return current, wanted, nil
}

// provider returns goose's migrations for this database.
func (s *Store) provider() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectPostgres
	if s.sqlite {
		dialect = goose.DialectSQLite3
	}
	return goose.NewProvider(dialect, s.db, files, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

func (s *Store) migrateOurs(ctx context.Context) error {
	p, err := s.provider()
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func (s *Store) migrateQueue(ctx context.Context) error {
	if s.sqlite {
		return riverUp(rivermigrate.New(riversqlite.New(s.jobs), &rivermigrate.Config{Logger: s.quietLog()}))(ctx)
	}
	return riverUp(rivermigrate.New(riverpgxv5.New(s.pool), &rivermigrate.Config{Logger: s.quietLog()}))(ctx)
}

func riverUp[T any](m *rivermigrate.Migrator[T], err error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err != nil {
			return err
		}
		if _, err := m.ExistingVersions(ctx); err != nil { // fails on versions it does not know
			return fmt.Errorf("%w (%w)", ErrNewer, err)
		}
		_, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
}

// lockMigrations waits until only this process may change tables. A killed process loses its lock.
func (s *Store) lockMigrations(ctx context.Context) (unlock func() error, err error) {
	if s.sqlite {
		return lockFile(ctx, s.path+".lock")
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// Not goose's own lock, which polls once a second: the last of several replicas would start late.
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockID); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lockID)
		return errors.Join(err, conn.Close())
	}, nil
}

// lockFile locks a separate SQLite file, which works the same on every system. Migrations cannot run under a lock on
// the database itself, because they begin their own transactions.
func lockFile(ctx context.Context, path string) (unlock func() error, err error) {
	if err := sqlitefile.Create(path); err != nil {
		return nil, err
	}
	d, err := sqlitefile.Open(ctx, path, "exclusive")
	if err != nil {
		return nil, err
	}
	var tx *sql.Tx
	if tx, err = d.BeginTx(ctx, nil); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return func() error { return errors.Join(tx.Rollback(), d.Close()) }, nil
}
