package pages_test

import (
	"strconv"
	"testing"

	"github.com/missingkbs/missingkbs/commands/pages"
	"github.com/missingkbs/missingkbs/internal/view"
)

func page(question string, answer uint64) view.Page {
	return view.Page{
		Title: question, Source: view.Source{Question: question, Answer: answer}, Actions: []view.Action{{Label: "Refresh"}},
		Parts: []view.Part{view.Table{}},
	}
}

// A page comes back for the same question and answer, and for no other.
func TestCache(t *testing.T) {
	t.Parallel()
	var c pages.Cache
	c.Put(page("edge", 1), 0, 12)
	for name, tc := range map[string]struct {
		source view.Source
		want   bool
	}{
		"the same":         {view.Source{Question: "edge", Answer: 1}, true},
		"a newer answer":   {view.Source{Question: "edge", Answer: 2}, false},
		"another question": {view.Source{Question: "office", Answer: 1}, false},
	} {
		if p, ok := c.Get(tc.source, 0); ok != tc.want || ok && p.Title != "edge" {
			t.Errorf("%s: %v, %q", name, ok, p.Title)
		}
	}
	c.Put(page("not stored", 0), 0, 12)
	if _, ok := c.Get(view.Source{Question: "not stored"}, 0); ok {
		t.Error("a page of an answer that is not stored was kept")
	}
}

// What a caller does to its page is not in the next one.
func TestPagesAreTheCallers(t *testing.T) {
	t.Parallel()
	var c pages.Cache
	mine := page("edge", 1)
	c.Put(mine, 0, 12)
	mine.Actions[0].Label = "changed"
	first, _ := c.Get(mine.Source, 0)
	first.Actions[0].Label, first.Parts[0] = "changed", view.Facts{}
	second, _ := c.Get(mine.Source, 0)
	if _, table := second.Parts[0].(view.Table); !table || second.Actions[0].Label != "Refresh" {
		t.Errorf("the next page is %+v", second)
	}
}

// However many pages are made, few rows are kept, and pages of very long answers are not.
func TestBound(t *testing.T) {
	t.Parallel()
	var c pages.Cache
	c.Put(page("long", 1), 0, 100_000)
	if _, ok := c.Get(view.Source{Question: "long", Answer: 1}, 0); ok {
		t.Error("a very long page was kept")
	}
	const all, rows = 1000, 90
	for i := range all {
		c.Put(page(strconv.Itoa(i), 1), 0, rows)
		c.Put(page(strconv.Itoa(i), 2), 0, rows)
	}
	kept := 0
	for i := range all {
		if _, ok := c.Get(view.Source{Question: strconv.Itoa(i), Answer: 2}, 0); ok {
			kept++
		}
	}
	if _, ok := c.Get(view.Source{Question: strconv.Itoa(all - 1), Answer: 2}, 0); !ok || kept > 5000/rows {
		t.Errorf("%d pages are kept, the newest %v", kept, ok)
	}
}

// Each page holds all of the feeds that it was made from, so no page outlives them.
func TestNewerFeeds(t *testing.T) {
	t.Parallel()
	var c pages.Cache
	edge, office := page("edge", 1), page("office", 1)
	found := func(p view.Page, feeds uint64) bool {
		_, ok := c.Get(p.Source, feeds)
		return ok
	}
	found(edge, 1)
	c.Put(edge, 1, 12)
	if !found(edge, 1) {
		t.Error("a page was not kept")
	}
	if found(office, 2) || found(edge, 1) {
		t.Error("a page of older feeds was kept")
	}
	c.Put(edge, 1, 12)
	if found(edge, 1) {
		t.Error("a page of older feeds was kept after newer ones came")
	}
	c.Put(office, 2, 12)
	if !found(office, 2) {
		t.Error("a page of the newer feeds was not kept")
	}
}
