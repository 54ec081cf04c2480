// Package tablecopy copies a table from one SQL database into another, of the same kind or not. It takes columns as the
// target has them and knows how the two kinds of databases write true and false. It knows no table by name, and it is the
// one place where queries are put together: from the names of tables and columns that migrations made, never from values.
package tablecopy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// ErrNotEmpty says that the table that is to be copied into has rows.
var ErrNotEmpty = errors.New("the database that is to be copied into holds something already")

// Copy copies the rows of a table from one transaction into another, in whatever order, and returns their number, which is
// the same on both sides. The target must have the table, with no row. Its name goes into queries as it is.
func Copy(ctx context.Context, from, into *sql.Tx, table string) (int, error) {
	if n, err := count(ctx, into, table); err != nil {
		return 0, err
	} else if n > 0 {
		return 0, fmt.Errorf("%w: %d rows in the table %s", ErrNotEmpty, n, table)
	}
	columns, booleans, err := columnsOf(ctx, into, table)
	if err != nil {
		return 0, err
	}
	rows, err := from.QueryContext(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+table) //nolint:gosec // names of tables and columns
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	insert, err := into.PrepareContext(ctx, "INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(marks, ", ")+")")
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	read := 0
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for ; rows.Next(); read++ {
		if err := rows.Scan(targets...); err != nil {
			return 0, err
		}
		for i, isBoolean := range booleans {
			if n, ok := values[i].(int64); ok && isBoolean { // SQLite's
				values[i] = n != 0
			}
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return 0, err
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	there, err := count(ctx, into, table)
	if err == nil && there != read {
		err = fmt.Errorf("%d rows were read and %d are there", read, there)
	}
	return read, err
}

func count(ctx context.Context, tx *sql.Tx, table string) (n int, err error) {
	err = tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n)
	return n, err
}

// columnsOf lists the columns of a table and which of them hold true or false.
func columnsOf(ctx context.Context, tx *sql.Tx, table string) (names []string, booleans []bool, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, err
	}
	for _, t := range types {
		names = append(names, t.Name())
		booleans = append(booleans, strings.HasPrefix(strings.ToUpper(t.DatabaseTypeName()), "BOOL"))
	}
	return names, booleans, rows.Err()
}
