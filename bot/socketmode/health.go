package socketmode

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

// Reason is why a connection to Slack ended or was replaced.
type Reason string

// The reasons. The first four come from Slack before it ends a connection.
const (
	Warned          Reason = "warning"             // Slack will refresh the connection in a few seconds
	Refreshed       Reason = "refresh_requested"   // Slack refreshes the connection
	LinkDisabled    Reason = "link_disabled"       // Socket Mode was switched off
	TooManySockets  Reason = "too_many_websockets" // the app has more connections than Slack allows
	OtherDisconnect Reason = "other_disconnect"    // another reason given by Slack
	Closed          Reason = "closed"              // Slack sent a close frame without a reason
	Broken          Reason = "broken"              // the network cut it
	Silent          Reason = "silent"              // no byte arrived any more, not even a ping
	Aged            Reason = "aged"                // replaced before Slack would have ended it
	Rotated         Reason = "rotated"             // replaced because the app-level token changed
	Stopped         Reason = "stopped"             // the bot stops
)

// Reasons returns all reasons.
func Reasons() []Reason {
	return []Reason{Warned, Refreshed, LinkDisabled, TooManySockets, OtherDisconnect, Closed, Broken, Silent, Aged, Rotated, Stopped}
}

// disconnectReason converts the reason that Slack gave. Unknown reasons are kept out of metrics.
func disconnectReason(word string) Reason {
	switch r := Reason(word); r {
	case Warned, Refreshed, LinkDisabled, TooManySockets:
		return r
	}
	return OtherDisconnect
}

// SocketState is the state of one of the bot's connections to Slack.
type SocketState struct {
	Number    int              // from 1 on
	Connected time.Time        // when Slack said hello on the current connection; zero without one
	LastByte  time.Time        // when Slack last sent anything on it, pings included
	Opened    int64            // connections on which Slack has said hello so far
	Failed    int64            // failed attempts to connect
	Ended     map[Reason]int64 // why earlier connections ended or were replaced
}

// Health is the state of the connections to Slack, without secrets. It is safe for concurrent use. The zero value is not ready;
// use [NewHealth].
type Health struct {
	mu      sync.Mutex
	since   time.Time // when the last connection was lost, or when this was made
	trouble error     // why the last attempt failed
	sockets []connHealth
}

type connHealth struct {
	SocketState
	now *conn // nil while there is none
}

// NewHealth returns the health of a bot that is not connected yet.
func NewHealth() *Health { return &Health{since: time.Now()} }

// Ready returns nil while at least one connection is open. Otherwise the error says since when and why there is none.
func (h *Health) Ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sockets {
		if s.now != nil {
			return nil
		}
	}
	since := h.since.UTC().Format("15:04:05")
	if h.trouble != nil {
		return fmt.Errorf("no connection to Slack since %s UTC: %w", since, h.trouble)
	}
	return fmt.Errorf("no connection to Slack since %s UTC: %w", since, errConnecting)
}

var errConnecting = errors.New("connecting")

// Sockets returns the state of each connection that the bot keeps.
func (h *Health) Sockets() []SocketState {
	h.mu.Lock()
	defer h.mu.Unlock()
	states := make([]SocketState, len(h.sockets))
	for i, s := range h.sockets {
		states[i] = s.SocketState
		states[i].Ended = maps.Clone(s.Ended)
		if s.now != nil {
			states[i].LastByte = s.now.wire.lastByte()
		}
	}
	return states
}

// keep sets the number of connections.
func (h *Health) keep(sockets int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets = make([]connHealth, sockets)
	for i := range h.sockets {
		h.sockets[i].SocketState = SocketState{Number: i + 1, Ended: map[Reason]int64{}}
	}
}

// failed records a failed attempt to connect.
func (h *Health) failed(socket int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets[socket].Failed++
	h.trouble = err
}

// connected records Slack's hello. The previous connection is no longer the current one, even if it is still open.
func (h *Health) connected(l *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.sockets[l.socket]
	s.now, s.Connected = l, time.Now()
	s.Opened++
	h.trouble = nil
}

// closed records why an open connection ended.
func (h *Health) closed(l *conn, why Reason) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &h.sockets[l.socket]
	s.Ended[why]++
	if s.now == l {
		s.now, s.Connected = nil, time.Time{}
		h.since = time.Now()
	}
}
