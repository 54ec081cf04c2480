package sandbox

import (
	"net/http"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/ui"
)

func get(t *testing.T, w *Workspace, path string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	return do(t, req)
}

func TestGuard(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	tests := []struct {
		path    string
		headers []string
		want    int
	}{
		{"/", nil, http.StatusOK},
		{"/ui/state", nil, http.StatusOK},
		{"/ui/state", []string{"Origin", w.URL()}, http.StatusOK},
		{"/ui/state", []string{"Sec-Fetch-Site", "same-origin"}, http.StatusOK},
		{"/ui/state", []string{"Host", "localhost:7070"}, http.StatusOK},
		{"/ui/state", []string{"Host", "[::1]:7070"}, http.StatusOK},
		{"/ui/state", []string{"Host", "evil.example"}, http.StatusForbidden},
		{"/ui/state", []string{"Host", "127.0.0.1.evil.example:7070"}, http.StatusForbidden},
		{"/ui/state", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{"/ui/state", []string{"Origin", "null"}, http.StatusForbidden},
		{"/ui/state", []string{"Origin", "http://127.0.0.1:1"}, http.StatusForbidden}, // another program's page
		{"/ui/state", []string{"Origin", ui.SlackOrigin}, http.StatusForbidden},
		{"/ui/state", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"/ui/state", []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{"/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, http.StatusOK},
		{"/api/auth.test", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{sockets.Path + "?ticket=x", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
	}
	for _, tc := range tests {
		resp, body := get(t, w, tc.path, tc.headers...)
		if resp.StatusCode != tc.want {
			t.Errorf("%s with %v: %d %s, want %d", tc.path, tc.headers, resp.StatusCode, body, tc.want)
		}
		if csp := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'") {
			t.Errorf("%s: policy %q", tc.path, csp)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"/ui/clock", strings.NewReader(`{"advance":"1h"}`))
	req.Header.Set("Content-Type", "text/plain")
	if resp, _ := do(t, req); resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("a form's content type: %d, want 415", resp.StatusCode)
	}
}

func TestOnlyLoopback(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":0", "0.0.0.0:0", "192.0.2.1:0", "[::]:0", "example.com:80", "nonsense"} {
		if w, err := Start(Options{Addr: addr}); err == nil {
			t.Errorf("%s: started", addr)
			_ = w.Close()
		}
	}
	for _, addr := range []string{"", "127.0.0.1:0", "localhost:0"} {
		w, err := Start(Options{Addr: addr})
		if err != nil {
			t.Errorf("%q: %v", addr, err)
			continue
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	}
}
