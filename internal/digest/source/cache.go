package source

import (
	"maps"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// readingCache caches the patch gaps read recently, and the scans that continue from them. Each process has its own, so
// replicas each read what they need. It is safe for concurrent use.
type readingCache struct {
	mu       sync.Mutex
	gaps     map[string]patchGap // by software id
	listed   softwareList        // the last software list
	listedAt time.Time
	scans    map[string]scan
	lastRead time.Time // the last successful read of anything
}

// patchGap is the patch gap of one software at one time.
type patchGap struct {
	rows    []patchgap.Row
	skipped int // rows that could not be read
	at      time.Time
	second  *patchGap // a later reading, made to confirm this one
}

// softwareList is Defender's software list.
type softwareList struct {
	software []software
	skipped  int // rows that could not be read
}

// software is one entry of the list.
type software struct {
	id       string
	affected bool // it has known weaknesses
}

// matching returns the ids that a pattern matches. The pattern for everything skips software without weaknesses.
func (l softwareList) matching(pattern string) (ids []string) {
	matcher := digest.Subscription{Watch: []string{pattern}}
	for _, s := range l.software {
		if matcher.Watches(s.id) && (pattern != digest.All || s.affected) {
			ids = append(ids, s.id)
		}
	}
	return ids
}

// scan is the reading of everything that one digest watches, in as many attempts as the rate limit requires.
type scan struct {
	begun    time.Time
	resumed  time.Time // the last attempt
	due      time.Time // of the digest that needs it
	complete bool
}

const (
	// maxGapAge is how old a patch gap may be when a scan begins. It serves digests that are due together; a person who
	// runs a digest wants current data.
	maxGapAge = 30 * time.Minute
	// maxPause is how long a scan may pause. While it continues, none of its patch gaps expires, regardless of their
	// number and of the rate limit: otherwise a low limit could keep it from ever finishing. Defender's own data is as
	// old: its exports are made every six hours.
	maxPause = 6 * time.Hour
	// stalledAfter is the time without any successful read after which scans no longer progress. It is longer than the
	// pause between two calls under the lowest limit.
	stalledAfter = 2 * time.Hour
)

func newReadingCache(now time.Time) *readingCache {
	return &readingCache{gaps: map[string]patchGap{}, scans: map[string]scan{}, lastRead: now}
}

// begin starts or resumes a scan and returns the age limit of its patch gaps. A scan that was not complete when the next
// digest became due continues for that one.
func (c *readingCache) begin(name string, due, now time.Time) (since time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.lastRead) > maxPause {
		clear(c.scans)
	}
	maps.DeleteFunc(c.scans, func(_ string, s scan) bool { return now.Sub(s.resumed) > maxPause })
	s, known := c.scans[name]
	if !known || s.complete && !s.due.Equal(due) {
		s = scan{begun: now}
	}
	s.resumed, s.due = now, due
	c.scans[name] = s
	c.evictLocked()
	return s.since()
}

// evictLocked drops the patch gaps that are too old for every scan.
func (c *readingCache) evictLocked() {
	var oldest time.Time
	for _, s := range c.scans {
		if oldest.IsZero() || s.since().Before(oldest) {
			oldest = s.since()
		}
	}
	maps.DeleteFunc(c.gaps, func(_ string, gap patchGap) bool { return gap.at.Before(oldest) })
}

func (s scan) since() time.Time { return s.begun.Add(-maxGapAge) }

// complete records that a scan has read everything. The next attempt at the same digest uses the same patch gaps.
func (c *readingCache) complete(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.scans[name]; ok {
		s.complete = true
		c.scans[name] = s
	}
}

// forget ends a scan that has read nothing worth keeping.
func (c *readingCache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.scans, name)
}

func (c *readingCache) get(id string) (patchGap, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gap, ok := c.gaps[id]
	return gap, ok
}

func (c *readingCache) put(id string, gap patchGap, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gaps[id], c.lastRead = gap, now
}

// confirm stores the second reading of a patch gap, unless another one has replaced the first.
func (c *readingCache) confirm(id string, first, second patchGap, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastRead = now
	if gap, ok := c.gaps[id]; ok && gap.at.Equal(first.at) {
		gap.second = &second
		c.gaps[id] = gap
	}
}

// list returns the software list if it was read since a time.
func (c *readingCache) list(since time.Time) (softwareList, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.listed, !c.listedAt.IsZero() && !c.listedAt.Before(since)
}

func (c *readingCache) putList(list softwareList, at, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed, c.listedAt, c.lastRead = list, at, now
}

// progresses reports whether anything was read recently. All digests share one limit: while one progresses, the others
// will.
func (c *readingCache) progresses(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Sub(c.lastRead) < stalledAfter
}
