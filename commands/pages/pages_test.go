package pages_test

import (
	"strconv"
	"testing"

	"github.com/missingkbs/missingkbs/commands/pages"
	"github.com/missingkbs/missingkbs/internal/view"
)

func page(question string, answer uint64, rows int) view.Page {
	return view.Page{
		Title: question, Source: view.Source{Question: question, Answer: answer}, Actions: []view.Action{{Label: "Refresh"}},
		Parts: []view.Part{view.Table{More: view.LazyRows{Count: rows, Make: func(int) []view.Cell { return nil }}}},
	}
}

// A page comes back for the same question and answer, and for no other.
func TestCache(t *testing.T) {
	t.Parallel()
	var c pages.Cache
	c.Put(page("edge", 1, 12))
	for name, tc := range map[string]struct {
		source view.Source
		want   bool
	}{
		"the same":         {view.Source{Question: "edge", Answer: 1}, true},
		"a newer answer":   {view.Source{Question: "edge", Answer: 2}, false},
		"another question": {view.Source{Question: "office", Answer: 1}, false},
	} {
		if p, ok := c.Get(tc.source); ok != tc.want || ok && p.Title != "edge" {
			t.Errorf("%s: %v, %q", name, ok, p.Title)
		}
	}
	c.Put(page("not stored", 0, 12))
	if _, ok := c.Get(view.Source{Question: "not stored"}); ok {
		t.Error("a page of an answer that is not stored was kept")
	}
}

// What a caller does to its page is not in the next one.
func TestPagesAreTheCallers(t *testing.T) {
	t.Parallel()
	var c pages.Cache
	mine := page("edge", 1, 12)
	c.Put(mine)
	mine.Actions[0].Label = "changed"
	first, _ := c.Get(mine.Source)
	first.Actions[0].Label, first.Parts[0] = "changed", view.Facts{}
	second, _ := c.Get(mine.Source)
	if _, table := second.Parts[0].(view.Table); !table || second.Actions[0].Label != "Refresh" {
		t.Errorf("the next page is %+v", second)
	}
}

// However many pages are made, few rows are kept, and very long pages are not.
func TestBound(t *testing.T) {
	t.Parallel()
	var c pages.Cache
	c.Put(page("long", 1, 100_000))
	if _, ok := c.Get(view.Source{Question: "long", Answer: 1}); ok {
		t.Error("a very long page was kept")
	}
	const all, rows = 1000, 90
	for i := range all {
		c.Put(page(strconv.Itoa(i), 1, rows))
		c.Put(page(strconv.Itoa(i), 2, rows))
	}
	kept := 0
	for i := range all {
		if _, ok := c.Get(view.Source{Question: strconv.Itoa(i), Answer: 2}); ok {
			kept++
		}
	}
	if _, ok := c.Get(view.Source{Question: strconv.Itoa(all - 1), Answer: 2}); !ok || kept > 5000/rows {
		t.Errorf("%d pages are kept, the newest %v", kept, ok)
	}
}
