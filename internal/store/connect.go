package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/missingkbs/missingkbs/internal/store/sqlitefile"
)

const (
	// poolConns is enough for the queue (one connection listens, one fetches, one leads) and for the queries of its
	// jobs. With fewer than fewestConns the queue's own would starve the rest.
	poolConns   = 10
	fewestConns = 4

	connectTimeout = 10 * time.Second
	pgxTimeout     = 2 * time.Minute // pgx's default
)

// openPostgres opens a pool with our defaults where the URL sets none.
func (s *Store) openPostgres(ctx context.Context, config *pgxpool.Config, login func() string) error {
	if t := config.ConnConfig.ConnectTimeout; t == 0 || t == pgxTimeout {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "missingkbs"
	}
	if login != nil {
		config.BeforeConnect = signInAs(login)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	s.pool, s.db = pool, stdlib.OpenDBFromPool(pool)
	if err := s.db.PingContext(ctx); err != nil {
		return s.openError(connectError(config.ConnConfig.Config, err))
	}
	return nil
}

// signInAs makes each new connection use the current user and password of a URL. It ignores a URL that is invalid or of
// another kind of database: that is reported where it is set.
func signInAs(login func() string) func(context.Context, *pgx.ConnConfig) error {
	return func(_ context.Context, c *pgx.ConnConfig) error {
		if now, err := parseURL(login()); err == nil && now.pool != nil {
			c.User, c.Password = now.pool.ConnConfig.User, now.pool.ConnConfig.Password
		}
		return nil
	}
}

// connectError says where and as which user we tried to connect, and why it failed. It does not wrap pgx's error, which
// contains the configuration with the password.
func connectError(c pgconn.Config, err error) error {
	if connect, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		err = tries{errors.Unwrap(connect)}
	}
	return fmt.Errorf("connect to PostgreSQL at %s:%d, database %q, as user %q: %w", c.Host, c.Port, c.Database, c.User, err)
}

// tries is why pgx got no connection. pgx names each address and each way that it tried, with encryption and without, on a line
// of its own, and often the same for all.
type tries struct{ error }

// Error returns each cause once, on one line.
func (t tries) Error() string {
	var told []string
	for line := range strings.Lines(t.error.Error()) {
		line = strings.TrimSpace(line)
		if !slices.ContainsFunc(told, func(before string) bool { return strings.Contains(before, line) }) {
			told = append(told, line)
		}
	}
	return strings.Join(told, "; ")
}

// Unwrap returns the error of pgx.
func (t tries) Unwrap() error { return t.error }

// sqliteConns bounds the connections for queries. Readers do not wait for the single writer, and more connections would
// only wait for each other.
const sqliteConns = 4

func (s *Store) openSQLite(ctx context.Context, path string) error {
	return s.openError(s.openSQLiteFile(ctx, path))
}

// openSQLiteFile opens a SQLite file and creates it if it is missing.
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
	// River needs its own connection: on ours it would wait for itself while our transaction holds it.
	if s.jobs, err = sqlitefile.Open(ctx, path, "immediate"); err != nil {
		return err
	}
	s.jobs.SetMaxOpenConns(1)
	if s.health.file, err = os.Stat(path); err != nil {
		return fmt.Errorf("look at the database file: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, "SELECT count(*) FROM sqlite_master"); err != nil { // creates the files next to the database
		return fmt.Errorf("read the database file %s: %w", path, err)
	}
	return sqlitefile.Tighten(created)
}
