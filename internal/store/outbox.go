package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// ErrNoRetry marks an error of [QueueOptions.Send] that no retry can change. It ends the job.
var ErrNoRetry = errors.New("a retry is pointless")

const (
	// eventQueue is a separate queue in River, so that a slow receiver does not delay digests. A process only works on
	// it if it can send events.
	eventQueue   = "events"
	eventWorkers = 2
)

// eventPauses returns the pauses between attempts to send an event: about a day in total.
func eventPauses() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
	}
}

// eventArgs is an event in River's form. Body is text, because PostgreSQL reorders the keys of JSON.
type eventArgs struct {
	ID   string `json:"id" river:"unique"`
	Body string `json:"body"`
}

// Kind names the job in River's tables.
func (eventArgs) Kind() string { return "event" }

// InsertOpts makes an event unique by ID while its job is kept.
func (eventArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		Queue: eventQueue, MaxAttempts: len(eventPauses()) + 1,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()},
	}
}

type eventWorker struct {
	river.WorkerDefaults[eventArgs]
	send   func(ctx context.Context, e digest.Event, last bool) error
	pause  func(failures int) time.Duration // nil means eventPauses
	cutOff time.Duration
}

// Work sends an event once. An attempt interrupted by a shutdown does not count.
func (w *eventWorker) Work(ctx context.Context, job *river.Job[eventArgs]) error {
	defer hidePanic()
	err := w.send(ctx, digest.Event{ID: job.Args.ID, Body: job.Args.Body}, job.Attempt >= job.MaxAttempts)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNoRetry):
		return river.JobCancel(hiddenError{err})
	case errors.Is(ctx.Err(), context.Canceled):
		return river.JobSnooze(w.cutOff)
	}
	return hiddenError{err}
}

// NextRetry returns the time of the next attempt. Pauses vary by a tenth, so that events that failed together do not
// return together.
func (w *eventWorker) NextRetry(job *river.Job[eventArgs]) time.Time {
	failures := len(job.Errors) + 1
	if w.pause != nil {
		return time.Now().Add(w.pause(failures))
	}
	pauses := eventPauses()
	pause := pauses[min(failures, len(pauses))-1]
	return time.Now().Add(pause*9/10 + rand.N(pause/5)) //nolint:gosec // no secret
}

// addJob inserts a job in the current transaction.
type addJob func(ctx context.Context, args river.JobArgs) error

// begin starts a transaction that can also insert jobs. The caller calls end, which rolls back unless it was committed.
func (s *Store) begin(ctx context.Context) (tx *sql.Tx, add addJob, end func(), err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if tx, err = conn.BeginTx(ctx, nil); err != nil {
		_ = conn.Close()
		return nil, nil, nil, err
	}
	end = func() {
		_ = tx.Rollback() // no effect after Commit
		_ = conn.Close()
	}
	if s.sqlite {
		return tx, func(ctx context.Context, args river.JobArgs) error { return addSQLiteJob(ctx, tx, args) }, end, nil
	}
	return tx, func(ctx context.Context, args river.JobArgs) error {
		// Raw must see neither an error nor a panic of ours: it would close the connection and wait forever for our
		// transaction to end.
		// transaction to end.
		var failed error
		err := conn.Raw(func(c any) error {
			defer func() {
				if r := recover(); r != nil {
					failed = fmt.Errorf("panic: %v", r)
				}
			}()
			failed = addPostgresJob(ctx, c, args)
			return nil
		})
		return errors.Join(err, failed)
	}, end, nil
}

func addSQLiteJob(ctx context.Context, tx *sql.Tx, args river.JobArgs) error {
	c, err := river.NewClient[*sql.Tx](riversqlite.New(nil), &river.Config{})
	if err == nil {
		_, err = c.InsertTx(ctx, tx, args, nil)
	}
	return err
}

// addPostgresJob inserts a job on the connection of the current transaction.
func addPostgresJob(ctx context.Context, conn any, args river.JobArgs) error {
	of, ok := conn.(*stdlib.Conn)
	if !ok {
		return fmt.Errorf("%T is no connection to PostgreSQL", conn)
	}
	c, err := river.NewClient[pgx.Tx](riverpgxv5.New(nil), &river.Config{})
	if err == nil {
		_, err = c.InsertTx(ctx, openTx{conn: of.Conn()}, args, nil)
	}
	return err
}

// openTx is the transaction that a connection is in. Package database/sql begins and ends it, so only queries work.
type openTx struct {
	pgx.Tx

	conn *pgx.Conn
}

// Conn implements [pgx.Tx].
func (t openTx) Conn() *pgx.Conn { return t.conn }

// Exec implements [pgx.Tx].
func (t openTx) Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error) {
	return t.conn.Exec(ctx, query, args...)
}

// Query implements [pgx.Tx].
func (t openTx) Query(ctx context.Context, query string, args ...any) (pgx.Rows, error) {
	return t.conn.Query(ctx, query, args...)
}

// QueryRow implements [pgx.Tx].
func (t openTx) QueryRow(ctx context.Context, query string, args ...any) pgx.Row {
	return t.conn.QueryRow(ctx, query, args...)
}
