package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack/socketmode"
)

// pipes is a network in memory: it lives by the clock of a synctest bubble.
type pipes struct {
	conns chan net.Conn
	gone  chan struct{}
	once  sync.Once
	pumps sync.WaitGroup
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.gone:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.gone) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	a, b := net.Pipe()
	ours, theirs := p.buffer(a), p.buffer(b)
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.gone:
		_ = ours.Close()
		_ = theirs.Close()
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		_ = ours.Close()
		_ = theirs.Close()
		return nil, ctx.Err()
	}
}

// buffered is an end of a pipe that takes what is written before the other end reads it, as TCP does.
type buffered struct {
	net.Conn
	mu     sync.Mutex
	out    [][]byte
	closed bool
	more   chan struct{}
}

func (p *pipes) buffer(c net.Conn) *buffered {
	b := &buffered{Conn: c, more: make(chan struct{}, 1)}
	p.pumps.Go(b.pump)
	return b
}

func (b *buffered) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, net.ErrClosed
	}
	b.out = append(b.out, append([]byte(nil), p...))
	b.wake()
	return len(p), nil
}

func (b *buffered) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.wake()
	_ = b.Conn.SetWriteDeadline(time.Now().Add(time.Second)) // for what the other end has not read yet
	return b.Conn.SetReadDeadline(time.Now())
}

// wake needs the lock.
func (b *buffered) wake() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// pump writes what is buffered, and closes the end behind it.
func (b *buffered) pump() {
	defer b.Conn.Close()
	for range b.more {
		b.mu.Lock()
		out, closed := b.out, b.closed
		b.out = nil
		b.mu.Unlock()
		for _, p := range out {
			if _, err := b.Conn.Write(p); err != nil {
				_ = b.Close()
				return
			}
		}
		if closed {
			return
		}
	}
}

func (b *buffered) SetReadDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return net.ErrClosed
	}
	return b.Conn.SetReadDeadline(t)
}

func (b *buffered) SetDeadline(t time.Time) error { return b.SetReadDeadline(t) }

func (b *buffered) SetWriteDeadline(time.Time) error { return nil }

// pipeSlack is Slack on such a network: apps.connections.open, and sockets that do what a test says.
type pipeSlack struct {
	*pipes
	began  time.Time
	refuse func(token string) string // the error of apps.connections.open; "" to open
	serve  func(n int, p *peer)      // what the n-th socket does, from 0 on; it ends when this returns

	swallow atomic.Bool // calls are not answered

	mu     sync.Mutex
	opened []time.Duration // when sockets were asked for
	tokens []string        // by which
	served int
	links  sync.WaitGroup
}

// rest waits, but not longer than the test runs.
func (s *pipeSlack) rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.gone:
	}
}

// peer is Slack's end of a socket.
type peer struct {
	*websocket.Conn
	writing sync.Mutex
	mute    atomic.Bool // pings are not answered
	acks    chan socketmode.Response
}

func (p *peer) say(message string) {
	p.writing.Lock()
	defer p.writing.Unlock()
	_ = p.WriteMessage(websocket.TextMessage, []byte(message))
}

const helloHour = `{"type":"hello","num_connections":1,"debug_info":{"approximate_connection_time":3600}}`

func dismissal(reason string) string { return fmt.Sprintf(`{"type":"disconnect","reason":%q}`, reason) }

func typing(envelope string) string {
	return fmt.Sprintf(`{"envelope_id":%q,"type":"slash_commands","payload":{"text":"x","user_id":"U1","team_id":"T1","channel_id":"C0OWN","trigger_id":%q,
		"response_url":"https://hooks.slack.com/%s"}}`, envelope, "t"+envelope, envelope)
}

// read reads what the app sends, until the end.
func (p *peer) read() {
	for {
		_, raw, err := p.ReadMessage()
		if err != nil {
			return
		}
		var r socketmode.Response
		if json.Unmarshal(raw, &r) != nil {
			continue
		}
		select {
		case p.acks <- r:
		default: // nobody looks at them
		}
	}
}

// stay says hello, pings every five seconds and reads until the socket ends.
func (p *peer) stay() {
	p.say(helloHour)
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = p.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second))
			case <-done:
				return
			}
		}
	}()
	p.read()
	close(done)
}

func newPipeSlack(t *testing.T) *pipeSlack {
	t.Helper()
	s := &pipeSlack{
		pipes: &pipes{conns: make(chan net.Conn), gone: make(chan struct{})}, began: time.Now(),
		refuse: func(string) string { return "" }, serve: func(_ int, p *peer) { p.stay() },
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/apps.connections.open", s.open)
	mux.HandleFunc("/link", s.link)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(s) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

func (s *pipeSlack) open(rw http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	s.opened = append(s.opened, time.Since(s.began))
	s.tokens = append(s.tokens, token)
	refuse := s.refuse
	s.mu.Unlock()
	if s.swallow.Load() {
		<-r.Context().Done()
		return
	}
	if why := refuse(token); why == "429" {
		rw.Header().Set("Retry-After", "40")
		rw.WriteHeader(http.StatusTooManyRequests)
	} else if why != "" {
		fmt.Fprintf(rw, `{"ok":false,"error":%q}`, why)
	} else {
		fmt.Fprint(rw, `{"ok":true,"url":"ws://slack.test/link?ticket=secret"}`)
	}
}

func (s *pipeSlack) link(rw http.ResponseWriter, r *http.Request) {
	ws, err := (&websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}).Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	s.links.Add(1)
	defer s.links.Done()
	s.mu.Lock()
	n, serve := s.served, s.serve
	s.served++
	s.mu.Unlock()
	p := &peer{Conn: ws, acks: make(chan socketmode.Response, 100)}
	pong := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		if p.mute.Load() {
			return nil
		}
		return pong(data)
	})
	serve(n, p)
}

// turn changes what Slack does from now on.
func (s *pipeSlack) turn(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// opens is when sockets were asked for.
func (s *pipeSlack) opens() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Duration(nil), s.opened...)
}

// by is by which tokens.
func (s *pipeSlack) by() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.tokens...)
}

// piped runs sockets on such a Slack.
type piped struct {
	*sockets
	tokens *slackapi.Tokens
	ended  chan error
	stop   func() // and waits
}

func (s *pipeSlack) run(t *testing.T, o Options) *piped {
	t.Helper()
	return s.runWith(t, slackapi.NewTokens("xapp-1", "xoxb-1"), o)
}

func (s *pipeSlack) runWith(t *testing.T, tokens *slackapi.Tokens, o Options) *piped {
	t.Helper()
	p := s.piped(tokens, o.withDefaults())
	ctx, cancel := context.WithCancel(t.Context())
	go func() { p.ended <- p.run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-p.ended //nolint:errcheck // of no interest
		p.close()
		_ = s.Close()
		s.links.Wait()
		s.pumps.Wait()
	})
	t.Cleanup(p.stop)
	return p
}

// piped makes sockets on such a Slack, and does not run them.
func (s *pipeSlack) piped(tokens *slackapi.Tokens, o Options) *piped {
	p := &piped{tokens: tokens, ended: make(chan error, 1)}
	config := slackapi.Config{
		Tokens: p.tokens, APIURL: "http://slack.test/api/",
		HTTP: &http.Client{Timeout: slackapi.Timeout, Transport: &http.Transport{DialContext: s.dial, DisableKeepAlives: true}},
	}.WithDefaults()
	p.sockets = newSockets(config, o, slackTiming())
	p.dial = s.dial
	p.dialer.Proxy = nil
	return p
}
