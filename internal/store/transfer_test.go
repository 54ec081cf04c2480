package store_test

import (
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// Every table is copied whole, also one that a later migration adds, from each kind of database to each.
func TestCopy(t *testing.T) {
	t.Parallel()
	for from, source := range engines() {
		for into, target := range engines() {
			t.Run(from+" to "+into, func(t *testing.T) {
				t.Parallel()
				s, to := open(t, source(t), store.Options{}), connect(t, target(t), store.Options{})
				tables := tablesOf(t, s)
				for _, table := range tables {
					fillTable(t, s.DB(), table)
				}
				copied, err := store.Copy(t.Context(), s, to)
				if err != nil {
					t.Fatal(err)
				}
				if len(copied) != len(tables)+1 {
					t.Errorf("copied %v, want each of %v and the jobs", copied, tables)
				}
				for i, table := range tables {
					if copied[i] != (store.Copied{Table: table, Rows: 2}) {
						t.Errorf("copied %v, want two rows of %s", copied[i], table)
					}
					if d := cmp.Diff(dump(t, s.DB(), table), dump(t, to.DB(), table)); d != "" {
						t.Errorf("%s (-from +to):\n%s", table, d)
					}
				}
				if _, err := store.Copy(t.Context(), s, to); !errors.Is(err, store.ErrNotEmpty) {
					t.Errorf("a second copy: %v, want %v", err, store.ErrNotEmpty)
				}
			})
		}
	}
}

// Digests and events that wait are done by the bot that runs with the copy; what is over is not done again.
func TestCopyTakesWaitingJobs(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		to := open(t, engines()["SQLite"](t), store.Options{})
		sub := subscribed(t, s)
		if err := recordEvent(t, s, sub, "a1/1", eventOf("e1")); err != nil {
			t.Fatal(err)
		}
		queue, err := s.Queue(nil, store.QueueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		job := digest.Job{Subscription: sub.ID, Due: monday}
		if err := queue.Enqueue(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Copy(t.Context(), s, to); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, to, "available 0 events")
		copied, err := to.Queue(nil, store.QueueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		waiting, err := copied.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]digest.Job{job}, waiting); d != "" {
			t.Errorf("jobs (-want +got):\n%s", d)
		}

		for _, kind := range store.JobKinds() { // whatever waits when a bot is stopped
			if _, err := s.DB().ExecContext(t.Context(), "UPDATE river_job SET kind = '"+kind+"'"); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Copy(t.Context(), s, connect(t, engines()["SQLite"](t), store.Options{})); err != nil {
				t.Errorf("a job of the kind %q waits: %v", kind, err)
			}
		}

		// A job of a kind that this program cannot insert anew would be lost.
		if _, err := s.DB().ExecContext(t.Context(), "UPDATE river_job SET kind = 'another'"); err != nil {
			t.Fatal(err)
		}
		empty := connect(t, engines()["SQLite"](t), store.Options{})
		if _, err := store.Copy(t.Context(), s, empty); err == nil || !strings.Contains(err.Error(), `"another"`) {
			t.Errorf("jobs of another kind: %v", err)
		}
	})
}

// A database that has to be migrated first, and one that is in use, stay as they are.
func TestCopyRefuses(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		used := open(t, engines()["SQLite"](t), store.Options{})
		if err := used.AddAudit(t.Context(), audit.Entry{At: monday}); err != nil {
			t.Fatal(err)
		}
		subscribed(t, s)
		if _, err := store.Copy(t.Context(), s, used); !errors.Is(err, store.ErrNotEmpty) {
			t.Errorf("into one that is used: %v", err)
		}
		if list, err := used.Subscriptions(t.Context(), digest.SubscriptionFilter{}); err != nil || len(list) > 0 {
			t.Errorf("a refused copy left %v, %v", list, err)
		}
		if err := s.MigrateTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Copy(t.Context(), s, connect(t, engines()["SQLite"](t), store.Options{})); !errors.Is(err, store.ErrOtherVersion) {
			t.Errorf("an old one: %v", err)
		}
	})
}

// tablesOf lists the tables but the queue's, sorted.
func tablesOf(t *testing.T, s *store.Store) []string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if !s.IsFile() {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	rows, err := s.DB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "river_") && !strings.HasPrefix(name, "sqlite_") && !strings.HasSuffix(name, "_migrations") {
			list = append(list, name)
		}
	}
	if len(list) < 10 {
		t.Fatalf("tables: %v", list)
	}
	slices.Sort(list)
	return list
}

// fillTable adds two rows that differ in every column, with text that has to be escaped and numbers that need 64 bits.
func fillTable(t *testing.T, d *sql.DB, table string) {
	t.Helper()
	types := typesOf(t, d, table)
	for n := range 2 {
		var names, marks []string
		var values []any
		for i, c := range types {
			names, marks = append(names, c.Name()), append(marks, fmt.Sprintf("$%d", i+1))
			values = append(values, sampleValue(c.DatabaseTypeName(), c.Name(), n))
		}
		_, err := d.ExecContext(t.Context(), "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
}

func sampleValue(kind, column string, n int) any {
	switch {
	case strings.HasPrefix(kind, "BOOL"):
		return n == 1
	case kind == "BYTEA" || kind == "BLOB":
		return []byte{0, 0xff, byte(n), '\''}
	case kind == "TEXT":
		return fmt.Sprintf("%s '%d' \\ é\n", column, n)
	}
	return int64(1<<53 + n + len(column))
}

func typesOf(t *testing.T, d *sql.DB, table string) []*sql.ColumnType {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), "SELECT * FROM "+table+" WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	return types
}

// dump writes the rows of a table alike for all databases, sorted.
func dump(t *testing.T, d *sql.DB, table string) []string {
	t.Helper()
	types := typesOf(t, d, table)
	names := make([]string, len(types))
	for i, c := range types {
		names[i] = c.Name()
	}
	slices.Sort(names)
	rows, err := d.QueryContext(t.Context(), "SELECT "+strings.Join(names, ", ")+" FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		values, targets := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for i, v := range values {
			switch b := v.(type) {
			case bool:
				v = map[bool]int64{true: 1}[b]
			case []byte:
				v = hex.EncodeToString(b)
			}
			fmt.Fprintf(&text, "%s=%v|", names[i], v)
		}
		list = append(list, text.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}
