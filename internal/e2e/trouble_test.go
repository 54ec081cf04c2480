//go:build unix

package e2e

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// smallDisk is a disk of eight megabytes, and what fills it.
func smallDisk(t *testing.T) (folder string, fill func(left int64), empty func()) {
	t.Helper()
	folder = t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder).CombinedOutput(); err != nil {
		t.Skipf("this user may not mount: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	full := filepath.Join(folder, "full")
	return folder, func(left int64) {
			t.Helper()
			file, err := os.Create(full)
			if err != nil {
				t.Fatal(err)
			}
			err = unix.ENOSPC
			for errors.Is(err, unix.ENOSPC) { // the program took some of it after it was counted
				var s unix.Statfs_t
				if err = unix.Statfs(folder, &s); err == nil {
					err = unix.Fallocate(int(file.Fd()), 0, 0, int64(s.Bavail)*s.Bsize-left)
				}
			}
			if err := errors.Join(err, file.Close()); err != nil {
				t.Fatal(err)
			}
		}, func() {
			t.Helper()
			if err := os.Remove(full); err != nil {
				t.Fatal(err)
			}
		}
}

// wantReady waits until /readyz says so, or why not.
func (w *world) wantReady(t *testing.T, reason string) {
	t.Helper()
	eventually(t, func() (string, bool) {
		status, body := w.look(t, "/readyz")
		return fmt.Sprintf("/readyz: %d %s, want %q", status, body, reason), (status == 200) == (reason == "") && strings.Contains(body, reason)
	})
}

// While the database is in trouble, lookups are answered, what needs the database says what is wrong, readiness and figures
// show it, the audit says so afterwards, and all is well once it is over.
func TestDatabaseTroubleIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(t *testing.T) (databaseURL string, breakIt, mend func())
		page    string
		ready   string
		figures []string
	}{
		"PostgreSQL is away": {
			func(t *testing.T) (string, func(), func()) {
				t.Helper()
				w := pgtest.NewWire(t, pgtest.Database(t))
				return w.URL, w.Cut, w.Mend
			},
			"The bot's database cannot be reached", "the database does not answer",
			[]string{"missingkbs_database_up 0"},
		},
		"PostgreSQL hangs": {
			func(t *testing.T) (string, func(), func()) {
				t.Helper()
				w := pgtest.NewWire(t, pgtest.Database(t))
				return w.URL, w.Hang, w.Mend
			},
			"The bot's database cannot be reached", "the database does not answer", nil,
		},
		"too many connections": {
			func(t *testing.T) (string, func(), func()) {
				t.Helper()
				database := pgtest.Database(t)
				owner := pgtest.NewOwner(t, database, "hunter2")
				return owner.URL("hunter2"), func() { owner.SetLimit("0"); owner.Disconnect() }, func() { owner.SetLimit("-1") }
			},
			"The bot's database is too busy", "the database is too busy",
			[]string{"missingkbs_database_up 0"},
		},
		"a standby": {
			func(t *testing.T) (string, func(), func()) {
				t.Helper()
				database := pgtest.Database(t)
				owner := pgtest.NewOwner(t, database, "hunter2")
				return owner.URL("hunter2"), func() { owner.SetReadOnly("on"); owner.Disconnect() }, func() { owner.SetReadOnly("off"); owner.Disconnect() }
			},
			"The bot's database is read-only", "nothing can be written",
			[]string{"missingkbs_database_up 1", "missingkbs_database_writable 0", `missingkbs_database_failures_total{access="write",trouble="read_only"}`},
		},
		"SQLite's disk is full": {
			func(t *testing.T) (string, func(), func()) {
				t.Helper()
				folder, fill, empty := smallDisk(t)
				return "sqlite://" + filepath.Join(folder, "x.db"), func() { fill(0) }, empty
			},
			"The bot's database has no space left", "no room left",
			[]string{"missingkbs_database_up 1", "missingkbs_database_writable 0", `missingkbs_database_failures_total{access="write",trouble="full"}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, breakIt, mend := c.prepare(t)
			w := newWorld(t, map[string]string{"DATABASE_URL": database, "HTTP_ADDR": "127.0.0.1:0", "MISSINGKBS_ANSWER_TIMEOUT": "10s"})
			w.wantReady(t, "")
			breakIt()
			add := `digest add ` + edge + ` --at "mon 09:00" --min-devices `
			var page sandbox.Message
			for i := range 300 { // the last pages of a disk that is full take some
				if page = w.ask(t, add+strconv.Itoa(i)); title(page) == c.page {
					break
				}
			}
			if title(page) != c.page || !strings.Contains(page.Text, "still answers questions about software and updates") || !strings.Contains(page.Text, "tell the operator of this bot") && !strings.Contains(page.Text, "Tell the operator of this bot") {
				t.Errorf("told %q", page.Text)
			}
			if m := w.ask(t, edge); !strings.HasPrefix(m.Text, "Missing updates") {
				t.Errorf("a lookup is answered with %q", m.Text)
			}
			if m := w.ask(t, "search windows"); !strings.Contains(m.Text, "Windows") || strings.Contains(m.Text, "database") {
				t.Errorf("a search is answered with %q", m.Text)
			}
			if m := w.ask(t, "home"); !strings.Contains(m.Text, called(edge)+", Missing updates") {
				t.Errorf("home is answered with %q", m.Text)
			}
			w.wantReady(t, c.ready)
			if status, _ := w.look(t, "/healthz"); status != 200 {
				t.Errorf("/healthz: %d: a restart would help nobody", status)
			}
			if len(c.figures) > 0 {
				w.figures(t, append(c.figures, `missingkbs_question_failures_total{reason="database"}`)...)
			}
			mend()
			w.wantReady(t, "")
			if m := w.ask(t, add+"301"); !strings.HasSuffix(title(m), "is set up") {
				t.Errorf("afterwards: %q", m.Text)
			}
			w.wantAudited(t, database)
		})
	}
}

// wantAudited ends the program, and looks for what it could not write at first.
func (w *world) wantAudited(t *testing.T, database string) {
	t.Helper()
	w.sendTerm(t)
	s, err := store.OpenReadOnly(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var reasons []string
	for a, err := range s.Audits(t.Context(), store.AuditFilter{Actions: []string{"digest.add"}}) {
		if err != nil {
			t.Fatal(err)
		}
		reasons = append(reasons, a.Result+" "+a.Reason)
	}
	if !slices.Contains(reasons, "failed database") {
		t.Errorf("the audit has %q", reasons)
	}
}

// troubledApps runs apps that send alerts to a channel.
func troubledApps(t *testing.T, database *store.Store, processes int, log *locked) (*world, *clock) {
	t.Helper()
	w, c := stage(t), &clock{}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range processes {
		client, err := demo.NewClient(w.defender)
		if err != nil {
			t.Fatal(err)
		}
		a := app.New(app.Options{
			Slack:    slackapi.Config{Tokens: slackapi.NewTokens(w.slack.AppToken(), w.slack.BotToken()), APIURL: w.slack.APIURL()},
			Defender: client, Store: database, Now: c.now, AlertChannel: sandbox.Patching,
			SchedulerInterval: 50 * time.Millisecond, AlertInterval: 20 * time.Millisecond, ProbeInterval: 20 * time.Millisecond,
			Log: slog.New(slog.NewTextHandler(log, nil)),
		})
		running.Go(func() {
			if err := a.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			client.Close()
		})
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	if err := w.slack.WaitConnected(soon(t), processes); err != nil {
		t.Fatal(err)
	}
	return w, c
}

// The operators' channel is told of a trouble while it lasts, once, and once when it is over.
func TestOpsChannelHearsOfTheDatabase(t *testing.T) {
	t.Parallel()
	t.Run("away", func(t *testing.T) {
		t.Parallel()
		wire := pgtest.NewWire(t, pgtest.Database(t))
		s := openStoreFor(t, wire.URL)
		t.Cleanup(wire.Mend)
		log := &locked{}
		w, c := troubledApps(t, s, 1, log)
		wire.Cut()
		eventually(t, func() (string, bool) {
			c.advance(10 * time.Second)
			return "nothing is told", len(w.told(sandbox.Patching)) > 0
		})
		w.wantTold(t, "The bot's database cannot be reached")
		if !strings.Contains(log.String(), `msg="trouble with the database" trouble=away`) {
			t.Errorf("the log does not tell: %s", log)
		}
		wire.Mend()
		eventually(t, func() (string, bool) {
			c.advance(10 * time.Second)
			return "the end is not told", len(w.told(sandbox.Patching)) > 1
		})
		w.wantTold(t, "The bot's database cannot be reached", "The bot's database can be reached again")
		if !strings.Contains(log.String(), "the database takes changes again") {
			t.Errorf("the log does not tell the end: %s", log)
		}
	})
	t.Run("full", func(t *testing.T) {
		t.Parallel()
		folder, fill, empty := smallDisk(t)
		s := openStoreFor(t, "sqlite://"+filepath.Join(folder, "x.db"))
		w, c := troubledApps(t, s, 1, &locked{})
		fill(0)
		w.wantTold(t, "The bot's database has no space left")
		empty()
		eventually(t, func() (string, bool) {
			c.advance(10 * time.Second)
			return "the end is not told", len(w.told(sandbox.Patching)) > 1
		})
		w.wantTold(t, "The bot's database has no space left", "The bot's database has room again")
	})
}

func openStoreFor(t *testing.T, database string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), database, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// A damaged file is told with what helps, at the start, while the bot runs, and by doctor.
func TestDamagedFileGetsAdvice(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(raw []byte) []byte{
		"no database": func(raw []byte) []byte { return []byte(strings.Repeat("Dear Sir or Madam, ", len(raw)/19)) },
		"its pages": func(raw []byte) []byte {
			return append(raw[:4096:4096], strings.Repeat("damage!!", (len(raw)-4096)/8)...)
		},
		"cut off": func(raw []byte) []byte { return raw[:len(raw)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			database := "sqlite://" + path
			openStoreFor(t, database).Close()
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			d := newClinic(t, sandbox.Options{}).examine(t, map[string]string{"DATABASE_URL": database}, "--offline")
			d.wants(t, "database", "fail", "damaged", "put the last backup in the place of "+path)
			w := stage(t)
			w.start(t, map[string]string{"DATABASE_URL": database})
			if name == "cut off" { // its beginning can be read, so it may start
				return
			}
			err = w.process.Wait()
			var ended *exec.ExitError
			if !errors.As(err, &ended) || ended.ExitCode() != exitWrongUse {
				t.Errorf("it ends with %v, want exit code %d: to start it again is in vain", err, exitWrongUse)
			}
			for _, want := range []string{"damaged", "backup", path} {
				if !strings.Contains(w.log.String(), want) {
					t.Errorf("the log does not say %q: %s", want, w.log)
				}
			}
		})
	}
}

// A file that is damaged under a bot that runs: lookups go on, and readiness, the log and the operators' channel say what helps.
func TestDamageIsNoticedWhileItRuns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	w := newWorld(t, map[string]string{"DATABASE_URL": "sqlite://" + path, "HTTP_ADDR": "127.0.0.1:0", "MISSINGKBS_OPS_CHANNEL": sandbox.Patching})
	w.wantReady(t, "")
	damageFile(t, w, path)
	if m := w.ask(t, "digest list"); title(m) != "The bot's database is damaged" || !strings.Contains(m.Text, "backup") {
		t.Errorf("told %q", m.Text)
	}
	if m := w.ask(t, edge); !strings.HasPrefix(m.Text, "Missing updates") {
		t.Errorf("a lookup is answered with %q", m.Text)
	}
	w.wantReady(t, "the database is damaged")
	eventually(t, func() (string, bool) {
		return "the log gives no advice", strings.Contains(w.log.String(), `"trouble":"damaged"`) && strings.Contains(w.log.String(), "put the last backup in the place of "+path)
	})
	eventually(t, func() (string, bool) { return "the channel is not told", len(w.told(sandbox.Patching)) > 0 })
	w.wantTold(t, "The bot's database is damaged")
}

// A start on a disk that is full waits, says why, and goes on once there is room.
func TestStartOnFullDisk(t *testing.T) {
	t.Parallel()
	folder, fill, empty := smallDisk(t)
	database := "sqlite://" + filepath.Join(folder, "x.db")
	openStoreFor(t, database).Close()
	fill(0)
	w := stage(t)
	w.start(t, map[string]string{"DATABASE_URL": database, "HTTP_ADDR": "127.0.0.1:0"})
	w.wantReady(t, "the database has no room left: it can be read, and nothing can be written; trying again")
	eventually(t, func() (string, bool) {
		return "the log does not say what helps", strings.Contains(w.log.String(), "make room on the disk of "+folder)
	})
	empty()
	w.wantReady(t, "")
	if m := w.ask(t, "digest list"); title(m) != "No digests here" {
		t.Errorf("got %q", m.Text)
	}
}
