package bot

import "sync"

// recent remembers the last ids it was shown.
type recent struct {
	mu   sync.Mutex
	ids  map[string]struct{}
	ring []string // the ids in the order in which they came; the oldest is overwritten
	next int
}

func newRecent(size int) *recent {
	return &recent{ids: make(map[string]struct{}, size), ring: make([]string, size)}
}

// add remembers ids and reports whether any of them had been seen before. Empty ids are passed over.
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
