package e2e

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/view"
)

// askApp asks as the app, in a process of its own, with further settings.
func askApp(t *testing.T, server *apitest.Server, settings map[string]string, words ...string) output {
	t.Helper()
	cert := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(cert, server.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{
		"SSL_CERT_FILE":   cert,
		"AZURE_TENANT_ID": apitest.TenantID, "AZURE_CLIENT_ID": apitest.ClientID, "AZURE_CLIENT_SECRET": apitest.ClientSecret,
		"AZURE_AUTHORITY_HOST": server.URL, "DEFENDER_API_URL": server.URL, "DEFENDER_SCOPE": server.Scope(), "LOG_LEVEL": "debug",
	}
	maps.Copy(all, settings)
	return invoke(t, all, append([]string{"ask"}, words...)...)
}

// read puts what a digest has read of Edge three hours ago into a database.
func (r *records) read(t *testing.T) {
	t.Helper()
	r.subscribe(t, due("a1", sandbox.General, edge))
	at := time.Now().Add(-3 * time.Hour)
	sub, err := r.Subscription(t.Context(), "a1")
	if err == nil {
		err = r.Record(t.Context(), digest.Delivery{Key: "digest/a1/1", Subscription: "a1", Tenant: digest.DefaultTenant, At: at, Due: at, Kind: digest.First},
			patchgap.Snapshot{Tenant: digest.DefaultTenant, At: at, Software: []string{edge}, Rows: []patchgap.Row{
				{Key: patchgap.Key{Software: edge, KB: "5000001"}, Name: "An update of before", Devices: 4321, CVEs: 3},
			}}, sub, view.Page{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// On a terminal, too, what a digest has read serves when Defender cannot be asked, unless that is switched off.
func TestAskShowsStoredReadings(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			r.read(t)
			server := startDefender(t)
			server.Inject(apitest.Throttled(15 * time.Minute))
			got := askApp(t, server, map[string]string{"DATABASE_URL": r.url}, edge)
			if got.code != exitDone || !strings.Contains(got.out, "Defender's quota is used up: this is the stored answer of") || !strings.Contains(got.out, "4,321 devices") {
				t.Errorf("got %+v", got)
			}
			got = askApp(t, server, map[string]string{"DATABASE_URL": r.url, "MISSINGKBS_STALE_FOR": "0"}, edge)
			if got.code != exitFailed || strings.Contains(got.out, "4,321") {
				t.Errorf("switched off: got %+v", got)
			}
		})
	}
}

// A question on a terminal is booked from the quota that the replicas share, and waits when that is used up.
func TestAskBooksFromTheSharedQuota(t *testing.T) {
	t.Parallel()
	r := databases()["PostgreSQL"](t)
	server := startDefender(t)
	settings := map[string]string{"DATABASE_URL": r.url, "MISSINGKBS_DEFENDER_PER_MINUTE": "3", "MISSINGKBS_DEFENDER_PER_HOUR": "0", "MISSINGKBS_ANSWER_TIMEOUT": "5s"}
	if got := askApp(t, server, settings, edge); got.code != exitDone || !strings.Contains(got.out, "KB4540673") {
		t.Fatalf("got %+v", got)
	}
	var calls int
	if err := r.sql.QueryRowContext(t.Context(), "SELECT minute_calls FROM quotas WHERE tenant = 'default'").Scan(&calls); err != nil || calls != server.Count("/api/") {
		t.Errorf("%d calls are booked, %v; %d were made", calls, err, server.Count("/api/"))
	}
	made := server.Count("/api/")
	r.exec(t, "UPDATE quotas SET paused_us = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 600000000")
	if got := askApp(t, server, settings, edge); got.code != exitFailed || server.Count("/api/") != made {
		t.Errorf("in a pause that another replica was told: %+v, %d calls", got, server.Count("/api/")-made)
	}
}

// A database that is not there, is empty, or was made by another version is left as it is, and the answer comes without.
func TestAskLeavesDatabasesAlone(t *testing.T) {
	t.Parallel()
	server := startDefender(t)
	wantAnswer := func(t *testing.T, url, says string) {
		t.Helper()
		got := askApp(t, server, map[string]string{"DATABASE_URL": url, "HOME": t.TempDir()}, edge)
		if got.code != exitDone || !strings.Contains(got.out, "KB4540673") || !strings.Contains(got.err, says) {
			t.Errorf("got %+v, want %q to be logged", got, says)
		}
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Join(t.TempDir(), "data")
		wantAnswer(t, "sqlite://"+filepath.ToSlash(filepath.Join(folder, "bot.db")), "")
		if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a folder was made: %v", err)
		}
	})
	t.Run("no setting and no file", func(t *testing.T) {
		t.Parallel()
		home := t.TempDir()
		if got := askApp(t, server, map[string]string{"HOME": home}, edge); got.code != exitDone {
			t.Errorf("got %+v", got)
		}
		if made, err := os.ReadDir(home); len(made) > 0 || err != nil {
			t.Errorf("it made %v, %v", made, err)
		}
	})
	t.Run("not to be reached", func(t *testing.T) {
		t.Parallel()
		wantAnswer(t, "postgres://bot@127.0.0.1:1/bot", "it cannot be opened")
	})
	for name, open := range databases() {
		t.Run("of another version, "+name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			r.exec(t, "INSERT INTO missingkbs_migrations (version_id, is_applied) VALUES (99, TRUE)")
			wantAnswer(t, r.url, "it has another version")
		})
	}
	t.Run("an empty file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "empty.db")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, "sqlite://"+filepath.ToSlash(path), "it has another version")
		if raw, err := os.ReadFile(path); len(raw) > 0 || err != nil {
			t.Errorf("%d bytes were written, %v", len(raw), err)
		}
	})
	t.Run("a setting with a mistake", func(t *testing.T) {
		t.Parallel()
		got := askApp(t, server, map[string]string{"DATABASE_URL": "mysql://bot:hunter2@db/bot"}, edge)
		if got.code != exitWrongUse || !strings.Contains(got.err, "DATABASE_URL") || strings.Contains(got.err, "hunter2") {
			t.Errorf("got %+v", got)
		}
	})
}
