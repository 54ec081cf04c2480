package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// The hosts that only the proxy can reach. Go asks no proxy for addresses of this machine, so they need names.
const (
	proxiedSlack    = "slack.proxied.test"
	proxiedSocket   = "wss.proxied.test"
	proxiedEntra    = "login.proxied.test"
	proxiedDefender = "defender.proxied.test"
)

// proxy is an HTTP proxy that opens tunnels to hosts of its own, and counts them.
type proxy struct {
	*httptest.Server
	to map[string]string // the address behind each host

	mu    sync.Mutex
	seen  map[string]int
	other []string // what else was asked of it
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	p := &proxy{to: map[string]string{}, seen: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(p.tunnel))
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) tunnel(rw http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.Host)
	p.mu.Lock()
	to := p.to[host]
	if r.Method != http.MethodConnect || to == "" {
		p.other = append(p.other, r.Method+" "+r.Host)
		p.mu.Unlock()
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	p.seen[host]++
	p.mu.Unlock()
	there, err := new(net.Dialer).DialContext(r.Context(), "tcp", to)
	if err != nil {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, here)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

// counts returns how often each host was asked for.
func (p *proxy) counts() (map[string]int, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.seen), slices.Clone(p.other)
}

// certify makes a certificate for the hosts.
func certify(t *testing.T, hosts ...string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "proxied.test"}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// front puts TLS by a certificate before a server, and returns its address.
func front(t *testing.T, certificate tls.Certificate, backend string, transport http.RoundTripper, keepHost bool) string {
	t.Helper()
	to, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Transport: transport, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			if keepHost {
				r.Out.Host = r.In.Host
			}
		},
	})
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// Everything outside is reached by HTTPS_PROXY: the Web API and response URLs, the sockets, Entra and Defender.
func TestEverythingPassesTheProxy(t *testing.T) {
	t.Parallel()
	defender, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(defender.Close)
	slack, err := sandbox.Start(sandbox.Options{
		Command: "/missingkbs", Defender: defender.Tenant, HookURL: "https://" + proxiedSlack, SocketURL: "wss://" + proxiedSocket,
	})
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t)
	t.Cleanup(func() { _ = slack.Close() }) // before the fronts, which wait for its sockets
	certificate, root := certify(t, proxiedSlack, proxiedSocket, proxiedEntra, proxiedDefender)
	inFrontOfSlack := front(t, certificate, slack.URL(), nil, false)
	inFrontOfDefender := front(t, certificate, defender.URL, defender.Client().Transport, true)
	p.to[proxiedSlack], p.to[proxiedSocket] = inFrontOfSlack, inFrontOfSlack
	p.to[proxiedEntra], p.to[proxiedDefender] = inFrontOfDefender, inFrontOfDefender
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, root, 0o600); err != nil {
		t.Fatal(err)
	}

	w := &world{defender: defender, slack: slack, log: &locked{}}
	w.start(t, map[string]string{
		"HTTPS_PROXY": p.URL, "NO_PROXY": "elsewhere.test", "SSL_CERT_FILE": roots, "SLACK_API_URL": "https://" + proxiedSlack + "/api/",
		"AZURE_AUTHORITY_HOST": "https://" + proxiedEntra, "DEFENDER_API_URL": "https://" + proxiedDefender,
	})
	t.Cleanup(func() { _ = w.process.Process.Kill() })
	if err := slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatalf("no connection through the proxy: %v\n%s", err, w.log)
	}
	m := w.ask(t, edge)
	w.click(t, sandbox.Alice, m, "Refresh") // is answered by the response URL
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return strings.HasPrefix(title(m), "Missing updates") })
	seen, other := p.counts()
	for _, host := range []string{proxiedSlack, proxiedSocket, proxiedEntra, proxiedDefender} {
		if seen[host] == 0 {
			t.Errorf("%s was not reached through the proxy: %v", host, seen)
		}
	}
	if len(other) > 0 {
		t.Errorf("the proxy was also asked for %v", other)
	}
	stopping, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = w.process.Process.Signal(os.Interrupt)
	ended := make(chan struct{})
	go func() {
		_ = w.process.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-stopping.Done():
		t.Error("the process does not stop behind a proxy")
	}
}
