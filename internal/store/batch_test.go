package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/missingkbs/missingkbs/internal/store/db"
)

// counter is a database that counts what is prepared and what is run without that.
type counter struct{ prepared, run int }

func (c *counter) Connect(context.Context) (driver.Conn, error) { return c, nil }
func (c *counter) Driver() driver.Driver                        { return nil }
func (c *counter) Begin() (driver.Tx, error)                    { return c, nil }
func (c *counter) Commit() error                                { return nil }
func (c *counter) Rollback() error                              { return nil }
func (c *counter) Close() error                                 { return nil }
func (c *counter) Prepare(string) (driver.Stmt, error)          { c.prepared++; return statement{}, nil }

func (c *counter) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	c.run++
	return driver.ResultNoRows, nil
}

type statement struct{ driver.Stmt }

func (statement) Close() error                               { return nil }
func (statement) NumInput() int                              { return -1 }
func (statement) Exec([]driver.Value) (driver.Result, error) { return driver.ResultNoRows, nil }

// A list of changes prepares each statement once on SQLite. On PostgreSQL it prepares none: the driver does where it may, and a
// pooler would keep a statement for the next one to stumble over.
func TestBatchesPrepareOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pool *pgxpool.Pool
		want counter
	}{
		"SQLite":     {nil, counter{prepared: 2}},
		"PostgreSQL": {&pgxpool.Pool{}, counter{run: 6}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got counter
			pool := sql.OpenDB(&got)
			defer pool.Close()
			s := &Store{db: pool, pool: c.pool, queries: db.New(pool)}
			now := time.Now()
			err := s.NoteAsked(t.Context(), "t", map[string]map[string]time.Time{"U1": {"a": now, "b": now, "c": now}, "U2": {"a": now}})
			if err != nil || got != c.want {
				t.Errorf("%v, %+v, want %+v", err, got, c.want)
			}
		})
	}
}
