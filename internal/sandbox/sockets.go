package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

const (
	socketPath     = "/link/"
	maxConnections = 10
	maxAckBytes    = 20 << 10 // Slack drops an acknowledgement of this size or more in silence
)

// sockets keeps the Socket Mode connections of the app and the envelopes that wait
// for an acknowledgement. See https://docs.slack.dev/apis/events-api/using-socket-mode
type sockets struct {
	w       *Workspace
	upgrade websocket.Upgrader

	mu      sync.Mutex
	tickets map[string]time.Time // when each was made
	conns   []*conn
	turn    int                 // whose turn it is to get an envelope
	waiting map[string]*pending // by envelope id
}

func newSockets(w *Workspace) *sockets {
	return &sockets{
		w: w, tickets: map[string]time.Time{}, waiting: map[string]*pending{},
		upgrade: websocket.Upgrader{
			ReadBufferSize:  32 << 10, // its own buffer, so that frames pass our scanner
			WriteBufferSize: 128 << 10,
			CheckOrigin:     func(*http.Request) bool { return true }, // guard has looked
		},
	}
}

// ticket returns a new socket URL, good for one connection.
func (s *sockets) ticket() string {
	ticket := s.w.issued.Add(protocol.RandomHex(24))
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, made := range s.tickets {
		if time.Since(made) > s.w.timing.ticket {
			delete(s.tickets, old)
		}
	}
	s.tickets[ticket] = time.Now()
	return s.w.socketURL() + socketPath + "?ticket=" + ticket + "&app_id=" + AppID
}

func (s *sockets) redeem(ticket string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	made, ok := s.tickets[ticket]
	delete(s.tickets, ticket)
	return ok && time.Since(made) <= s.w.timing.ticket
}

// serve takes a connection and keeps it until it ends.
func (s *sockets) serve(rw http.ResponseWriter, r *http.Request) {
	leave, ok := s.w.enter() // the server forgets connections that were taken over
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
	life := s.w.timing.lifetime
	if r.URL.Query().Get("debug_reconnects") == "true" {
		life = min(life, 6*time.Minute)
	}
	c := &conn{s: s, ws: ws, frames: frames, out: make(chan frame, outgoing), done: make(chan struct{})}
	if delay := s.w.faults.Switches().HelloDelay; delay > 0 {
		select {
		case <-time.After(delay):
		case <-s.w.ctx.Done():
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
func (s *sockets) admit(c *conn, life time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) >= maxConnections || s.w.ctx.Err() != nil {
		return false
	}
	s.conns = append(s.conns, c)
	c.send("hello", object{
		"type": "hello", "num_connections": len(s.conns), "connection_info": object{"app_id": AppID},
		"debug_info": object{
			"host": "sandbox-1", "started": time.Now().UTC().Format("2006-01-02 15:04:05.000"),
			"build_number": 1, "approximate_connection_time": int(life.Seconds()),
		},
	})
	if reason := s.w.faults.Switches().Dismiss; reason != "" {
		c.queue("disconnect", frame{body: protocol.Encode(disconnect(reason)), last: true})
	}
	s.announce()
	return true
}

// announce needs the lock.
func (s *sockets) announce() {
	s.w.feed.Send("connections", object{"connections": len(s.conns)})
	s.w.rooms.nudge()
}

func (s *sockets) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.conns, c); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
		s.announce()
	}
}

func (s *sockets) open() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

// hand queues a message on the connection whose turn it is. A connection that is
// removed gets none afterwards.
func (s *sockets) hand(name string, body []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.conns) == 0 {
		return false
	}
	s.turn++
	return s.conns[s.turn%len(s.conns)].queue(name, frame{body: body})
}

func (s *sockets) dropAll() {
	for _, c := range s.open() {
		c.end()
	}
}

// Connections says how many sockets the app has open.
func (w *Workspace) Connections() int { return len(w.sockets.open()) }

// WaitConnected waits until the app has at least n sockets open.
func (w *Workspace) WaitConnected(ctx context.Context, n int) error {
	return w.Wait(ctx, func() bool { return w.Connections() >= n })
}

// Disconnect tells every socket to go, with one of Slack's reasons: warning (the
// connection ends ten seconds later), refresh_requested or link_disabled (it ends
// at once).
func (w *Workspace) Disconnect(reason string) {
	for _, c := range w.sockets.open() {
		if reason == "warning" {
			c.warn()
		} else {
			c.goodbye(reason)
		}
	}
}

// Drop cuts every socket without a word, as a broken network does.
func (w *Workspace) Drop() { w.sockets.dropAll() }

// pending is an envelope on its way.
type pending struct {
	sent   time.Time
	within time.Duration
	handle func(payload json.RawMessage) string // shows the payload; its answer is what went wrong

	once    sync.Once
	acked   chan struct{}
	after   time.Duration   // set before acked is closed, as the next two
	payload json.RawMessage // of the first acknowledgement
	fault   string
}

// expect makes a pending envelope and forgets those whose time is over.
func (s *sockets) expect(id string, p *pending) {
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
func (s *sockets) acknowledge(id string, payload json.RawMessage) {
	s.mu.Lock()
	p := s.waiting[id]
	s.mu.Unlock()
	if p == nil || time.Since(p.sent) > p.within {
		s.w.trace.Fail("acknowledgement", "acknowledged too late, or an unknown envelope: Slack ignores it", object{"envelope_id": id})
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
