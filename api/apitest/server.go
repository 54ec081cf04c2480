package apitest

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a tenant behind TLS on loopback. Close it.
type Server struct {
	*Tenant
	// URL is https://127.0.0.1:port: the endpoint of the API and the login host
	// as well. A credential for it must not ask Microsoft which hosts exist
	// (DisableInstanceDiscovery).
	URL string

	identity identity
	client   *http.Client
	http     *http.Server
	running  sync.WaitGroup
	visitors atomic.Int64

	mu     sync.Mutex
	closed bool
}

// Start makes a tenant and serves it until Close. The address must be one of
// loopback.
func Start(o Options) (*Server, error) {
	o = o.withDefaults()
	addr, err := net.ResolveTCPAddr("tcp", o.Addr)
	if err != nil {
		return nil, fmt.Errorf("start the tenant: %w", err)
	}
	if !addr.IP.IsLoopback() {
		return nil, fmt.Errorf("start the tenant: %s is not a loopback address", o.Addr)
	}
	listener, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start the tenant: %w", err)
	}
	id, err := newIdentity(addr.IP)
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start the tenant: %w", err)
	}
	s := &Server{Tenant: NewTenant(o), URL: "https://" + listener.Addr().String(), identity: id}
	s.client = newClient(id)
	s.serve(listener)
	return s, nil
}

func (s *Server) serve(listener net.Listener) {
	s.http = &http.Server{
		Handler:           s.counted(s.Tenant),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{s.identity.leaf}, MinVersion: tls.VersionTLS12},
		ErrorLog:          log.New(io.Discard, "", 0), // a client that distrusts the certificate is none of our errors
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         s.visit,
	}
	s.running.Go(func() { _ = s.http.ServeTLS(listener, "", "") }) // it always ends with ErrServerClosed
}

// visit counts connections.
func (s *Server) visit(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.visitors.Add(1)
	case http.StateHijacked, http.StateClosed:
		s.visitors.Add(-1)
	}
}

// Visitors says how many connections are open to the server, idle ones too.
func (s *Server) Visitors() int { return int(s.visitors.Load()) }

// counted lets Close wait for the requests that are being answered.
func (s *Server) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			panic(http.ErrAbortHandler)
		}
		defer s.running.Done()
		h.ServeHTTP(w, r)
	})
}

// enter counts a request; false says that the server is closed.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.running.Add(1)
	}
	return !s.closed
}

func newClient(id identity) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: id.pool, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     time.Minute,
	}}
}

// Client trusts the server's certificate and no other. It serves as the
// transport of azcore and azidentity too. Close closes its connections.
func (s *Server) Client() *http.Client { return s.client }

// CertPEM is the certificate of the server's own authority, as SSL_CERT_FILE
// wants it.
func (s *Server) CertPEM() []byte { return slices.Clone(s.identity.caPEM) }

// Scope is what to ask tokens for.
func (s *Server) Scope() string { return Resource + "/.default" }

// Close stops serving, breaks off what is being answered and waits for it. It
// may be called more than once.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.http.Close() // of listener and connections; there is nothing to be done about an error
	s.client.CloseIdleConnections()
	s.running.Wait()
}
