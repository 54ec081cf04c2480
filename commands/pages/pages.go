// Package pages caches pages made from a stored answer, so that a repeated question is not computed again. It knows
// neither what a page says nor who asks. A page is the same for everyone; callers check first who may ask.
package pages

import (
	"slices"
	"sync"

	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// mostRows bounds the rows behind all pages together, and so their memory: about 3 MiB.
	mostRows = 5_000
	// rowsOfPage is what a page counts for in addition to its rows.
	rowsOfPage = 10
)

// Cache keeps pages by their question. The zero value is ready to use. It is safe for concurrent use.
type Cache struct {
	mu    sync.Mutex
	by    map[string]kept
	rows  int
	feeds uint64
}

// kept is a page with the rows that it counts for.
type kept struct {
	view.Page

	rows int
}

// Get returns the page of a source, without the age of its data: see [view.Page.AsOf]. feeds is the current version of
// the feeds. Pages made from older feeds are dropped, because each keeps the whole old snapshot alive.
func (c *Cache) Get(source view.Source, feeds uint64) (view.Page, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if feeds > c.feeds {
		c.by, c.rows, c.feeds = nil, 0, feeds
	}
	p, ok := c.by[source.Question]
	if !ok || p.Source != source {
		return view.Page{}, false
	}
	return own(p.Page), true
}

// Put stores a page made from a version of the feeds, and replaces an older page of the same question. rows is the
// length of the answer: the page keeps all of it, however few rows it shows. Once there are too many rows, all other
// pages are dropped; frequent questions return soon.
func (c *Cache) Put(p view.Page, feeds uint64, rows int) {
	n := rows + rowsOfPage
	if p.Source.Answer == 0 || n > mostRows/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if feeds != c.feeds { // the feeds changed while the page was made
		return
	}
	c.rows -= c.by[p.Source.Question].rows
	if c.by == nil || c.rows+n > mostRows {
		c.by, c.rows = map[string]kept{}, 0
	}
	c.by[p.Source.Question] = kept{own(p), n}
	c.rows += n
}

// own returns a copy of a page whose lists the caller may change. The parts are shared.
func own(p view.Page) view.Page {
	p.Parts, p.Actions = slices.Clone(p.Parts), slices.Clone(p.Actions)
	return p
}
