package health_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/missingkbs/missingkbs/internal/health"
)

// Web pages get nothing: neither from another site, nor by a name of their own that leads here (DNS rebinding).
func TestWebPagesAreRefused(t *testing.T) {
	t.Parallel()
	h := health.Handler(health.Options{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "figures") }), Profiles: true, Host: "bot.internal",
	})
	const yes, no = http.StatusOK, http.StatusForbidden
	browser := []string{"User-Agent", "Mozilla/5.0 (X11) Firefox/140.0", "Accept-Language", "sv"}
	for _, c := range []struct {
		name, host       string
		headers          []string
		figures, profile int
	}{
		{"kubelet", "10.0.0.7:8080", []string{"User-Agent", "kube-probe/1.34"}, yes, yes},
		{"kubelet by IPv6", "[fd00::7]:8080", []string{"User-Agent", "kube-probe/1.34"}, yes, yes},
		{"Prometheus by service name", "missingkbs.monitoring.svc:8080", []string{"User-Agent", "Prometheus/3.5.0", "Accept", "text/plain"}, yes, no},
		{"load balancer without a host", "", nil, yes, no},
		{"curl on this machine", "localhost:8080", []string{"User-Agent", "curl/8.5.0"}, yes, yes},
		{"go tool pprof by the configured host", "Bot.internal:8080", []string{"User-Agent", "Go-http-client/1.1"}, yes, yes},
		{"a person's browser", "127.0.0.1:8080", append([]string{"Sec-Fetch-Site", "none"}, browser...), yes, yes},
		{"the same, on another page of ours", "localhost.:8080", append([]string{"Sec-Fetch-Site", "same-origin", "Referer", "http://localhost.:8080/debug/pprof/"}, browser...), yes, yes},
		{"the same, by the configured host", "bot.internal:8080", browser, yes, yes},
		{"another site", "127.0.0.1:8080", append([]string{"Sec-Fetch-Site", "cross-site"}, browser...), no, no},
		{"another program of this machine", "localhost:8080", append([]string{"Sec-Fetch-Site", "same-site"}, browser...), no, no},
		{"another site, old browser", "127.0.0.1:8080", append([]string{"Origin", "https://evil.example"}, browser...), no, no},
		{"no site at all", "127.0.0.1:8080", append([]string{"Origin", "null"}, browser...), no, no},
		{"rebinding", "evil.example:8080", append([]string{"Referer", "http://evil.example:8080/"}, browser...), no, no},
		{"rebinding by a name like ours", "localhost.evil.example:8080", browser, no, no},
		{"rebinding by a name like an address", "127.0.0.1.evil.example", browser, no, no},
		{"rebinding with another agent", "evil.example:8080", []string{"User-Agent", "curl", "Accept-Language", "sv"}, no, no},
	} {
		for path, want := range map[string]int{"/healthz": c.figures, "/readyz": c.figures, "/metrics": c.figures, "/debug/pprof/": c.profile, "/debug/pprof/goroutine": c.profile} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
			r.Host = c.host
			for i := 0; i < len(c.headers); i += 2 {
				r.Header.Set(c.headers[i], c.headers[i+1])
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s: %s: got %d, want %d", c.name, path, w.Code, want)
			}
		}
	}
}
