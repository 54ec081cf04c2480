package main

import (
	"maps"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
)

// parts are what was read of late, by software id, and the readings that go on from there. They are one process's own:
// where there are several, each reads what it needs.
type parts struct {
	mu       sync.Mutex
	by       map[string]part
	listed   software // the software list, as it was read last
	listedAt time.Time
	readings map[string]reading
	last     time.Time // when anything was read
}

// part is the patch gap of one software.
type part struct {
	rows    []digest.Row
	skipped int // rows that could not be read
	at      time.Time
	again   *part // a later reading, which was to confirm this one
}

// software is the software list.
type software struct {
	list    []listing
	skipped int // rows that could not be read
}

// listing is what the software list says of one software.
type listing struct {
	id   string
	weak bool
}

// reading is what one digest reads, in as many attempts as the rate limit makes it.
type reading struct {
	begun time.Time
	asked time.Time // at the last attempt
	due   time.Time // of the digest that it is for
	whole bool
}

const (
	// partAge is how old a part may be when a reading begins. It is for digests that are due together; whoever has one
	// made by hand wants to see what is new.
	partAge = 30 * time.Minute
	// restAge is how long a reading may rest. As long as it goes on none of its parts becomes too old, however many
	// there are and however few calls are allowed: otherwise there are limits under which it never ends. Defender's own
	// data is as old (its exports are made every six hours).
	restAge = 6 * time.Hour
	// stalledAfter is how long nothing was read when a reading no longer gets on. It is longer than the pause between
	// two calls under the lowest limit.
	stalledAfter = 2 * time.Hour
)

func newParts(now time.Time) *parts {
	return &parts{by: map[string]part{}, readings: map[string]reading{}, last: now}
}

// begin begins a reading, or goes on with it, and returns since when a part must have been read to be good for it. A
// reading that was not whole when the next digest came due goes on for that one.
func (k *parts) begin(name string, due, now time.Time) (since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.last) > restAge {
		clear(k.readings)
	}
	maps.DeleteFunc(k.readings, func(_ string, r reading) bool { return now.Sub(r.asked) > restAge })
	r, known := k.readings[name]
	if !known || r.whole && !r.due.Equal(due) {
		r = reading{begun: now}
	}
	r.asked, r.due = now, due
	k.readings[name] = r
	k.sweep()
	return r.since()
}

// sweep drops what is too old for every reading.
func (k *parts) sweep() {
	var oldest time.Time
	for _, r := range k.readings {
		if oldest.IsZero() || r.since().Before(oldest) {
			oldest = r.since()
		}
	}
	maps.DeleteFunc(k.by, func(_ string, p part) bool { return p.at.Before(oldest) })
}

func (r reading) since() time.Time { return r.begun.Add(-partAge) }

// whole notes that all that a reading needs is there. The next attempt at the same digest takes the same.
func (k *parts) whole(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, ok := k.readings[name]; ok {
		r.whole = true
		k.readings[name] = r
	}
}

// forget ends a reading of which nothing is worth keeping.
func (k *parts) forget(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.readings, name)
}

func (k *parts) get(id string) (part, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, ok := k.by[id]
	return p, ok
}

func (k *parts) put(id string, p part, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by[id], k.last = p, now
}

// confirm keeps the second reading of a part, unless the part is another one by now.
func (k *parts) confirm(id string, first, again part, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = now
	if p, ok := k.by[id]; ok && p.at.Equal(first.at) {
		p.again = &again
		k.by[id] = p
	}
}

// list is the software list, if it was read since a time.
func (k *parts) list(since time.Time) (software, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.listed, !k.listedAt.IsZero() && !k.listedAt.Before(since)
}

func (k *parts) putList(list software, at, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.listed, k.listedAt, k.last = list, at, now
}

// getsOn reports whether anything was read of late. The limit is one for all digests: while one of them gets on, the
// others will.
func (k *parts) getsOn(now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return now.Sub(k.last) < stalledAfter
}
