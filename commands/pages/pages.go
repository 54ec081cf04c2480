// Package pages keeps pages that were made from a stored answer, so that a repeated question is not worked out again. It knows
// neither what a page says nor who asks: a page is the same for everyone, and whoever may ask is checked before.
package pages

import (
	"slices"
	"sync"

	"github.com/missingkbs/missingkbs/internal/view"
)

const (
	// mostRows is how many rows of tables all pages together may have, and with them the memory that they take: some 3 MiB.
	mostRows = 5_000
	// rowsOfPage is what a page counts for beside the rows of its tables.
	rowsOfPage = 10
)

// Cache keeps pages by their question. The zero value is empty. It is safe for concurrent use.
type Cache struct {
	mu   sync.Mutex
	by   map[string]view.Page
	rows int
}

// Get returns the page of a source, without the age of its data: see [view.Page.AsOf].
func (c *Cache) Get(source view.Source) (view.Page, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.by[source.Question]
	if !ok || p.Source != source {
		return view.Page{}, false
	}
	return own(p), true
}

// Put keeps a page, in place of an older one of its question. Once there are too many, all others are dropped: what is asked
// often is soon there again.
func (c *Cache) Put(p view.Page) {
	n := size(p)
	if p.Source.Answer == 0 || n > mostRows/2 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.by[p.Source.Question]; ok {
		c.rows -= size(old)
	}
	if c.by == nil || c.rows+n > mostRows {
		c.by, c.rows = map[string]view.Page{}, 0
	}
	c.by[p.Source.Question] = own(p)
	c.rows += n
}

// own is a page whose lists a caller may change. The parts themselves are shared.
func own(p view.Page) view.Page {
	p.Parts, p.Actions = slices.Clone(p.Parts), slices.Clone(p.Actions)
	return p
}

func size(p view.Page) int {
	n := rowsOfPage
	for _, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			n += t.FileLen()
		}
	}
	return n
}
