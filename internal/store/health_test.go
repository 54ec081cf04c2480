//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// wantHealth probes, and looks what the store says of itself.
func wantHealth(t *testing.T, s *store.Store, want digest.Trouble) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	err := s.Probe(ctx)
	if got := s.Health().Trouble; got != want || digest.TroubleOf(err) != want {
		t.Errorf("got %q, error %v, want %q", got, err, want)
	}
}

// A probe meets what the next digest would meet, and sees when it is over.
func TestProbe(t *testing.T) {
	t.Parallel()
	for name, b := range breakages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, breakIt := b.open(t)
			if got := s.Health().Trouble; got != "" {
				t.Errorf("before the first probe: %q", got)
			}
			wantHealth(t, s, "")
			breakIt()
			if b.want == digest.TroubleFull { // a row that is written over takes no room: what else is written counts too
				_ = s.AddAudit(t.Context(), audit.Entry{At: time.Now(), Action: "ask", Detail: strings.Repeat("x", 3000)})
				if got := s.Health().Trouble; got != b.want {
					t.Errorf("got %q after a write that failed, want %q", got, b.want)
				}
				return
			}
			wantHealth(t, s, b.want)
		})
	}
	t.Run("back again", func(t *testing.T) {
		t.Parallel()
		w := pgtest.NewWire(t, pgtest.Database(t))
		s := open(t, w.URL, store.Options{})
		for _, breakIt := range []func(){w.Cut, w.Hang} {
			breakIt()
			wantHealth(t, s, digest.TroubleAway)
			w.Mend()
			for range 20 { // of connections that were cut
				_ = s.Ping(t.Context())
			}
			wantHealth(t, s, "")
		}
	})
}

// A file that is removed or replaced under the program works on, until what was written since is gone.
func TestProbeSeesAnotherFile(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return os.Rename(path, path+".old") },
		"restored": func(path string) error {
			raw, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".new", raw, 0o600), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			s := open(t, sqliteURL(path), store.Options{})
			wantHealth(t, s, "")
			if err := breakIt(path); err != nil {
				t.Fatal(err)
			}
			wantHealth(t, s, digest.TroubleReplaced)
		})
	}
}

// smallDisk is a disk of four megabytes.
func smallDisk(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder).CombinedOutput(); err != nil {
		t.Skipf("this user may not mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fillDisk leaves so much room on a small disk.
func fillDisk(t *testing.T, folder string, left int64) (empty func()) {
	t.Helper()
	name := filepath.Join(folder, "full")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Fallocate(int(file.Fd()), 0, 0, int64(s.Bavail)*s.Bsize-left), file.Close()); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// A disk that is full is seen though the database still answers and a small row still fits into what SQLite has there.
func TestProbeSeesAFullDisk(t *testing.T) {
	t.Parallel()
	folder := smallDisk(t)
	path := filepath.Join(folder, "x.db")
	s := open(t, sqliteURL(path), store.Options{})
	wantHealth(t, s, "")
	for i := range 100 {
		if err := s.AddAudit(t.Context(), audit.Entry{ID: fmt.Sprint("early", i), At: time.Now(), Action: "ask", Detail: strings.Repeat("x", 3000)}); err != nil {
			t.Fatal(err)
		}
	}
	run(t, s, "PRAGMA wal_checkpoint(RESTART)") // the log is written from its beginning again, and takes no room for a while
	empty := fillDisk(t, folder, 0)
	if err := s.ChangeAlertState(t.Context(), "small", func(string) (string, error) { return "1", nil }); err != nil {
		t.Errorf("a small row does not fit, so that it alone would be probe enough: %v", err)
	}
	wantHealth(t, s, digest.TroubleFull)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("it does not answer: %v", err)
	}
	var failed error
	for i := 0; failed == nil && i < 1000; i++ {
		failed = s.AddAudit(t.Context(), audit.Entry{ID: strconv.Itoa(i), At: time.Now(), Action: "ask", Detail: strings.Repeat("x", 3000)})
	}
	if digest.TroubleOf(failed) != digest.TroubleFull {
		t.Errorf("a write ends with %v", failed)
	}
	if _, err := s.Subscriptions(t.Context(), digest.SubscriptionFilter{}); err != nil {
		t.Errorf("it cannot be read: %v", err)
	}
	if f, _, err := store.InspectFile(sqliteURL(path)); err != nil || !f.Full {
		t.Errorf("looking around: %+v, %v", f, err)
	}
	if _, err := store.Open(t.Context(), sqliteURL(filepath.Join(folder, "new.db")), store.Options{}); digest.TroubleOf(err) != digest.TroubleFull || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a new database on it: %v", err)
	}
	empty()
	if err := s.Probe(t.Context()); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(folder, ".missingkbs*")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %q, %v", files, err)
	}
}

// What a method met counts for a while: between a write that fails and the next probe nothing looks well.
func TestTroubleIsHeld(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := open(t, sqliteURL(path), store.Options{})
	full := fmt.Errorf("%w", unix.ENOSPC)
	synctest.Test(t, func(t *testing.T) {
		s.Note(full)
		if got := s.Health().Trouble; got != digest.TroubleFull {
			t.Errorf("at once: %q", got)
		}
		time.Sleep(50 * time.Second)
		if got := s.Health().Trouble; got != digest.TroubleFull {
			t.Errorf("after most of a minute: %q", got)
		}
		time.Sleep(2 * time.Minute)
		if got := s.Health().Trouble; got != "" {
			t.Errorf("after three minutes: %q", got)
		}
	})
}

// A database that others can read is told of; what SQLite makes beside it is not for them, and the file stays as it is.
func TestOpenFilesAreTold(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o666, 0o644, 0o640, 0o660, 0o622} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, mode)); err != nil {
				t.Fatal(err)
			}
			var log strings.Builder
			s := fresh(t, sqliteURL(path), store.Options{Log: textLog(&log)})
			if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), path) {
				t.Errorf("the log does not tell: %s", &log)
			}
			if err := s.Probe(t.Context()); err != nil {
				t.Error(err)
			}
			for name, want := range map[string]os.FileMode{path: mode, path + "-wal": 0o600, path + "-shm": 0o600, path + ".lock": 0o600} {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: %v, %v, want %v", name, info, err, want)
				}
			}
		})
	}
	t.Run("ours", func(t *testing.T) {
		t.Parallel()
		var log strings.Builder
		fresh(t, sqliteURL(filepath.Join(t.TempDir(), "made", "x.db")), store.Options{Log: textLog(&log)})
		if strings.Contains(log.String(), "WARN") {
			t.Errorf("there is nothing to tell: %s", &log)
		}
	})
	t.Run("a folder of everybody's", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		if err := os.Chmod(folder, 0o777); err != nil { //nolint:gosec // that is the test
			t.Fatal(err)
		}
		var log strings.Builder
		fresh(t, sqliteURL(filepath.Join(folder, "x.db")), store.Options{Log: textLog(&log)})
		if !strings.Contains(log.String(), "other users can replace") {
			t.Errorf("the log does not tell: %s", &log)
		}
	})
}
