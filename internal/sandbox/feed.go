package sandbox

import (
	"encoding/json"
	"slices"
	"sync"
)

// Bounds of the live feed.
const (
	feedBehind = 512 // events that a page may be behind before it is dropped
	feedKept   = 512 // events that a page which comes back can catch up on
)

// feedEvent is one server-sent event.
type feedEvent struct {
	id   int64
	name string
	data json.RawMessage
}

// feed tells open pages of every change. It never blocks: a page that does not
// read is dropped and reads the whole state again.
type feed struct {
	mu     sync.Mutex
	last   int64
	kept   []feedEvent
	pages  map[chan feedEvent]bool
	closed bool
}

func newFeed() *feed { return &feed{pages: map[chan feedEvent]bool{}} }

func (f *feed) send(name string, data any) {
	body := encode(data)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	e := feedEvent{f.last, name, body}
	f.kept = append(f.kept, e)
	if extra := len(f.kept) - feedKept; extra > 0 {
		f.kept = slices.Delete(f.kept, 0, extra)
	}
	for page := range f.pages {
		select {
		case page <- e:
		default:
			delete(f.pages, page)
			close(page)
		}
	}
}

// subscribe returns a channel of events after the given id. Complete is false when
// events in between are lost, so that the page has to read the state. The channel
// is closed when the page is too slow or the workspace closes.
func (f *feed) subscribe(after int64) (page chan feedEvent, complete bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	page = make(chan feedEvent, feedKept+feedBehind)
	if f.closed {
		close(page)
		return page, true
	}
	f.pages[page] = true
	if after < 0 || after == f.last {
		return page, after >= 0
	}
	if after > f.last || len(f.kept) == 0 || f.kept[0].id > after+1 {
		return page, false
	}
	for _, e := range f.kept {
		if e.id > after {
			page <- e
		}
	}
	return page, true
}

func (f *feed) unsubscribe(page chan feedEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pages[page] {
		delete(f.pages, page)
		close(page)
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for page := range f.pages {
		delete(f.pages, page)
		close(page)
	}
}
