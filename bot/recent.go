package bot

import "sync"

// recent remembers the last IDs that were added. It is safe for concurrent use.
type recent struct {
	mu   sync.Mutex
	ids  map[string]struct{}
	ring []string // IDs in the order they were added; the oldest is overwritten
	next int
}

func newRecent(size int) *recent {
	return &recent{ids: make(map[string]struct{}, size), ring: make([]string, size)}
}

// add remembers IDs and reports whether one of them was remembered already. It ignores empty IDs.
func (r *recent) add(ids ...string) (seen bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if id == "" {
			continue
		}
		if _, ok := r.ids[id]; ok {
			seen = true
			continue
		}
		delete(r.ids, r.ring[r.next])
		r.ids[id] = struct{}{}
		r.ring[r.next] = id
		r.next = (r.next + 1) % len(r.ring)
	}
	return seen
}
