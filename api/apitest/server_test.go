package apitest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestServer(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "https" || u.Hostname() != "127.0.0.1" || u.Port() == "" {
		t.Errorf("URL %q, %v", s.URL, err)
	}
	if s.Scope() != "https://api.securitycenter.microsoft.com/.default" {
		t.Errorf("scope %q", s.Scope())
	}
	if resp, _, err := get(t, s, edgeKBs); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", resp, err)
	}
}

// TestCertPEM trusts the certificate by hand, as a process with SSL_CERT_FILE
// does, and checks that nobody else trusts it.
func TestCertPEM(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CertPEM()) {
		t.Fatal("no certificate in CertPEM")
	}
	for name, c := range map[string]struct {
		roots *x509.CertPool
		trust bool
	}{"its own": {pool, true}, "others": {x509.NewCertPool(), false}} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.roots}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/api/Software", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(r)
		if (err == nil) != c.trust {
			t.Errorf("with %s roots: %v", name, err)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		transport.CloseIdleConnections()
	}
}

func TestOnlyLoopback(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "nonsense", "127.0.0.1:99999"} {
		if s, err := Start(Options{Addr: addr, Empty: true}); err == nil {
			s.Close()
			t.Errorf("%s: no error", addr)
		}
	}
	s := start(t, Options{Addr: "localhost:0", Empty: true})
	if _, err := Start(Options{Addr: strings.TrimPrefix(s.URL, "https://"), Empty: true}); err == nil {
		t.Error("a taken address: no error")
	}
}

// askSlowly begins a request that would be answered in an hour, and waits until
// it has arrived.
func askSlowly(ctx context.Context, t *testing.T, s *Server) (done chan error) {
	t.Helper()
	s.Inject(Fault{Delay: time.Hour, Times: 1})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+edgeKBs, nil)
	if err != nil {
		t.Fatal(err)
	}
	done = make(chan error, 1)
	go func() {
		resp, err := s.Client().Do(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		done <- err
	}()
	for {
		s.faults.mu.Lock()
		waiting := len(s.faults.active)
		s.faults.mu.Unlock()
		if waiting == 0 {
			return done
		}
		runtime.Gosched()
	}
}

func TestCloseBreaksOff(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	var finished atomic.Bool
	s.OnCall(func(Call) {
		for range 100_000 { // give Close the time to return too early
			runtime.Gosched()
		}
		finished.Store(true)
	})
	done := askSlowly(t.Context(), t, s)
	s.Close()
	if !finished.Load() {
		t.Error("Close did not wait for the request")
	}
	s.Close()
	if err := <-done; err == nil {
		t.Error("a request that was being answered: no error")
	}
	if _, _, err := get(t, s, edgeKBs); err == nil {
		t.Error("a request after Close: no error")
	}
}

// TestClientLeaves checks over the network that a delay ends with its client.
func TestClientLeaves(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	told := make(chan Call, 1)
	s.OnCall(func(c Call) { told <- c })
	ctx, cancel := context.WithCancel(t.Context())
	done := askSlowly(ctx, t, s)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if c := <-told; c.Status != 0 {
		t.Errorf("%+v", c)
	}
}

// TestAllAtOnce does everything at the same time; the race detector looks on.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	var wg sync.WaitGroup
	for _, path := range []string{edgeKBs, "/api/Software", "/api/machines?$top=5", "/api/vulnerabilities?$top=5", "/api/vulnerabilities/machinesVulnerabilities?$top=5", "/api/nothing"} {
		for range 3 {
			wg.Go(func() {
				for range 10 {
					if _, _, err := get(t, s, path); err != nil {
						t.Errorf("%s: %v", path, err)
					}
				}
			})
		}
	}
	for _, change := range []func(){
		func() { s.Advance(24 * time.Hour) },
		func() { s.PutSoftware(Software{ID: "a-_-b"}, Generate(3)...) },
		func() { s.PutMachine(Machine{ID: "m", ComputerDNSName: "m"}, "5000001") },
		func() { s.Inject(Fault{Status: 503, Times: 1}) },
		func() { s.Inject(Slow(time.Millisecond))() },
		func() { s.Heal() },
		func() { s.SetRoles(DefaultRoles()...) },
		func() { s.SetSecret(ClientSecret) },
		func() { s.SetQuota(0) },
		func() { s.RevokeTokens() },
		func() { s.OnCall(func(Call) {}) },
		func() { s.Calls(); s.Count(""); s.TokenCalls(); s.Now() },
	} {
		wg.Go(func() {
			for range 10 {
				change()
			}
		})
	}
	wg.Wait()
}

// TestOneMoment checks that an answer is of one moment, though the clock runs.
func TestOneMoment(t *testing.T) {
	t.Parallel()
	ten := NewTenant(Options{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 10 {
			ten.Advance(24 * time.Hour)
		}
	})
	wg.Go(func() {
		for range 10 {
			for _, a := range rows[kbRead](t, ten, "/api/Software/microsoft-_-windows_10/getmissingkbs") {
				if a.MachineMissedOn == 0 {
					t.Errorf("%s is missing nowhere", a.ID)
				}
			}
		}
	})
	wg.Wait()
}
