package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// slackBehind is a way to the Slack of a world that can be closed: then it answers what proxies answer when the network
// behind them is away.
func (w *world) slackBehind(t *testing.T) (address string, open *atomic.Bool) {
	t.Helper()
	to, err := url.Parse(w.slack.URL())
	if err != nil {
		t.Fatal(err)
	}
	open = &atomic.Bool{}
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !open.Load() {
			http.Error(rw, "the network is away", http.StatusBadGateway)
			return
		}
		behind.ServeHTTP(rw, r)
	}))
	t.Cleanup(front.Close)
	return front.URL + "/api/", open
}

// A Slack that cannot be reached at start is waited for, and everybody who looks is told so.
func TestStartWaitsForSlack(t *testing.T) {
	t.Parallel()
	w := stage(t)
	address, open := w.slackBehind(t)
	w.start(t, map[string]string{"SLACK_API_URL": address})
	eventually(t, func() (string, bool) {
		return "nothing is said of Slack", strings.Contains(w.log.String(), "Slack cannot be reached yet; trying again")
	})
	if got := w.unready(t)[monitor.Slack]; got != "Slack cannot be reached yet; trying again" {
		t.Errorf("the reason is %q", got)
	}
	if status, _ := w.look(t, "/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d, and whoever looks there would end the program", status)
	}
	open.Store(true)
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
}

// Told to stop while it waits, the program ends at once and in order.
func TestStartIsCutShort(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]string{
		"Slack cannot be reached yet":      {"SLACK_API_URL": "http://127.0.0.1:1/"},
		"the database does not answer yet": {"DATABASE_URL": "postgres://u@127.0.0.1:1/x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := stage(t)
			w.start(t, settings)
			eventually(t, func() (string, bool) { return "it does not wait", strings.Contains(w.log.String(), name) })
			if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := w.process.Wait(); err != nil {
				t.Errorf("exit: %v", err)
			}
		})
	}
}

// The same goes for PostgreSQL: here its socket comes late.
func TestStartWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	there, err := url.Parse(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "late") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	const socket = ".s.PGSQL.5432"
	options := there.Query()
	listens := filepath.Join(options.Get("host"), socket)
	options.Set("host", folder)
	there.RawQuery = options.Encode()
	w := stage(t)
	w.start(t, map[string]string{"DATABASE_URL": there.String()})
	eventually(t, func() (string, bool) {
		return "nothing is said of the database", strings.Contains(w.log.String(), "the database does not answer yet; trying again")
	})
	if got := w.unready(t)[monitor.Database]; got != "the database does not answer yet; trying again" {
		t.Errorf("the reason is %q", got)
	}
	if err := os.Symlink(listens, filepath.Join(folder, socket)); err != nil {
		t.Fatal(err)
	}
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
}
