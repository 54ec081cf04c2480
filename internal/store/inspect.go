package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store/db"
	"github.com/missingkbs/missingkbs/internal/store/sqlitefile"
)

// OpenReadOnly opens a database like [Open], but creates, migrates and changes nothing. It returns [os.ErrNotExist] if
// a SQLite file does not exist. Only [Store.Condition] works on a database of another version.
func OpenReadOnly(ctx context.Context, databaseURL string) (*Store, error) {
	return open(ctx, databaseURL, Options{}, (*Store).openSQLiteReadOnly)
}

// openSQLiteReadOnly opens an existing file without changing it.
func (s *Store) openSQLiteReadOnly(ctx context.Context, path string) error {
	s.sqlite, s.path = true, path
	if _, err := os.Stat(path); err != nil { // SQLite's own error would not say what is wrong
		return fmt.Errorf("open the database file: %w", err)
	}
	// Without the journal mode of openSQLiteFile, which is stored in the file.
	var err error
	s.db, err = sqlitefile.OpenWith(ctx, path, url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {"busy_timeout(5000)"}})
	return s.openError(err)
}

// Condition is the state of a database.
type Condition struct {
	Engine      string // "SQLite 3.54.1" or "PostgreSQL 15.18"
	Address     string // SQLite's file; for PostgreSQL the host, the database and the user
	Bytes       int64
	Version     int64 // 0 for an empty database
	Wanted      int64 // by this program
	QueueBehind bool  // the queue's tables are older than this program needs
	QueueNewer  bool  // they are newer than it knows
	Write       error // why nothing can be written; nil if it can
	Damage      error // what in SQLite's file cannot be read; nil if nothing is known
}

// Newer reports whether a later version of the program has changed the database.
func (c Condition) Newer() bool { return c.Version > c.Wanted || c.QueueNewer }

// Behind reports whether the database has to be migrated.
func (c Condition) Behind() bool { return !c.Newer() && (c.Version < c.Wanted || c.QueueBehind) }

// Condition returns the state of the database. It changes nothing.
func (s *Store) Condition(ctx context.Context) (Condition, error) {
	c := Condition{Address: s.Address()}
	var err error
	if c.Engine, c.Bytes, err = s.engine(ctx); err != nil {
		return c, s.failed("look at the database", err)
	}
	if c.Version, c.Wanted, err = s.Version(ctx); err != nil {
		return c, err
	}
	if c.QueueBehind, c.QueueNewer, err = s.queueVersion(ctx); err != nil {
		return c, s.failed("read the version of the queue's tables", err)
	}
	if s.sqlite {
		c.Damage = s.quickCheck(ctx)
	}
	if !c.Newer() {
		c.Write = s.tryWriting(ctx, c.Behind())
	}
	return c, nil
}

// checkTime bounds the check of a file, so that a large one leaves time for other checks.
const checkTime = 4 * time.Second

// quickCheck checks all pages of a SQLite file. It returns nil if there is no time for that.
func (s *Store) quickCheck(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var found string
	err := s.db.QueryRowContext(limited, "PRAGMA quick_check(1)").Scan(&found)
	switch {
	case limited.Err() != nil || err == nil && found == "ok":
		return nil
	case err != nil:
		return s.failed("look through the database file", err)
	}
	return &digest.StoreError{Trouble: digest.TroubleDamaged, Message: strings.ReplaceAll(found, "\n", " ")}
}

// IsFile reports whether the database is a SQLite file.
func (s *Store) IsFile() bool { return s.sqlite }

// Address returns where the database is: SQLite's file; for PostgreSQL the host, database and user.
func (s *Store) Address() string {
	if s.sqlite {
		return s.path
	}
	c := s.pool.Config().ConnConfig
	return fmt.Sprintf("%s:%d, database %q, as user %q", c.Host, c.Port, c.Database, c.User)
}

// engine returns the database's name with its version, and its size in bytes.
func (s *Store) engine(ctx context.Context) (name string, size int64, err error) {
	if !s.sqlite {
		err = s.db.QueryRowContext(ctx, "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1), pg_database_size(current_database())").Scan(&name, &size)
		return name, size, err
	}
	for _, file := range sqlitefile.Paths(s.path) {
		if info, err := os.Stat(file); err == nil {
			size += info.Size()
		}
	}
	err = s.db.QueryRowContext(ctx, "SELECT 'SQLite ' || sqlite_version()").Scan(&name)
	return name, size, err
}

func (s *Store) queueVersion(ctx context.Context) (behind, newer bool, err error) {
	config := &rivermigrate.Config{Logger: s.quietLog()}
	if s.sqlite {
		return riverVersion(rivermigrate.New(riversqlite.New(s.db), config))(ctx)
	}
	return riverVersion(rivermigrate.New(riverpgxv5.New(s.pool), config))(ctx)
}

func riverVersion[T any](m *rivermigrate.Migrator[T], err error) func(context.Context) (behind, newer bool, err error) {
	return func(ctx context.Context) (behind, newer bool, _ error) {
		if err != nil {
			return false, false, err
		}
		have, err := m.ExistingVersions(ctx)
		if err != nil {
			return false, ctx.Err() == nil, ctx.Err() // River fails on versions it does not know
		}
		return len(have) < len(m.AllVersions()), false, nil
	}
}

// errRollback rolls back a trial.
var errRollback = errors.New("tried, and rolled back")

// tryWriting writes in a transaction and rolls it back: a row, or a table if ours do not exist yet.
func (s *Store) tryWriting(ctx context.Context, table bool) error {
	if table {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "CREATE TABLE missingkbs_probe (x BIGINT)")
		return errors.Join(err, tx.Rollback())
	}
	err := s.tx(ctx, func(q *db.Queries) error {
		return cmp.Or(addAudit(ctx, q, audit.Entry{At: time.Unix(1, 0), Action: "probe"}), errRollback)
	})
	if !errors.Is(err, errRollback) {
		return err
	}
	return nil
}

// Backlog counts the jobs in the queue of digests.
type Backlog struct {
	Waiting int       // due now
	Oldest  time.Time // when the longest waiting one became due
	Later   int       // put off, or waiting for a retry
	Running int
	Since   time.Time // when the longest running one started
	GivenUp int       // failed permanently, as far as the queue keeps them
	Last    time.Time // when the newest of these failed
}

// backlogRows bounds the jobs that are counted.
const backlogRows = 10_000

// Backlog counts the jobs in the queue.
func (s *Store) Backlog(ctx context.Context) (Backlog, error) {
	jobs, err := s.openJobs(ctx)
	if err != nil {
		return Backlog{}, s.failed("look at the queue", err)
	}
	var b Backlog
	for _, job := range jobs {
		b.count(job)
	}
	return b, nil
}

// count adds one job.
func (b *Backlog) count(job *rivertype.JobRow) {
	switch job.State {
	case rivertype.JobStateAvailable:
		b.Waiting++
		b.Oldest = earliest(b.Oldest, &job.ScheduledAt)
	case rivertype.JobStateRunning:
		b.Running++
		b.Since = earliest(b.Since, job.AttemptedAt)
	case rivertype.JobStateDiscarded:
		b.GivenUp++
		if at := job.FinalizedAt; at != nil && at.After(b.Last) {
			b.Last = *at
		}
	default:
		b.Later++
	}
}

func earliest(t time.Time, other *time.Time) time.Time {
	if other == nil || !t.IsZero() && t.Before(*other) {
		return t
	}
	return *other
}

// openJobs lists the unfinished and the failed jobs of digests, but not cancelled ones.
func (s *Store) openJobs(ctx context.Context) ([]*rivertype.JobRow, error) {
	config := &river.Config{Logger: s.quietLog()}
	params := river.NewJobListParams().Kinds(digestArgs{}.Kind()).First(backlogRows).States(rivertype.JobStateAvailable, rivertype.JobStateRunning,
		rivertype.JobStateRetryable, rivertype.JobStateScheduled, rivertype.JobStatePending, rivertype.JobStateDiscarded)
	if s.sqlite {
		return listJobs(river.NewClient(riversqlite.New(s.db), config))(ctx, params)
	}
	return listJobs(river.NewClient(riverpgxv5.New(s.pool), config))(ctx, params)
}

func listJobs[T any](c *river.Client[T], err error) func(context.Context, *river.JobListParams) ([]*rivertype.JobRow, error) {
	return func(ctx context.Context, params *river.JobListParams) ([]*rivertype.JobRow, error) {
		if err != nil {
			return nil, err
		}
		list, err := c.JobList(ctx, params)
		if err != nil {
			return nil, err
		}
		return list.Jobs, nil
	}
}

// NewestReading returns when software of a tenant was last read for a digest; zero if never.
func (s *Store) NewestReading(ctx context.Context, tenant string) (time.Time, error) {
	rows, err := s.queries.Newest(ctx, tenant)
	if err != nil {
		return time.Time{}, s.failed("read when software was read", err)
	}
	newest := int64(0)
	for _, r := range rows {
		newest = max(newest, r.ReadMs)
	}
	return fromMillis(newest), nil
}

// SoftwareIDs returns the ids of all software read for digests of a tenant, sorted.
func (s *Store) SoftwareIDs(ctx context.Context, tenant string) ([]string, error) {
	rows, err := s.queries.Newest(ctx, tenant)
	if err != nil {
		return nil, s.failed("list the software that was read", err)
	}
	ids := make([]string, 0, len(rows))
	for _, r := range rows {
		ids = append(ids, r.Software)
	}
	slices.Sort(ids)
	return ids, nil
}

// InspectFile returns the file system's state of a SQLite database; ok is false for other databases.
func InspectFile(databaseURL string) (f sqlitefile.State, ok bool, err error) {
	to, err := parseURL(databaseURL)
	if err != nil || to.pool != nil {
		return sqlitefile.State{}, false, err
	}
	return sqlitefile.Inspect(to.path), true, nil
}
