// Package pages keeps pages that were made from a stored answer, so that a repeated question is not worked out again. It knows
// neither what a page says nor who asks. A page is the same for everyone; callers check first who may ask.
package pages

import (
	"slices"
	"sync"

	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// mostRows is how many rows the answers of all pages together may have, and with them the memory that they take: some 3 MiB.
	mostRows = 5_000
	// rowsOfPage is what a page counts for beside the rows of its answer.
	rowsOfPage = 10
)

// Cache keeps pages by their question. The zero value is empty. It is safe for concurrent use.
type Cache struct {
	mu    sync.Mutex
	by    map[string]kept
	rows  int
	feeds uint64
}

// kept is a page and the rows that it counts for.
type kept struct {
	view.Page

	rows int
}

// Get returns the page of a source, without the age of its data: see [view.Page.AsOf]. feeds is the version of the feeds now:
// pages made from older ones are dropped, because each of them holds all of the older feeds.
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

// Put keeps a page made from feeds of a version, in place of an older one of its question. rows is the length of the answer: the
// page holds all of it, however few rows it shows. Once there are too many, all others are dropped: what is asked often is soon
// there again.
func (c *Cache) Put(p view.Page, feeds uint64, rows int) {
	n := rows + rowsOfPage
	if p.Source.Answer == 0 || n > mostRows/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if feeds != c.feeds { // newer ones came while the page was made
		return
	}
	c.rows -= c.by[p.Source.Question].rows
	if c.by == nil || c.rows+n > mostRows {
		c.by, c.rows = map[string]kept{}, 0
	}
	c.by[p.Source.Question] = kept{own(p), n}
	c.rows += n
}

// own is a page whose lists a caller may change. The parts themselves are shared.
func own(p view.Page) view.Page {
	p.Parts, p.Actions = slices.Clone(p.Parts), slices.Clone(p.Actions)
	return p
}
