package prepared_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/missingkbs/missingkbs/internal/store/prepared"
)

// counter is a database that counts what it prepares and runs.
type counter struct{ prepared, run, closed int }

func (c *counter) Connect(context.Context) (driver.Conn, error) { return c, nil }
func (c *counter) Driver() driver.Driver                        { return nil }
func (c *counter) Begin() (driver.Tx, error)                    { return c, nil }
func (c *counter) Commit() error                                { return nil }
func (c *counter) Rollback() error                              { return nil }
func (c *counter) Close() error                                 { return nil }
func (c *counter) Prepare(string) (driver.Stmt, error)          { c.prepared++; return statement{c}, nil }

type statement struct{ of *counter }

func (s statement) Close() error  { s.of.closed++; return nil }
func (s statement) NumInput() int { return 1 }
func (s statement) Exec([]driver.Value) (driver.Result, error) {
	s.of.run++
	return driver.ResultNoRows, nil
}
func (s statement) Query([]driver.Value) (driver.Rows, error) { return nil, driver.ErrSkip }

// However often a statement runs in a transaction, it is prepared once, and closed with the transaction.
func TestEachStatementIsPreparedOnce(t *testing.T) {
	t.Parallel()
	c := &counter{}
	db := sql.OpenDB(c)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := prepared.In(tx)
	for i := range 10 {
		for _, query := range []string{"one", "another"} {
			if _, err := p.ExecContext(t.Context(), query, i); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if *c != (counter{prepared: 2, run: 20, closed: 2}) {
		t.Errorf("%+v", *c)
	}
}
