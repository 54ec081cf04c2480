package socketmode

import "sync"

// maxPending bounds the remembered envelopes. Slack waits three seconds for an acknowledgement, and sends fewer in that time.
const maxPending = 10_000

// pendingAcks remembers the connection of each envelope, and whether it was acknowledged. It is safe for concurrent use.
type pendingAcks struct {
	mu   sync.Mutex
	by   map[string]*pendingAck
	ring []string // envelopes in the order they arrived; the oldest is overwritten
	next int
}

// pendingAck is the state of one envelope.
type pendingAck struct {
	conn  *conn // nil after the acknowledgement
	acked bool
	typed bool // a slash command, whose acknowledgement can carry words
}

func newPendingAcks() *pendingAcks { return &pendingAcks{by: map[string]*pendingAck{}} }

// add records an envelope. A repeated one must be acknowledged again, on the connection that it arrived on last.
func (r *pendingAcks) add(envelope string, l *conn, typed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil {
		*known = pendingAck{conn: l, typed: typed}
		return
	}
	r.by[envelope] = &pendingAck{conn: l, typed: typed}
	if len(r.ring) < maxPending {
		r.ring = append(r.ring, envelope)
		return
	}
	delete(r.by, r.ring[r.next])
	r.ring[r.next] = envelope
	r.next = (r.next + 1) % maxPending
}

// claim marks an envelope as acknowledged. It returns the connection to use, or nil if that is gone, and whether the envelope
// was not acknowledged before.
func (r *pendingAcks) claim(envelope string) (l *conn, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.by[envelope]
	if known == nil {
		return nil, true
	}
	l, first = known.conn, !known.acked
	known.conn, known.acked = nil, true
	return l, first
}

// unclaim undoes a claim whose acknowledgement could not be sent.
func (r *pendingAcks) unclaim(envelope string, l *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil && known.acked {
		known.conn, known.acked = l, false
	}
}

// forget drops an envelope that must not be acknowledged.
func (r *pendingAcks) forget(envelope string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil {
		*known = pendingAck{acked: true}
	}
}

// commands returns the pending slash commands of a connection.
func (r *pendingAcks) commands(l *conn) []string {
	return r.of(l, func(known *pendingAck) bool { return known.typed })
}

// waiting returns the pending envelopes of a connection.
func (r *pendingAcks) waiting(l *conn) []string {
	return r.of(l, func(*pendingAck) bool { return true })
}

// of returns the unacknowledged envelopes of a connection that satisfy a condition.
func (r *pendingAcks) of(l *conn, which func(*pendingAck) bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var envelopes []string
	for id, known := range r.by {
		if known.conn == l && !known.acked && which(known) {
			envelopes = append(envelopes, id)
		}
	}
	return envelopes
}
