package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/riverqueue/river"

	"github.com/missingkbs/missingkbs/internal/store/tablecopy"
)

// Copied is how much [Copy] copied of one table.
type Copied struct {
	Table string
	Rows  int
}

// queueTable is the name of the waiting jobs in [Copied].
const queueTable = "waiting jobs"

var (
	// ErrNotEmpty reports that the target of a copy is not empty.
	ErrNotEmpty = tablecopy.ErrNotEmpty
	// ErrOtherVersion reports that a database is not at the version of this program.
	ErrOtherVersion = errors.New("the database that is to be copied is not at the version of this program: migrate it first")
)

// Copy copies everything into an empty database, which it migrates first, and returns the rows of each table. The copy
// is one transaction there, and reads one state here. Rows are counted on both sides; a difference is an error and
// leaves the target empty. Waiting jobs are inserted as new ones. Nothing else may use either database in the meantime.
func Copy(ctx context.Context, s, to *Store) (copied []Copied, err error) {
	if current, wanted, err := s.Version(ctx); err != nil {
		return nil, err
	} else if current != wanted {
		return nil, ErrOtherVersion
	}
	if err := to.Migrate(ctx); err != nil {
		return nil, err
	}
	tables, err := to.ourTables(ctx)
	if err != nil {
		return nil, err
	}
	from, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: s.snapshotIsolation(), ReadOnly: !s.sqlite})
	if err != nil {
		return nil, s.failed("read the database that is to be copied", err)
	}
	defer func() { _ = from.Rollback() }()
	jobs, err := s.waitingJobs(ctx, from)
	if err != nil {
		return nil, err
	}
	into, addJob, end, err := to.begin(ctx)
	if err != nil {
		return nil, to.failedWrite("copy the database", err)
	}
	defer end()
	for _, table := range tables {
		n, err := tablecopy.Copy(ctx, from, into, table)
		if err != nil {
			return nil, to.failedWrite("copy the table "+table, err)
		}
		copied = append(copied, Copied{table, n})
	}
	for _, job := range jobs {
		if err := addJob(ctx, job); err != nil {
			return nil, to.failedWrite("copy the waiting jobs", err)
		}
	}
	if err := into.Commit(); err != nil {
		return nil, to.failedWrite("copy the database", err)
	}
	return append(copied, Copied{queueTable, len(jobs)}), nil
}

// snapshotIsolation lets a transaction read one state. SQLite's transactions do so anyway.
func (s *Store) snapshotIsolation() sql.IsolationLevel {
	if s.sqlite {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

// ourTables lists the tables created by migrations, sorted, without the queue's and the list of migrations.
func (s *Store) ourTables(ctx context.Context) ([]string, error) {
	var rows *sql.Rows
	var err error
	if s.sqlite {
		rows, err = s.db.QueryContext(ctx, "SELECT name FROM sqlite_master WHERE type = 'table'")
	} else {
		rows, err = s.db.QueryContext(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
	}
	if err != nil {
		return nil, s.failed("list the tables", err)
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, s.failed("list the tables", err)
		}
		if name != versionTable && !strings.HasPrefix(name, "river_") && !strings.HasPrefix(name, "sqlite_") {
			tables = append(tables, name)
		}
	}
	slices.Sort(tables)
	return tables, rows.Err()
}

// waitingJobs reads the jobs that are not finished. A kind of job that cannot be inserted again is an error; jobs that
// start by themselves are left out.
func (s *Store) waitingJobs(ctx context.Context, tx *sql.Tx) ([]river.JobArgs, error) {
	const where = " FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded') ORDER BY id"
	var rows *sql.Rows
	var err error
	if s.sqlite { // River stores arguments in SQLite's binary JSON
		rows, err = tx.QueryContext(ctx, "SELECT kind, json(args)"+where)
	} else {
		rows, err = tx.QueryContext(ctx, "SELECT kind, args"+where)
	}
	if err != nil {
		return nil, s.failed("read the jobs that wait", err)
	}
	defer rows.Close()
	var jobs []river.JobArgs
	for rows.Next() {
		var kind string
		var args []byte
		if err := rows.Scan(&kind, &args); err != nil {
			return nil, s.failed("read the jobs that wait", err)
		}
		job, err := jobOf(kind, args)
		if err != nil {
			return nil, err
		}
		if job != nil {
			jobs = append(jobs, job)
		}
	}
	return jobs, rows.Err()
}

// jobOf reads a job from its row; nil for one that every process inserts by itself.
func jobOf(kind string, args []byte) (river.JobArgs, error) {
	switch kind {
	case digestArgs{}.Kind():
		return decodeJob[digestArgs](args)
	case eventArgs{}.Kind():
		return decodeJob[eventArgs](args)
	case checkArgs{}.Kind():
		return decodeJob[checkArgs](args)
	case alertArgs{}.Kind():
		return decodeJob[alertArgs](args)
	case pruneArgs{}.Kind(), feedArgs{}.Kind():
		return nil, nil
	}
	return nil, fmt.Errorf("a job of the kind %q waits, which cannot be copied: let the bot finish it first", kind)
}

func decodeJob[T river.JobArgs](args []byte) (river.JobArgs, error) {
	var job T
	if err := json.Unmarshal(args, &job); err != nil {
		return nil, fmt.Errorf("read a job of the kind %q: %w", job.Kind(), err)
	}
	return job, nil
}
