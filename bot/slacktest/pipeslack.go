package slacktest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"
)

// PipeSlack is Slack on an in-memory network: apps.connections.open, and sockets that behave as the test defines.
type PipeSlack struct {
	*pipes
	Began  time.Time
	Refuse func(token string) string // the error of apps.connections.open; "" to open
	Serve  func(n int, p *Peer)      // behaviour of the n-th socket, from 0; the socket ends when it returns

	Swallow atomic.Bool // calls are not answered

	mu     sync.Mutex
	opened []time.Duration // when sockets were requested
	tokens []string        // the token of each request
	served int
	links  sync.WaitGroup
}

// Rest waits for d, but no longer than the test runs.
func (s *PipeSlack) Rest(d time.Duration) {
	select {
	case <-time.After(d):
	case <-s.gone:
	}
}

// Peer is Slack's end of a socket.
type Peer struct {
	*websocket.Conn
	writing sync.Mutex
	Mute    atomic.Bool // pings are not answered
	Acks    chan socketmode.Response
}

// Say sends a message.
func (p *Peer) Say(message string) {
	p.writing.Lock()
	defer p.writing.Unlock()
	_ = p.WriteMessage(websocket.TextMessage, []byte(message))
}

// HelloHour is the hello of a connection with a lifetime of an hour.
const HelloHour = `{"type":"hello","num_connections":1,"debug_info":{"approximate_connection_time":3600}}`

// Dismissal returns the message that Slack will end a connection.
func Dismissal(reason string) string { return fmt.Sprintf(`{"type":"disconnect","reason":%q}`, reason) }

// Typing returns the envelope of a slash command.
func Typing(envelope string) string {
	return fmt.Sprintf(`{"envelope_id":%q,"type":"slash_commands","payload":{"text":"x","user_id":"U1","team_id":"T1","channel_id":"C0OWN","trigger_id":%q,
		"response_url":"https://hooks.slack.com/%s"}}`, envelope, "t"+envelope, envelope)
}

// Read reads what the app sends, until the socket ends.
func (p *Peer) Read() {
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
		case p.Acks <- r:
		default: // the test does not receive them
		}
	}
}

// Stay says hello, pings every five seconds and reads until the socket ends.
func (p *Peer) Stay() {
	p.Say(HelloHour)
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
	p.Read()
	close(done)
}

// NewPipeSlack starts a Slack that opens every socket and keeps it open.
func NewPipeSlack(t *testing.T) *PipeSlack {
	t.Helper()
	s := &PipeSlack{
		pipes: &pipes{conns: make(chan net.Conn), gone: make(chan struct{})}, Began: time.Now(),
		Refuse: func(string) string { return "" }, Serve: func(_ int, p *Peer) { p.Stay() },
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/api/apps.connections.open", s.open)
	mux.HandleFunc("/link", s.link)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(s) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// open answers apps.connections.open, as Refuse says.
func (s *PipeSlack) open(rw http.ResponseWriter, r *http.Request) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	s.opened = append(s.opened, time.Since(s.Began))
	s.tokens = append(s.tokens, token)
	refuse := s.Refuse
	s.mu.Unlock()
	if s.Swallow.Load() {
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

// link upgrades a request to a WebSocket and runs Serve on it.
func (s *PipeSlack) link(rw http.ResponseWriter, r *http.Request) {
	ws, err := (&websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}).Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	s.links.Add(1)
	defer s.links.Done()
	s.mu.Lock()
	n, serve := s.served, s.Serve
	s.served++
	s.mu.Unlock()
	p := &Peer{Conn: ws, Acks: make(chan socketmode.Response, 100)}
	pong := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		if p.Mute.Load() {
			return nil
		}
		return pong(data)
	})
	serve(n, p)
}

// Turn changes what Slack does from now on.
func (s *PipeSlack) Turn(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Opens returns when sockets were requested.
func (s *PipeSlack) Opens() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]time.Duration(nil), s.opened...)
}

// Tokens returns the tokens they were requested with.
func (s *PipeSlack) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.tokens...)
}

// APIURL is the address of its Web API.
const APIURL = "http://slack.test/api/"

// Client returns an HTTP client that reaches it.
func (s *PipeSlack) Client() *http.Client {
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DialContext: s.Dial, DisableKeepAlives: true}}
}

// Finish stops it and waits until all sockets have ended.
func (s *PipeSlack) Finish() {
	_ = s.Close()
	s.links.Wait()
	s.pumps.Wait()
}
