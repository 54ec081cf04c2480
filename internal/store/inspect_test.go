package store_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/sqlitefile"
	"github.com/missingkbs/missingkbs/internal/view"
)

func peek(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.OpenReadOnly(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func condition(t *testing.T, s *store.Store) store.Condition {
	t.Helper()
	c, err := s.Condition(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// tables are the names of all tables in a database.
func tables(t *testing.T, s *store.Store) string {
	t.Helper()
	query := "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
	if strings.HasPrefix(condition(t, s).Engine, "PostgreSQL") {
		query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
	}
	rows, err := s.DB().QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return strings.Join(names, " ")
}

func TestConditionOfAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		if path, ok := strings.CutPrefix(on.url, "sqlite://"); ok {
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
				on.Fatal(err)
			}
		}
		s := peek(on.T, on.url)
		if current, wanted, err := s.Version(on.Context()); current != 0 || wanted < 1 || err != nil {
			on.Errorf("version %d of %d, %v", current, wanted, err)
		}
		c := condition(on.T, s)
		if c.Version != 0 || c.Wanted < 1 || !c.QueueBehind || !c.Behind() || c.Newer() || c.Write != nil {
			on.Errorf("got %+v", c)
		}
		if got := tables(on.T, s); got != "" {
			on.Errorf("looking has made the tables %s", got)
		}
	})
}

func TestConditionOfAMigratedDatabase(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		used := open(on.T, on.url, store.Options{})
		s := peek(on.T, on.url)
		c := condition(on.T, s)
		if c.Version != c.Wanted || c.Behind() || c.Newer() || c.Write != nil || c.Bytes < 1000 || c.Address == "" {
			on.Errorf("got %+v", c)
		}
		if engine, version, _ := strings.Cut(c.Engine, " "); engine != "SQLite" && engine != "PostgreSQL" || !strings.Contains(version, ".") {
			on.Errorf("engine %q", c.Engine)
		}
		if strings.Contains(c.Address, "://") || strings.Contains(c.Address, "password") {
			on.Errorf("place %q", c.Address)
		}
		for audit, err := range used.Audits(on.Context(), store.AuditFilter{}) {
			on.Errorf("trying to write has left %v, %v", audit, err)
		}
	})
}

func TestConditionOfANewerDatabase(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"ours":        "INSERT INTO missingkbs_migrations (version_id, is_applied) VALUES (99, TRUE)",
		"the queue's": "INSERT INTO river_migration (version, line, created_at) VALUES (99, 'main', CURRENT_TIMESTAMP)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(on engine) {
				if _, err := open(on.T, on.url, store.Options{}).DB().ExecContext(on.Context(), statement); err != nil {
					on.Fatal(err)
				}
				if c := condition(on.T, peek(on.T, on.url)); !c.Newer() || c.Behind() {
					on.Errorf("got %+v", c)
				}
			})
		})
	}
}

func TestConditionOfAnOlderDatabase(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"ours":        "DELETE FROM missingkbs_migrations WHERE version_id > 0",
		"the queue's": "DELETE FROM river_migration WHERE version > 3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(on engine) {
				if _, err := open(on.T, on.url, store.Options{}).DB().ExecContext(on.Context(), statement); err != nil {
					on.Fatal(err)
				}
				if c := condition(on.T, peek(on.T, on.url)); !c.Behind() || c.Newer() || c.Write != nil {
					on.Errorf("got %+v", c)
				}
			})
		})
	}
}

func TestConditionWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		used := open(on.T, on.url, store.Options{})
		if path, ok := strings.CutPrefix(on.url, "sqlite://"); ok {
			if os.Getuid() == 0 {
				on.Skip("root may write anywhere")
			}
			if err := errors.Join(used.Close(), os.Chmod(path, 0o400)); err != nil {
				on.Fatal(err)
			}
		} else if _, err := used.DB().ExecContext(on.Context(),
			"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$"); err != nil {
			on.Fatal(err)
		}
		c := condition(on.T, peek(on.T, on.url))
		if c.Write == nil || !strings.Contains(strings.ReplaceAll(c.Write.Error(), "read-only", "readonly"), "readonly") {
			on.Errorf("got %+v", c)
		}
	})
}

func TestPeekMakesNothing(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "no", "such")
	if s, err := store.OpenReadOnly(t.Context(), sqliteURL(filepath.Join(folder, "x.db"))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, %v", s, err)
	}
	if _, err := os.Stat(filepath.Dir(folder)); err == nil {
		t.Error("a folder was made")
	}
	if _, err := store.OpenReadOnly(t.Context(), "mysql://x"); err == nil {
		t.Error("opened what is no URL")
	}
}

// SQLite's way of keeping its journal is written into the file: looking leaves it as it was.
func TestPeekKeepsTheJournal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	d, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.ExecContext(t.Context(), "CREATE TABLE mine (x)")
	if err := errors.Join(err, d.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := peek(t, sqliteURL(path))
	condition(t, other)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file has changed (%v)", err)
	}
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		used := open(on.T, on.url, store.Options{})
		q, err := used.Queue(func(context.Context, digest.Job, int) error { return nil }, store.QueueOptions{})
		if err != nil {
			on.Fatal(err)
		}
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			if err := q.Enqueue(on.Context(), digest.Job{Subscription: id, Due: monday}); err != nil {
				on.Fatal(err)
			}
		}
		zone := ""
		if strings.HasPrefix(on.url, "postgres") {
			zone = "+00"
		}
		for nth, change := range map[string]string{
			"0": "scheduled_at = '2026-01-01 00:00:00" + zone + "'",
			"2": "state = 'running', attempted_at = '2026-01-02 00:00:00" + zone + "'",
			"3": "state = 'retryable'",
			"4": "state = 'discarded', finalized_at = '2026-01-03 00:00:00" + zone + "'",
		} {
			if _, err := used.DB().ExecContext(on.Context(), "UPDATE river_job SET "+change+" WHERE id = "+nth+" + (SELECT min(id) FROM river_job)"); err != nil {
				on.Fatal(err)
			}
		}
		got, err := peek(on.T, on.url).Backlog(on.Context())
		if err != nil {
			on.Fatal(err)
		}
		day := func(d int) time.Time { return time.Date(2026, time.January, d, 0, 0, 0, 0, time.UTC) }
		want := store.Backlog{Waiting: 2, Oldest: day(1), Later: 1, Running: 1, Since: day(2), GivenUp: 1, Last: day(3)}
		if diff := cmp.Diff(want, got, cmp.Comparer(time.Time.Equal)); diff != "" {
			on.Errorf("backlog (-want +got):\n%s", diff)
		}
		if newest, err := used.NewestReading(on.Context(), digest.DefaultTenant); err != nil || !newest.IsZero() {
			on.Errorf("newest reading %v, %v", newest, err)
		}
	})
}

func TestNewestReading(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		s := open(on.T, on.url, store.Options{})
		sub := digest.Subscription{ID: "s1", Tenant: digest.DefaultTenant, Channel: "C1", Watch: []string{"a-_-b"}, Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Created: monday}
		if err := s.AddSubscription(on.Context(), sub, audit.Entry{At: monday}); err != nil {
			on.Fatal(err)
		}
		for _, at := range []time.Time{monday.Add(time.Hour), monday} {
			d := digest.Delivery{Key: at.String(), Subscription: sub.ID, Tenant: sub.Tenant, Kind: digest.First, Due: at, At: at}
			snap := patchgap.Snapshot{Tenant: sub.Tenant, At: at, Software: []string{"a-_-b"}}
			if err := s.Record(on.Context(), d, snap, sub, view.Page{}); err != nil {
				on.Fatal(err)
			}
		}
		if got, err := s.NewestReading(on.Context(), digest.DefaultTenant); err != nil || !got.Equal(monday.Add(time.Hour)) {
			on.Errorf("got %v, %v", got, err)
		}
	})
}

func TestInspectFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions are Unix's")
	}
	path := filepath.Join(t.TempDir(), "x.db")
	look := func(path string) sqlitefile.State {
		t.Helper()
		f, ok, err := store.InspectFile(sqliteURL(path))
		if !ok || err != nil || f.Network != "" || f.ReadOnly != nil {
			t.Fatalf("%+v, %v, %v", f, ok, err)
		}
		return f
	}
	if f := look(path); !f.Missing || f.File != path || f.Exposed != nil {
		t.Errorf("no file yet: %+v", f)
	}
	if f := look(filepath.Join(filepath.Dir(path), "a", "b", "x.db")); !f.Missing {
		t.Errorf("no folder yet: %+v", f)
	}
	open(t, sqliteURL(path), store.Options{})
	if f := look(path); f.Missing || f.Exposed != nil {
		t.Errorf("as we make it: %+v", f)
	}
	for _, mode := range []os.FileMode{0o640, 0o604} {
		if err := os.Chmod(path+"-wal", mode); err != nil {
			t.Fatal(err)
		}
		if f := look(path); !cmp.Equal(f.Exposed, []string{path + "-wal"}) {
			t.Errorf("%o: %+v", mode, f)
		}
	}
	if f, ok, err := store.InspectFile("postgres://u@h/d"); ok || err != nil {
		t.Errorf("PostgreSQL: %+v, %v, %v", f, ok, err)
	}
	if _, _, err := store.InspectFile("mysql://x"); err == nil {
		t.Error("looked around for what is no URL")
	}
	if f, ok, err := store.InspectFile("sqlite:///proc/1/x.db"); !ok || err != nil || f.ReadOnly == nil && os.Getuid() > 0 {
		t.Errorf("/proc/1: %+v, %v, %v", f, ok, err)
	}
}
