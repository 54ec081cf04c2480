package e2e

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
	"sync/atomic"
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

// certify makes a certificate for the hosts, and for 0.0.0.0.
func certify(t *testing.T, hosts ...string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "proxied.test"}, DNSNames: hosts, IPAddresses: []net.IP{net.IPv4zero},
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

// reverse passes requests on to a server.
func reverse(t *testing.T, backend string, transport http.RoundTripper, keepHost bool) *httputil.ReverseProxy {
	t.Helper()
	to, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Transport: transport, ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			if keepHost {
				r.Out.Host = r.In.Host
			}
		},
	}
}

// front puts TLS by a certificate before a server, and returns its address.
func front(t *testing.T, certificate tls.Certificate, backend http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(backend)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// fenced is a world whose servers have names that only a proxy knows, and the address 0.0.0.0, which is this machine
// although Go does not take it for that.
type fenced struct {
	*world
	proxy    *proxy
	slackAt  string // host and port, by the address
	entraAt  string
	settings map[string]string
	open     func(sandbox.Options) // starts Slack
}

func newFenced(t *testing.T) *fenced {
	t.Helper()
	defender, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(defender.Close)
	n := &fenced{world: &world{defender: defender, log: &locked{}}, proxy: newProxy(t)}
	certificate, root := certify(t, proxiedSlack, proxiedSocket, proxiedEntra, proxiedDefender)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, root, 0o600); err != nil {
		t.Fatal(err)
	}
	var behind atomic.Pointer[httputil.ReverseProxy]
	inFrontOfSlack := front(t, certificate, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { behind.Load().ServeHTTP(rw, r) }))
	inFrontOfDefender := front(t, certificate, reverse(t, defender.URL, defender.Client().Transport, true))
	n.slackAt, n.entraAt = anyAddress(inFrontOfSlack), anyAddress(inFrontOfDefender)
	n.proxy.to = map[string]string{
		proxiedSlack: inFrontOfSlack, proxiedSocket: inFrontOfSlack, proxiedEntra: inFrontOfDefender, proxiedDefender: inFrontOfDefender,
	}
	n.settings = map[string]string{
		"HTTPS_PROXY": n.proxy.URL, "SSL_CERT_FILE": roots, "SLACK_API_URL": "https://" + proxiedSlack + "/api/",
		"AZURE_AUTHORITY_HOST": "https://" + proxiedEntra, "DEFENDER_API_URL": "https://" + proxiedDefender,
	}
	n.open = func(o sandbox.Options) {
		o.Command, o.Defender = "/missingkbs", defender.Tenant
		slack, err := sandbox.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = slack.Close() }) // before the fronts, which wait for its sockets
		behind.Store(reverse(t, slack.URL(), nil, false))
		n.slack = slack
	}
	return n
}

// anyAddress is the address of a server on this machine by the name 0.0.0.0.
func anyAddress(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return net.JoinHostPort("0.0.0.0", port)
}

// runs starts the program, and has it answer in both ways: in the acknowledgement and by the response URL.
func (n *fenced) runs(t *testing.T, more map[string]string) (seen map[string]int, other []string) {
	t.Helper()
	maps.Copy(n.settings, more)
	n.start(t, n.settings)
	t.Cleanup(func() { _ = n.process.Process.Kill() })
	if err := n.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatalf("no connection: %v\n%s", err, n.log)
	}
	m := n.ask(t, edge)
	n.click(t, sandbox.Alice, m, "Refresh") // is answered by the response URL
	n.answer(t, sandbox.General, func(m sandbox.Message) bool { return strings.HasPrefix(title(m), "Missing updates") })
	return n.proxy.counts()
}

// Everything outside is reached by HTTPS_PROXY: the Web API and response URLs, the sockets, Entra and Defender.
func TestEverythingPassesTheProxy(t *testing.T) {
	t.Parallel()
	n := newFenced(t)
	n.open(sandbox.Options{HookURL: "https://" + proxiedSlack, SocketURL: "wss://" + proxiedSocket})
	seen, other := n.runs(t, map[string]string{"NO_PROXY": "elsewhere.test"})
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
	_ = n.process.Process.Signal(os.Interrupt)
	ended := make(chan struct{})
	go func() {
		_ = n.process.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-stopping.Done():
		t.Error("the process does not stop behind a proxy")
	}
}

// Hosts in NO_PROXY are reached directly, each kind of connection: first those that the other test does not, then all.
func TestHostsOfNoProxyAreReachedDirectly(t *testing.T) {
	t.Parallel()
	t.Run("sockets and Defender", func(t *testing.T) {
		t.Parallel()
		n := newFenced(t)
		n.open(sandbox.Options{HookURL: "https://" + proxiedSlack, SocketURL: "wss://" + n.slackAt})
		seen, other := n.runs(t, map[string]string{"NO_PROXY": "elsewhere.test,0.0.0.0", "DEFENDER_API_URL": "https://" + n.entraAt})
		if seen[proxiedSlack] == 0 || seen[proxiedEntra] == 0 || len(seen) != 2 || len(other) > 0 {
			t.Errorf("the proxy was asked for %v and %v, want Slack's Web API and Entra alone", seen, other)
		}
	})
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		n := newFenced(t)
		n.open(sandbox.Options{HookURL: "https://" + n.slackAt, SocketURL: "wss://" + n.slackAt})
		seen, other := n.runs(t, map[string]string{
			"NO_PROXY": "0.0.0.0/8", "SLACK_API_URL": "https://" + n.slackAt + "/api/", "AZURE_AUTHORITY_HOST": "https://" + n.entraAt, "DEFENDER_API_URL": "https://" + n.entraAt,
		})
		if len(seen) > 0 || len(other) > 0 {
			t.Errorf("the proxy was asked for %v and %v, want nothing", seen, other)
		}
	})
}

// A proxy that Go cannot read is not used, without a word of Go's: ours names the variable, and nothing of its value.
func TestUnreadableProxyIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"HTTPS_PROXY": "http://me:hunter2%off@proxy.example:3128"})
	if log := w.log.String(); !strings.Contains(log, "HTTPS_PROXY cannot be read, so no proxy is used") || strings.Contains(log, "hunter2") {
		t.Errorf("the log says %s", log)
	}
}
