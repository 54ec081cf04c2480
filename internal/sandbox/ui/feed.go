package ui

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

// Event is one server-sent event.
type Event struct {
	ID   int64
	Name string
	Data json.RawMessage
}

// Feed sends every change to the open pages. It never blocks: a page that does not
// read is dropped and reads the whole state again.
type Feed struct {
	mu     sync.Mutex
	last   int64
	kept   []Event
	pages  map[chan Event]bool
	closed bool
}

// NewFeed returns a feed without pages.
func NewFeed() *Feed { return &Feed{pages: map[chan Event]bool{}} }

// Send sends an event to all pages.
func (f *Feed) Send(name string, data any) {
	body, err := json.Marshal(data)
	if err != nil {
		body = json.RawMessage("null")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	e := Event{f.last, name, body}
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

// Subscribe returns a channel of events after the given id. Complete is false when
// events in between are lost, so that the page has to read the state. The channel
// is closed when the page is too slow or the workspace closes.
func (f *Feed) Subscribe(after int64) (page chan Event, complete bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	page = make(chan Event, feedKept+feedBehind)
	if f.closed {
		close(page)
		return page, true
	}
	f.pages[page] = true
	if after < 0 || after == f.last {
		return page, after >= 0
	}
	if after > f.last || len(f.kept) == 0 || f.kept[0].ID > after+1 {
		return page, false
	}
	for _, e := range f.kept {
		if e.ID > after {
			page <- e
		}
	}
	return page, true
}

// Unsubscribe ends a subscription.
func (f *Feed) Unsubscribe(page chan Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pages[page] {
		delete(f.pages, page)
		close(page)
	}
}

// Close ends all subscriptions.
func (f *Feed) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for page := range f.pages {
		delete(f.pages, page)
		close(page)
	}
}
