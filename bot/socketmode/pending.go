package socketmode

import "sync"

// maxPending is how many envelopes are remembered. Slack waits three seconds for an acknowledgement; so many do not come
// in that time.
const maxPending = 10_000

// pendingAcks remembers on which connection each envelope came, and whether it was acknowledged.
type pendingAcks struct {
	mu   sync.Mutex
	by   map[string]*pendingAck
	ring []string // the envelopes in the order in which they came; the oldest is overwritten
	next int
}

// pendingAck is the way back of one envelope.
type pendingAck struct {
	link  *conn // nil when that way is gone
	acked bool
	typed bool // a command, to which an acknowledgement can say something
}

func newPendingAcks() *pendingAcks { return &pendingAcks{by: map[string]*pendingAck{}} }

// add notes an envelope. One that comes again is to be acknowledged again, where it came last.
func (r *pendingAcks) add(envelope string, l *conn, typed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil {
		*known = pendingAck{link: l, typed: typed}
		return
	}
	r.by[envelope] = &pendingAck{link: l, typed: typed}
	if len(r.ring) < maxPending {
		r.ring = append(r.ring, envelope)
		return
	}
	delete(r.by, r.ring[r.next])
	r.ring[r.next] = envelope
	r.next = (r.next + 1) % maxPending
}

// claim returns the connection on which to acknowledge an envelope, nil where that is gone, and whether it was not
// acknowledged before. From now on it counts as acknowledged.
func (r *pendingAcks) claim(envelope string) (l *conn, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.by[envelope]
	if known == nil {
		return nil, true
	}
	l, first = known.link, !known.acked
	known.link, known.acked = nil, true
	return l, first
}

// unclaim takes back that an envelope was acknowledged: it did not get out.
func (r *pendingAcks) unclaim(envelope string, l *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil && known.acked {
		known.link, known.acked = l, false
	}
}

// forget forgets an envelope that is never to be acknowledged.
func (r *pendingAcks) forget(envelope string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil {
		*known = pendingAck{acked: true}
	}
}

// commands returns those of the waiting envelopes of a connection that somebody typed.
func (r *pendingAcks) commands(l *conn) []string {
	return r.of(l, func(known *pendingAck) bool { return known.typed })
}

// waiting returns the envelopes of a connection that were not acknowledged.
func (r *pendingAcks) waiting(l *conn) []string {
	return r.of(l, func(*pendingAck) bool { return true })
}

func (r *pendingAcks) of(l *conn, which func(*pendingAck) bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var envelopes []string
	for id, known := range r.by {
		if known.link == l && !known.acked && which(known) {
			envelopes = append(envelopes, id)
		}
	}
	return envelopes
}
