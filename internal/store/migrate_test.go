package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := connect(t, url, store.Options{})
		wantVersions(t, s, 0, 1)
		for range 3 { // what is up to date is left alone
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantVersions(t, s, 1, 1)
			if err := s.AddAudit(t.Context(), digest.Audit{At: monday}); err != nil {
				t.Fatal(err)
			}
		}
		if kept, err := s.Audits(t.Context(), time.Time{}, 10); len(kept) != 3 || err != nil {
			t.Errorf("kept %v, %v", kept, err)
		}
	})
}

func wantVersions(t *testing.T, s *store.Store, current, wanted int64) {
	t.Helper()
	c, w, err := s.Version(t.Context())
	if c != current || w != wanted || err != nil {
		t.Errorf("version %d of %d, %v; want %d of %d", c, w, err, current, wanted)
	}
}

// Replicas start at the same time on an empty database.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		var stores []*store.Store
		for range 6 {
			stores = append(stores, connect(t, url, store.Options{}))
		}
		var wg sync.WaitGroup
		for _, s := range stores {
			wg.Go(func() {
				if err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
				if err := s.AddAudit(t.Context(), digest.Audit{At: monday}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantVersions(t, stores[0], 1, 1)
	})
}

func TestMigrateNewer(t *testing.T) {
	t.Parallel()
	for name, statement := range map[string]string{
		"ours":        "INSERT INTO missingkbs_migrations (version_id, is_applied) VALUES (99, TRUE)",
		"the queue's": "INSERT INTO river_migration (version, line, created_at) VALUES (99, 'main', CURRENT_TIMESTAMP)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachEngine(t, func(on engine) {
				t, url := on.T, on.url
				s := open(t, url, store.Options{})
				if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
				if err := s.Migrate(t.Context()); !errors.Is(err, store.ErrNewer) {
					t.Errorf("got %v, want ErrNewer", err)
				}
			})
		})
	}
}

// A process that was killed while it migrated leaves no lock behind; one that is stuck is waited for, as long as the
// context allows.
func TestMigrateWaitsForTheLock(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s, other := connect(t, url, store.Options{}), connect(t, url, store.Options{})
		unlock, err := other.LockMigrations(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Migrate(t.Context()) }()
		select {
		case err := <-done:
			t.Errorf("migrated under another's lock: %v", err)
		case <-time.After(300 * time.Millisecond):
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
