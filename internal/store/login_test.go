package store_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// A password that is changed while the program runs serves the connections that are made from then on; those that are
// there stay. No error has one in it.
func TestPasswordIsRotated(t *testing.T) {
	t.Parallel()
	const first, second = "hunter2", "hunter3"
	login := pgtest.NewLogin(t, pgtest.Database(t), first)
	var now atomic.Value
	now.Store(login.URL(first))
	s, err := store.Open(t.Context(), login.URL(first), store.Options{Login: func() string { return now.Load().(string) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	login.SetPassword(second)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("a connection that is there does not outlive its password: %v", err)
	}
	login.Disconnect()
	err = again(t, s)
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v, want a refusal without a password in it", err)
	}
	now.Store("postgres://what@is@this/") // a file that is half written
	if err := again(t, s); err == nil {
		t.Error("a URL that cannot be read let it in")
	}
	now.Store(login.URL(second))
	if err := again(t, s); err != nil {
		t.Errorf("with the new password: %v", err)
	}
}

// again asks until no connection is left that has been cut.
func again(t *testing.T, s *store.Store) error {
	t.Helper()
	var err error
	for range 20 {
		if err = s.Ping(t.Context()); err == nil {
			return nil
		}
	}
	return err
}

// A user who is let in needs the password: else the test above would prove nothing.
func TestPasswordIsNeeded(t *testing.T) {
	t.Parallel()
	login := pgtest.NewLogin(t, pgtest.Database(t), "hunter2")
	s, err := store.Open(t.Context(), login.URL("hunter4"), store.Options{})
	if err == nil {
		s.Close()
		t.Fatal("another password let it in")
	}
	if !strings.Contains(err.Error(), "password authentication failed") || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v", err)
	}
}

func TestSameDatabase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"postgres://u:p@host/db", "postgres://v:q@host/db", true},
		{"postgres://u:p@host/db", "postgres://host/db?user=v&password=q", true},
		{"postgres://u:p@host/db?sslmode=require", "postgres://u:q@host/db", false},
		{"postgres://u:p@host/db", "postgres://u:p@host/other", false},
		{"postgres://u:p@host/db", "postgres://u:p@elsewhere/db", false},
		{"postgres://u:p@host/db", "sqlite:///db", false},
		{"sqlite:///a.db", "sqlite:///a.db", true},
		{"sqlite:///a.db", "sqlite:///b.db", false},
		{"", "", false},
		{"sqlite:///a.db", "what", false},
	} {
		if got := store.SameDatabase(tt.a, tt.b); got != tt.want {
			t.Errorf("SameDatabase(%q, %q) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
