// Package prepared runs a transaction of many like changes and prepares each statement once, since SQLite takes longer to
// parse one than to run it. It knows no query: package db, whose queries are all constants, brings them.
package prepared

import (
	"context"
	"database/sql"
)

// Tx is a transaction that keeps what it has prepared. It is not safe for concurrent use.
type Tx struct {
	*sql.Tx
	statements map[string]*sql.Stmt // by their text; the end of the transaction closes them
}

// In prepares statements in a transaction.
func In(tx *sql.Tx) Tx { return Tx{tx, map[string]*sql.Stmt{}} }

// ExecContext runs a statement as [sql.Tx.ExecContext] does.
func (t Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	statement, ok := t.statements[query]
	if !ok {
		var err error
		if statement, err = t.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		t.statements[query] = statement
	}
	return statement.ExecContext(ctx, args...)
}
