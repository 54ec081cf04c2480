package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A container without a shell or curl checks itself with this command, so that its exit code has to be right.
func TestHealth(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "slack: no connection has said hello", http.StatusServiceUnavailable)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	running := srv.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(running)
	away := httptest.NewServer(http.RedirectHandler(srv.URL+"/healthz", http.StatusFound))
	t.Cleanup(away.Close)
	const stopped = "127.0.0.1:1" // no program gets this port by chance

	for name, c := range map[string]struct {
		addr, says string
		args       []string
		code       int
	}{
		"alive":                 {addr: running, says: "ok"},
		"on all addresses":      {addr: ":" + port, says: "ok"},
		"on all IPv4 addresses": {addr: "0.0.0.0:" + port, says: "ok"},
		"not ready":             {addr: running, args: []string{"--ready"}, says: "no connection has said hello", code: exitFailed},
		"not running":           {addr: stopped, says: "is `missingkbs serve` running here", code: exitFailed},
		"another server":        {addr: away.Listener.Addr().String(), says: "status 302", code: exitFailed},
		"switched off":          {addr: "", says: "HTTP_ADDR is empty", code: exitWrongUse},
		"no address":            {addr: "8080", says: "HTTP_ADDR takes a host and a port", code: exitWrongUse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			code := run(t.Context(), append([]string{"health"}, c.args...), env(map[string]string{
				"HTTP_ADDR": c.addr, "HTTP_PROXY": "http://127.0.0.1:1",
			}), streams{out: &out, err: &out})
			if code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit code %d, want %d, saying %q:\n%s", code, c.code, c.says, out.String())
			}
		})
	}
}
