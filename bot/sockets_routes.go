package bot

import "sync"

// maxRoutes is how many envelopes are remembered. Slack waits three seconds for an acknowledgement; so many do not come
// in that time.
const maxRoutes = 10_000

// routes remember on which connection each envelope came, and whether it was acknowledged.
type routes struct {
	mu   sync.Mutex
	by   map[string]*route
	ring []string // the envelopes in the order in which they came; the oldest is overwritten
	next int
}

// route is the way back of one envelope.
type route struct {
	link  *link // nil when that way is gone
	acked bool
	typed bool // a command, to which an acknowledgement can say something
}

func newRoutes() *routes { return &routes{by: map[string]*route{}} }

// add notes an envelope. One that comes again is to be acknowledged again, where it came last.
func (r *routes) add(envelope string, l *link, typed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil {
		*known = route{link: l, typed: typed}
		return
	}
	r.by[envelope] = &route{link: l, typed: typed}
	if len(r.ring) < maxRoutes {
		r.ring = append(r.ring, envelope)
		return
	}
	delete(r.by, r.ring[r.next])
	r.ring[r.next] = envelope
	r.next = (r.next + 1) % maxRoutes
}

// claim returns the connection on which to acknowledge an envelope, nil where that is gone, and whether it was not
// acknowledged before. From now on it counts as acknowledged.
func (r *routes) claim(envelope string) (l *link, first bool) {
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
func (r *routes) unclaim(envelope string, l *link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil && known.acked {
		known.link, known.acked = l, false
	}
}

// forget forgets an envelope that is never to be acknowledged.
func (r *routes) forget(envelope string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.by[envelope]; known != nil {
		*known = route{acked: true}
	}
}

// commands returns those of the waiting envelopes of a connection that somebody typed.
func (r *routes) commands(l *link) []string {
	return r.of(l, func(known *route) bool { return known.typed })
}

// waiting returns the envelopes of a connection that were not acknowledged.
func (r *routes) waiting(l *link) []string {
	return r.of(l, func(*route) bool { return true })
}

func (r *routes) of(l *link, which func(*route) bool) []string {
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
