package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// locked holds what a writer of audits needs, until the test ends.
func locked(t *testing.T, driver, name string, statements ...string) {
	t.Helper()
	raw, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = raw.Close() })
	conn, err := raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for _, s := range statements {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// Who writes where another holds the database waits to the end of its own time and no longer.
func TestWaitsForOtherWritersEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url  func(t *testing.T) string
		lock func(t *testing.T, url string)
		most time.Duration
	}{
		"PostgreSQL": {
			func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
			func(t *testing.T, url string) {
				t.Helper()
				locked(t, "pgx", url, "BEGIN", "LOCK TABLE audits IN ACCESS EXCLUSIVE MODE")
			},
			5 * time.Second,
		},
		"SQLite": {
			func(t *testing.T) string { t.Helper(); return sqliteURL(filepath.Join(t.TempDir(), "x.db")) },
			func(t *testing.T, url string) {
				t.Helper()
				locked(t, "sqlite", "file:"+url[len("sqlite://"):], "BEGIN IMMEDIATE")
			},
			5 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := c.url(t)
			s, err := store.Open(t.Context(), url, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.lock(t, url)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			if err := s.AddAudits(ctx, []audit.Entry{{ID: "1", At: time.Now(), Tenant: digest.DefaultTenant, Action: "ask", Result: audit.ResultDone}}); err == nil {
				t.Error("it was written, past the lock")
			}
			if took := time.Since(began); took > c.most {
				t.Errorf("it took %v", took)
			}
		})
	}
}
