package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := connect(t, url, store.Options{})
		_, newest, err := s.Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantVersions(t, s, 0, newest)
		for range 3 { // what is up to date is left alone
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantVersions(t, s, newest, newest)
			if err := s.AddAudit(t.Context(), audit.Entry{At: monday}); err != nil {
				t.Fatal(err)
			}
		}
		if kept := auditsOf(t, s); len(kept) != 3 {
			t.Errorf("kept %v", kept)
		}
	})
}

func auditsOf(t *testing.T, s *store.Store) (list []audit.Entry) {
	t.Helper()
	for a, err := range s.Audits(t.Context(), store.AuditFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, a)
	}
	return list
}

// Audits that a version before wrote, or writes while replicas are updated one by one, are read like others.
func TestMigrateKeepsAudits(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, connect(on.T, on.url, store.Options{})
		if err := s.MigrateTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		const statement = "INSERT INTO audits (id, at_ms, tenant, person, action, subject, detail) VALUES ('%s', %d, 'default', 'U01', 'digest.add', 'a1', 'all')"
		write := func(id string) {
			if _, err := s.DB().ExecContext(t.Context(), fmt.Sprintf(statement, id, monday.UnixMilli())); err != nil {
				t.Fatal(err)
			}
		}
		write("a")
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		write("b")
		want := audit.Entry{
			ID: "a", At: monday, Tenant: "default", User: "U01", Action: "digest.add", Subject: "a1", Detail: "all", Result: audit.ResultDone,
		}
		second := want
		second.ID = "b"
		if d := cmp.Diff([]audit.Entry{want, second}, auditsOf(t, s)); d != "" {
			t.Errorf("audits (-want +got):\n%s", d)
		}
		if err := s.MigrateTo(t.Context(), 1); err != nil { // and back
			t.Error(err)
		}
	})
}

// A refusal of Defender that a version before recorded holds until Defender admits the app.
func TestMigrateKeepsRefusal(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, connect(on.T, on.url, store.Options{})
		if err := s.MigrateTo(t.Context(), 6); err != nil {
			t.Fatal(err)
		}
		const statement = `INSERT INTO matters (name, state) VALUES ('refused', '"2026-11-23T09:00:00Z"'), ('probe', '1'), ('throttled', 'x')`
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at, err := s.RefusedAt(t.Context(), digest.DefaultTenant); err != nil || at.IsZero() {
			t.Errorf("the refusal was forgotten: %v, %v", at, err)
		}
		if err := s.SetAdmitted(t.Context(), digest.DefaultTenant, monday); err != nil {
			t.Fatal(err)
		}
		if at, err := s.RefusedAt(t.Context(), digest.DefaultTenant); err != nil || !at.IsZero() {
			t.Errorf("the refusal holds after an admission: %v, %v", at, err)
		}
		if err := s.MigrateTo(t.Context(), 6); err != nil {
			t.Error(err)
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
				if err := s.AddAudit(t.Context(), audit.Entry{At: monday}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		_, newest, err := stores[0].Version(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantVersions(t, stores[0], newest, newest)
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

// Of what a version before had read, the first and the last day of each state are known, and what is missing is as old as that.
func TestMigrateKeepsHistory(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		sub := digest.Subscription{ID: "a1", Tenant: digest.DefaultTenant, Channel: "C01", Watch: []string{"x"}}
		if err := s.AddSubscription(t.Context(), sub, audit.Entry{At: monday}); err != nil {
			t.Fatal(err)
		}
		row := patchgap.Row{Key: patchgap.Key{Software: "x", KB: "1"}, Devices: 7}
		for i := range 5 {
			at := monday.AddDate(0, 0, i)
			snap := patchgap.Snapshot{Tenant: digest.DefaultTenant, At: at, Software: []string{"x"}, Rows: []patchgap.Row{row}}
			if err := s.Record(t.Context(), digest.Delivery{Key: at.String(), Subscription: "a1", Kind: digest.Same, At: at}, snap, sub, view.Page{}); err != nil {
				t.Fatal(err)
			}
		}
		history := func() (days []time.Time) {
			all, err := s.History(t.Context(), digest.DefaultTenant, monday, func(string) bool { return true })
			if err != nil {
				t.Fatal(err)
			}
			for _, snap := range all {
				days = append(days, snap.At)
			}
			return days
		}
		if got := history(); len(got) != 5 {
			t.Errorf("days %v", got)
		}
		if err := s.MigrateTo(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		last := monday.AddDate(0, 0, 4)
		if d := cmp.Diff([]time.Time{monday, last}, history()); d != "" {
			t.Errorf("days (-want +got):\n%s", d)
		}
		seen, err := s.FirstSeen(t.Context(), digest.DefaultTenant, "x")
		if want := (patchgap.Seen{First: last}); err != nil || seen[row.Key] != want || !want.Lower() {
			t.Errorf("first seen %+v, %v; want %+v", seen, err, want)
		}
	})
}
