package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/view"
)

func TestDoctorDatabase(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			records := open(t)
			c := newClinic(t, sandbox.Options{})
			where := map[string]string{"DATABASE_URL": records.url}
			d := c.examine(t, where, "--offline")
			d.wants(t, "database", "ok", name+" ", "")
			d.only(t)

			records.exec(t, "DELETE FROM missingkbs_migrations WHERE version_id > 1")
			d = c.examine(t, where, "--offline")
			d.wants(t, "database", "warn", "version 1, and this program wants version", "missingkbs migrate")
			d.wants(t, "queue", "skip", "not ready", "")
			d.only(t, "database")

			records.exec(t, "INSERT INTO missingkbs_migrations (version_id, is_applied) VALUES (99, TRUE)")
			d = c.examine(t, where, "--offline")
			d.wants(t, "database", "fail", "made by a newer missingkbs", "run that version again")
			d.only(t, "database")
		})
	}
}

func TestDoctorDatabaseMissing(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	d := c.examine(t, map[string]string{"DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "new.db")}, "--offline")
	d.wants(t, "database", "warn", "there is no database yet", "if the bot has run here before, correct DATABASE_URL")
	d.only(t, "database")
	d = c.examine(t, map[string]string{"DATABASE_URL": "postgres://u:hunter2@127.0.0.1:1/d?sslmode=disable"}, "--offline")
	d.wants(t, "database", "fail", "connect to PostgreSQL at 127.0.0.1:1", "check that the database runs")
	d.only(t, "database")
	d = c.examine(t, map[string]string{"DATABASE_URL": "mysql://u:hunter2@h/d"}, "--offline")
	d.wants(t, "configuration", "fail", "DATABASE_URL", "")
	d.wants(t, "database", "skip", "DATABASE_URL is wrong", "")
}

func TestDoctorDatabaseFiles(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	path := strings.TrimPrefix(c.records.url, "sqlite://")
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // that is the test
		t.Fatal(err)
	}
	d := c.examine(t, nil, "--offline")
	d.wants(t, "database-files", "warn", "users other than the owner can read or change "+path, "chmod 600 "+path)
	d.only(t, "database-files")
}

func TestDoctorQueueAndDigests(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	c.examine(t, nil, "--offline").wants(t, "digests", "ok", "no digests yet", "")
	c.subscribe(t, "well", sandbox.General, nil)
	c.subscribe(t, "late", sandbox.General, func(s *digest.Subscription) { s.NextRun = time.Now().Add(-3 * time.Hour) })
	c.subscribe(t, "gone", sandbox.Patching, func(s *digest.Subscription) {
		s.Paused, s.NextRun, s.PauseReason = true, time.Time{}, "The channel is gone."
	})
	c.subscribe(t, "asleep", sandbox.General, func(s *digest.Subscription) { s.Paused, s.NextRun = true, time.Time{} })
	sub, err := c.records.Subscription(t.Context(), "well")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-5 * time.Hour)
	err = c.records.Record(t.Context(), digest.Delivery{Key: "k", Subscription: "well", Tenant: sub.Tenant, Kind: digest.First, Due: at, At: at},
		patchgap.Snapshot{Tenant: sub.Tenant, At: at, Software: []string{"microsoft-_-edge"}}, sub, view.Page{})
	if err != nil {
		t.Fatal(err)
	}
	d := c.examine(t, nil, "--offline")
	d.wants(t, "digests", "ok", "4 digests; delivered last: 5 h ago; Defender read last: 5 h ago", "")
	d.wants(t, "digests", "warn", "digest late in C0GENERAL (delivered last: never) has been due for 3 h", "start missingkbs serve")
	d.wants(t, "digests", "warn", "digest gone in C0PATCHES (delivered last: never) was paused: The channel is gone.", "digest resume gone")
	if text := d.text("digests"); strings.Contains(text, "asleep") || strings.Contains(text, "digest well") {
		t.Errorf("told of what is as people want it:\n%s", text)
	}
	d.only(t, "digests")

	for i, state := range []string{"'available'", "'running', attempted_at = '2026-01-01 00:00:00'", "'discarded', finalized_at = '2026-01-01 00:00:00'"} {
		q, err := c.records.Queue(nil, noQueue)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Enqueue(t.Context(), digest.Job{Subscription: fmt.Sprint("s", i), Due: at}); err != nil {
			t.Fatal(err)
		}
		c.records.exec(t, "UPDATE river_job SET scheduled_at = '2026-01-01 00:00:00', state = "+state+" WHERE id = (SELECT max(id) FROM river_job)")
	}
	d = c.examine(t, nil, "--offline")
	d.wants(t, "queue", "warn", "1 digest wait", "start missingkbs serve")
	d.wants(t, "queue", "warn", "is being made for ", "takes it over")
	d.wants(t, "queue", "warn", "1 digest failed permanently", "digest run N")
	d.only(t, "queue", "digests")
}

// Which digest it is that goes on from old data, the alert does not say.
func TestDoctorOldData(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	for id, days := range map[string]int{"new": 30, "old": 40, "asleep": 50} {
		c.subscribe(t, id, sandbox.General, nil)
		sub, err := c.records.Subscription(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now().AddDate(0, 0, -days)
		err = c.records.Record(t.Context(), digest.Delivery{Key: id, Subscription: id, Tenant: sub.Tenant, Kind: digest.First, Due: at, At: at},
			patchgap.Snapshot{Tenant: sub.Tenant, At: at, Software: []string{"microsoft-_-edge"}}, sub, view.Page{})
		if err != nil {
			t.Fatal(err)
		}
	}
	c.subscribe(t, "none", sandbox.General, nil)
	c.records.exec(t, "UPDATE subscriptions SET paused = TRUE WHERE id = 'asleep'")
	d := c.examine(t, nil, "--offline")
	d.wants(t, "digests", "warn", "digest old in C0GENERAL continues from data that is 40 d old", "digest show old")
	if text := d.text("digests"); strings.Count(text, "continues from data") != 1 {
		t.Errorf("told of others too:\n%s", text)
	}
	d.only(t, "digests")
}

// A file of digests that serve would refuse, because chat has its ids, is refused here as well.
func TestDoctorTakenIDs(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	file := filepath.Join(t.TempDir(), "digests.yaml")
	if err := os.WriteFile(file, []byte(digestsYAML(sandbox.General)), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{"MISSINGKBS_DIGESTS": file}
	c.subscribe(t, "from-file", sandbox.General, func(s *digest.Subscription) { s.Origin = digest.FromFile })
	c.examine(t, settings, "--offline").only(t)
	c.records.exec(t, "DELETE FROM subscriptions")
	c.subscribe(t, "from-file", sandbox.General, nil)
	d := c.examine(t, settings, "--offline")
	d.wants(t, "digests", "fail", "made in Slack: from-file", "serve does not start")
	d.only(t, "digests")
}

func TestDoctorHTTPAddr(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	c.examine(t, map[string]string{"HTTP_ADDR": free}, "--offline").wants(t, "http-addr", "ok", free+" is free", "")
	for answer, want := range map[string][3]string{
		`{"ready":true,"parts":{"slack":{"ready":true}}}`:                                                {"ok", "and is ready", ""},
		`{"ready":false,"parts":{"slack":{"ready":false,"reason":"no connection"},"db":{"ready":true}}}`: {"warn", "is not ready: slack: no connection", "see its log"},
		`<html>`: {"fail", "used by another program", "another port"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) }))
		t.Cleanup(s.Close)
		c.examine(t, map[string]string{"HTTP_ADDR": strings.TrimPrefix(s.URL, "http://")}, "--offline").wants(t, "http-addr", want[0], want[1], want[2])
	}
	d := c.examine(t, map[string]string{"HTTP_ADDR": "192.0.2.1:80"}, "--offline")
	d.wants(t, "http-addr", "fail", "cannot be served", "an address of this machine")
}
