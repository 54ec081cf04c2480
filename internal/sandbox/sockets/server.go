// Package sockets is the Socket Mode side of the sandbox: it accepts the app's WebSocket connections, distributes
// envelopes over them, waits for acknowledgements and drops those that Slack drops. It does not know what an envelope
// means.
package sockets

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/grants"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// The path of sockets, and Slack's limits.
const (
	Path           = "/link/"
	MaxConnections = 10
	MaxAckBytes    = 20 << 10 // Slack drops an acknowledgement of this size or more in silence
)

// Options join the sockets to their workspace. All are required.
type Options struct {
	Context context.Context                // ends all connections and deliveries
	Enter   func() (leave func(), ok bool) // makes the workspace wait for leave; false if it is closing
	Spawn   func(func())                   // runs a function that ends with Context
	URL     func() string                  // what the addresses of sockets begin with
	Changed func(connections int)          // called while locked: must not call the sockets
	AppID   string
	Trace   *trace.Recorder
	Faults  *faults.Set
	Issued  *grants.Issued

	Ack        time.Duration // an envelope must be acknowledged within
	TicketLife time.Duration // how long a socket URL works
	Ping       time.Duration // between two WebSocket pings
	Warning    time.Duration // from the warning to the disconnect
	Lifetime   time.Duration // of a connection
}

// Server keeps the Socket Mode connections of the app and the envelopes that wait
// for an acknowledgement. See https://docs.slack.dev/apis/events-api/using-socket-mode
type Server struct {
	o       Options
	upgrade websocket.Upgrader

	mu      sync.Mutex
	tickets map[string]time.Time // when each was made
	conns   []*Conn
	turn    int                 // counts envelopes, to use the connections in turn
	waiting map[string]*pending // by envelope id
}

// New returns sockets without connections.
func New(o Options) *Server {
	return &Server{
		o: o, tickets: map[string]time.Time{}, waiting: map[string]*pending{},
		upgrade: websocket.Upgrader{
			ReadBufferSize:  32 << 10, // its own buffer, so that frames pass our scanner
			WriteBufferSize: 128 << 10,
			CheckOrigin:     func(*http.Request) bool { return true }, // ui.Guard has checked it
		},
	}
}

// Ticket returns a new socket URL, good for one connection.
func (s *Server) Ticket() string {
	ticket := s.o.Issued.Add(protocol.RandomHex(24))
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, made := range s.tickets {
		if time.Since(made) > s.o.TicketLife {
			delete(s.tickets, old)
		}
	}
	s.tickets[ticket] = time.Now()
	return s.o.URL() + Path + "?ticket=" + ticket + "&app_id=" + s.o.AppID
}

func (s *Server) redeem(ticket string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, ok := s.tickets[ticket]
	delete(s.tickets, ticket)
	return ok && time.Since(made) <= s.o.TicketLife
}

// Serve accepts a connection and keeps it until it ends.
func (s *Server) Serve(rw http.ResponseWriter, r *http.Request) {
	leave, ok := s.o.Enter() // the server forgets connections that were taken over
	if !ok {
		return
	}
	defer leave()
	if !s.redeem(r.URL.Query().Get("ticket")) {
		http.Error(rw, "invalid or used ticket", http.StatusForbidden)
		return
	}
	frames := &scanner{}
	ws, err := s.upgrade.Upgrade(scanned{rw, frames}, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	life := s.o.Lifetime
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = min(life, 6*time.Minute)
	}
	c := &Conn{s: s, ws: ws, frames: frames, out: make(chan frame, outgoing), done: make(chan struct{})}
	if delay := s.o.Faults.Switches().HelloDelay; delay > 0 {
		select {
		case <-time.After(delay):
		case <-s.o.Context.Done():
		}
	}
	if !s.admit(c, life) {
		c.refuse("too_many_websockets")
		return
	}
	c.handle()
	var writer sync.WaitGroup
	writer.Go(func() { c.write(life) })
	c.read()
	s.remove(c)
	c.end()
	writer.Wait()
}

// admit adds the connection and queues its hello, or reports that there is no room.
func (s *Server) admit(c *Conn, life time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= MaxConnections || s.o.Context.Err() != nil {
		return false
	}
	s.conns = append(s.conns, c)
	c.send("hello", map[string]any{
		"type": "hello", "num_connections": len(s.conns), "connection_info": map[string]any{"app_id": s.o.AppID},
		"debug_info": map[string]any{
			"host": "sandbox-1", "started": time.Now().UTC().Format("2006-01-02 15:04:05.000"),
			"build_number": 1, "approximate_connection_time": int(life.Seconds()),
		},
	})
	if reason := s.o.Faults.Switches().Dismiss; reason != "" {
		c.queue("disconnect", frame{body: protocol.Encode(disconnectBody(reason)), last: true})
	}
	s.announceLocked()
	return true
}

// announceLocked tells the workspace how many connections are open.
func (s *Server) announceLocked() { s.o.Changed(len(s.conns)) }

func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.conns, c); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
		s.announceLocked()
	}
}

// Open returns the open connections, the oldest first.
func (s *Server) Open() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

// hand queues a message on the next connection in turn. A connection that was removed
// gets no further message.
func (s *Server) hand(name string, body []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 {
		return false
	}
	s.turn++
	return s.conns[s.turn%len(s.conns)].queue(name, frame{body: body})
}

// DropAll cuts all connections. When it returns none of them is open.
func (s *Server) DropAll() {
	for _, c := range s.Open() {
		s.remove(c)
		c.end()
	}
}

// pending is an envelope on its way.
type pending struct {
	sent   time.Time
	within time.Duration
	handle func(payload json.RawMessage) string // shows the payload; returns what went wrong

	once    sync.Once
	acked   chan struct{}
	after   time.Duration   // set before acked is closed, as the next two
	payload json.RawMessage // of the first acknowledgement
	fault   string
}

// expect adds a pending envelope and removes those that are too old.
func (s *Server) expect(id string, p *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, p := range s.waiting {
		if time.Since(p.sent) > p.within {
			delete(s.waiting, old)
		}
	}
	s.waiting[id] = p
}

// acknowledge takes what the app sent for an envelope.
func (s *Server) acknowledge(id string, payload json.RawMessage) {
	s.mu.Lock()
	p := s.waiting[id]
	s.mu.Unlock()
	if p == nil || time.Since(p.sent) > p.within {
		s.o.Trace.Fail("acknowledgement", "acknowledged too late, or an unknown envelope: Slack ignores it", map[string]any{"envelope_id": id})
		return
	}
	fault := ""
	if p.handle != nil {
		fault = p.handle(payload) // a second one for a redelivered envelope too
	}
	p.once.Do(func() {
		p.after, p.payload, p.fault = time.Since(p.sent), payload, fault
		close(p.acked)
	})
}
