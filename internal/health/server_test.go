package health_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/health"
)

// serve serves on a port of its own until the test ends, and returns the address.
func serve(t *testing.T, o health.Options) string {
	t.Helper()
	l, err := health.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- health.Serve(ctx, l, o) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

type reply struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, method, address string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func well(context.Context) (string, error) { return "", nil }

func ill(reason string) health.Check {
	return func(context.Context) (string, error) { return reason, errors.New("the whole truth") }
}

type readiness struct {
	Ready bool
	Parts map[string]struct {
		Ready  bool
		Reason string
	}
}

func (r reply) readiness(t *testing.T) (got readiness) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
	return got
}

func TestReady(t *testing.T) {
	t.Parallel()
	var parts health.Parts
	var log bytes.Buffer
	at := serve(t, health.Options{Parts: &parts, Log: slog.New(slog.NewTextHandler(&log, nil))}) + "/readyz"

	if got := ask(t, http.MethodGet, at); got.status != http.StatusOK || !got.readiness(t).Ready {
		t.Errorf("without parts: got %+v", got)
	}
	parts.Starting("slack", "database")
	parts.Set("database", well)
	got := ask(t, http.MethodGet, at)
	if r := got.readiness(t); got.status != http.StatusServiceUnavailable || r.Ready || !r.Parts["database"].Ready || r.Parts["slack"].Reason != "it is being started" {
		t.Errorf("while starting: got %+v", got)
	}
	parts.Set("slack", ill("no connection"))
	for range 2 {
		got = ask(t, http.MethodGet, at)
		if r := got.readiness(t); got.status != http.StatusServiceUnavailable || r.Parts["slack"].Reason != "no connection" {
			t.Errorf("with an ill part: got %+v", got)
		}
		if strings.Contains(got.body, "truth") {
			t.Errorf("strangers read the error: %s", got.body)
		}
	}
	parts.Set("slack", well)
	if got = ask(t, http.MethodGet, at); got.status != http.StatusOK || !got.readiness(t).Ready {
		t.Errorf("when all is well: got %+v", got)
	}
	var said []string
	for line := range strings.Lines(log.String()) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), "level=")
		said = append(said, text)
	}
	want := []string{
		`WARN msg="a part is not ready" part=slack reason="it is being started" error=<nil>`,
		`WARN msg="a part is not ready" part=slack reason="no connection" error="the whole truth"`,
		`INFO msg="a part is ready again" part=slack`,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestAlive(t *testing.T) {
	t.Parallel()
	var dead atomic.Bool
	at := serve(t, health.Options{Alive: func(context.Context) (string, error) {
		if dead.Load() {
			return "nothing moves", nil
		}
		return "", nil
	}}) + "/healthz"
	if got := ask(t, http.MethodGet, at); got.status != http.StatusOK || got.body != "ok\n" {
		t.Errorf("alive: got %+v", got)
	}
	dead.Store(true)
	if got := ask(t, http.MethodGet, at); got.status != http.StatusServiceUnavailable || got.body != "nothing moves\n" {
		t.Errorf("dead: got %+v", got)
	}
}

// A check that hangs must neither hang the probe nor pile up.
func TestHangingChecksAreReportedAndShared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int32
		hung := make(chan struct{})
		var parts health.Parts
		parts.Set("database", func(context.Context) (string, error) {
			looks.Add(1)
			<-hung
			return "", nil
		})
		h := health.Handler(health.Options{Parts: &parts})
		began := time.Now()
		done := make(chan string)
		for range 20 {
			go func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
				done <- w.Body.String()
			}()
		}
		for range 20 {
			if body := <-done; !strings.Contains(body, "it does not answer") {
				t.Errorf("got %s", body)
			}
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the probe took %v", took)
		}
		if n := looks.Load(); n != 1 {
			t.Errorf("%d looks under way, want 1", n)
		}
		close(hung)
		synctest.Wait()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		if w.Code != http.StatusOK {
			t.Errorf("after it answered: got %d %s", w.Code, w.Body)
		}
	})
}

func TestLooksEndInTimeAndMayCrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var parts health.Parts
		parts.Set("slow", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "too slow", ctx.Err()
		})
		parts.Set("broken", func(context.Context) (string, error) { panic("secret") })
		w := httptest.NewRecorder()
		health.Handler(health.Options{Parts: &parts}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", http.NoBody))
		if body := w.Body.String(); !strings.Contains(body, "too slow") || !strings.Contains(body, "the check crashed") || strings.Contains(body, "secret") {
			t.Errorf("got %s", body)
		}
	})
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	t.Parallel()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "figures") })
	at := serve(t, health.Options{Metrics: metrics})
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace} {
			if got := ask(t, method, at+path); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: got %+v", method, path, got)
			}
		}
		if got := ask(t, http.MethodHead, at+path); got.status != http.StatusOK || got.body != "" {
			t.Errorf("HEAD %s: got %+v", path, got)
		}
		got := ask(t, http.MethodGet, at+path)
		if got.status != http.StatusOK || got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" ||
			!strings.HasPrefix(got.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET %s: got %+v", path, got)
		}
	}
	for _, path := range []string{"/", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/nothing"} {
		if got := ask(t, http.MethodGet, at+path); got.status != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, got.status)
		}
	}
}

func TestProfilesOnRequestAlone(t *testing.T) {
	t.Parallel()
	at := serve(t, health.Options{Profiles: true})
	for path, want := range map[string]int{
		"/debug/pprof/": http.StatusOK, "/debug/pprof/goroutine?debug=1": http.StatusOK,
		"/debug/pprof/cmdline": http.StatusNotFound, // flags may hold secrets
	} {
		if got := ask(t, http.MethodGet, at+path); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- health.Serve(ctx, l, health.Options{}) }()
		conn := l.dial()
		if _, err := conn.Write([]byte("GET /healthz HTTP/1.1\r\nX: ")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, _ = io.ReadAll(conn)
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("a client that says no more is kept for %v", took)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestListen(t *testing.T) {
	t.Parallel()
	l, err := health.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := health.Listen(t.Context(), l.Addr().String()); !errors.Is(err, health.ErrTaken) {
		t.Errorf("a port that is taken: got %v", err)
	}
	if _, err := health.Listen(t.Context(), "192.0.2.1:8080"); err == nil || strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("an address of another machine: got %v", err)
	}
}

// pipeListener is a listener within a bubble, where there is no network.
type pipeListener struct{ conns chan net.Conn }

func newPipeListener() *pipeListener { return &pipeListener{make(chan net.Conn)} }

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

func (l *pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l *pipeListener) Close() error   { close(l.conns); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// A part may be set while it is being checked, as when a program starts.
func TestPartsAreSetWhileTheyAreChecked(t *testing.T) {
	t.Parallel()
	var parts health.Parts
	var both sync.WaitGroup
	both.Go(func() {
		for range 100 {
			parts.Ready(t.Context())
		}
	})
	for i := range 100 {
		parts.Set("slack", func(context.Context) (string, error) { return strconv.Itoa(i), nil })
	}
	both.Wait()
	parts.Set("slack", func(context.Context) (string, error) { return "", nil })
	if ready := parts.Ready(t.Context()); !ready["slack"] {
		t.Errorf("ready: %v", ready)
	}
}
