package store_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
	"github.com/missingkbs/missingkbs/internal/store/storetest"
)

// What package digest asks of a store and a queue.
var (
	_ digest.Subscriptions = (*store.Store)(nil)
	_ digest.Timetable     = (*store.Store)(nil)
	_ digest.Records       = (*store.Store)(nil)
	_ digest.Queue         = (*store.Queue)(nil)
)

// engines makes the URL of a new database on each engine.
func engines() map[string]func(testing.TB) string {
	return map[string]func(testing.TB) string{
		"SQLite": func(tb testing.TB) string {
			tb.Helper()
			return "sqlite://" + filepath.ToSlash(filepath.Join(tb.TempDir(), "data", "missingkbs.db"))
		},
		"PostgreSQL": pgtest.Database,
	}
}

// engine is a test on a new database.
type engine struct {
	*testing.T
	url string
}

// eachEngine runs a test on each engine.
func eachEngine(t *testing.T, test func(engine)) {
	t.Helper()
	for name, url := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(engine{t, url(t)})
		})
	}
}

// open opens a database that is closed at the end of the test; it is migrated.
func open(tb testing.TB, url string, o store.Options) *store.Store {
	tb.Helper()
	storetest.File(tb, url)
	return fresh(tb, url, o)
}

// fresh is open for a database that the store itself is to make.
func fresh(tb testing.TB, url string, o store.Options) *store.Store {
	tb.Helper()
	s := connect(tb, url, o)
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return s
}

func connect(tb testing.TB, url string, o store.Options) *store.Store {
	tb.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(tb.Output(), nil))
	}
	s, err := store.Open(tb.Context(), url, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, url := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) *store.Store {
				t.Helper()
				return open(t, url(t), store.Options{})
			})
		})
	}
}
