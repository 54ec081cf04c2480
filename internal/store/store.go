// Package store keeps what digests need to remember in SQL: subscriptions, deliveries, the last reading of each patch
// gap, the audit, and the queue of jobs. A [Store] is one database, a SQLite file for one process or PostgreSQL for
// several, with the same queries on both; a [Queue] is River's, whose tables are in the same database. Times keep
// milliseconds and are returned in UTC. All methods are safe for concurrent use, and each change is one transaction.
// The package knows the types of package digest and nothing of schedules, Defender or Slack. It decides nothing: what a
// digest says, when it is due and what a failure means for a subscription are arguments.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/missingkbs/missingkbs/internal/store/db"
	"github.com/missingkbs/missingkbs/internal/store/prepared"
)

// DefaultRetention is how long history is kept by default: a year, and a month to look back on it.
const DefaultRetention = 400 * 24 * time.Hour

// Options configure a store. The zero value is useful.
type Options struct {
	Log       *slog.Logger  // nil for no log
	Retention time.Duration // how long a running [Queue] keeps history; 0 means DefaultRetention, negative forever
	Audits    time.Duration // the same for audits
	// Login returns the current database URL. Each new connection to PostgreSQL uses its user and password, which may
	// change while the program runs. Nil keeps those at start.
	Login func() string
}

// Store is one database.
type Store struct {
	log       *slog.Logger
	retention time.Duration
	audits    time.Duration // retention
	sqlite    bool
	path      string        // of SQLite's file
	db        *sql.DB       // for everything but the queue
	jobs      *sql.DB       // SQLite: the queue's own connection
	pool      *pgxpool.Pool // PostgreSQL: under db, and for the queue
	queries   *db.Queries
	health    health
}

// ErrUnavailable reports that [Open] failed because the database is unreachable, or its disk is full; it may work
// later. Other errors need other settings.
var ErrUnavailable = errors.New("the database is unavailable")

// unavailable makes an error match [ErrUnavailable] without changing its text.
type unavailable struct{ error }

func (a unavailable) Unwrap() error { return a.error }

// Is implements the contract of [errors.Is].
func (a unavailable) Is(target error) bool { return target == ErrUnavailable }

// Open opens the database at a URL, "sqlite:///path/file.db" or "postgres://…". It creates a missing SQLite file and
// its folder, readable for their owner only. Errors are written for the author of the URL and never contain its
// password. The caller closes the store, and calls [Store.Migrate] before anything else.
func Open(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	return open(ctx, databaseURL, o, (*Store).openSQLite)
}

func open(ctx context.Context, databaseURL string, o Options, openSQLite func(*Store, context.Context, string) error) (*Store, error) {
	to, err := parseURL(databaseURL)
	if err != nil {
		return nil, err
	}
	s := &Store{log: o.Log, retention: cmp.Or(o.Retention, DefaultRetention), audits: cmp.Or(o.Audits, DefaultRetention)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if to.pool == nil {
		err = openSQLite(s, ctx, to.path)
	} else {
		err = s.openPostgres(ctx, to.pool, o.Login)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	warnOfExposure(ctx, s.log, databaseURL)
	s.queries = db.New(s.db)
	return s, nil
}

// warnOfExposure logs which database files other users can read, change or replace. It does not change permissions:
// they may be intended.
func warnOfExposure(ctx context.Context, log *slog.Logger, databaseURL string) {
	f, ok, err := InspectFile(databaseURL)
	if err != nil || !ok {
		return
	}
	if len(f.Exposed) > 0 {
		log.WarnContext(ctx, "other users can read or change files of the database: run chmod 600 on them", "files", f.Exposed)
	}
	if f.Open != "" {
		log.WarnContext(ctx, "other users can replace the files of the database: run chmod o-w on its folder", "folder", f.Open)
	}
}

// Close closes all connections. Stop the store's queue first.
func (s *Store) Close() error {
	var errs []error
	for _, d := range []*sql.DB{s.jobs, s.db} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	if s.pool != nil {
		s.pool.Close()
	}
	return errors.Join(errs...)
}

// Ping returns an error if the database does not answer.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return s.failed("ask the database", err)
	}
	return nil
}

// tx runs f in a transaction, and rolls it back if f fails.
func (s *Store) tx(ctx context.Context, f func(*db.Queries) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // no effect after Commit
	if err := f(s.queries.WithTx(tx)); err != nil {
		return err
	}
	return tx.Commit()
}

// batch is tx for a list of changes, with each statement prepared once. On PostgreSQL the driver does that: it keeps
// prepared statements across transactions, or prepares none if the URL says so, for a pooler.
func (s *Store) batch(ctx context.Context, f func(*db.Queries) error) error {
	if s.pool != nil {
		return s.tx(ctx, f)
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // no effect after Commit
	if err := f(db.New(prepared.In(tx))); err != nil {
		return err
	}
	return tx.Commit()
}

// txWithJobs is tx for a transaction that also inserts jobs.
func (s *Store) txWithJobs(ctx context.Context, f func(*db.Queries, addJob) error) error {
	tx, add, end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := f(s.queries.WithTx(tx), add); err != nil {
		return err
	}
	return tx.Commit()
}

// toMillis converts a time for storage; 0 is no time.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the inverse of toMillis.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
