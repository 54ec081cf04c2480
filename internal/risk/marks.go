package risk

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Of returns the acceptance of an update, and whether it covers all of its rows. found is false if there is none.
func (m Marks) Of(u patchgap.Update) (a Acceptance, whole, found bool) {
	whole = true
	for _, r := range u.Rows {
		one, has := m.covered[r.Key]
		switch {
		case !has:
			whole = false
		case !found || one.Until.Before(a.Until): // the earliest end is what holds for the whole update
			a, found = one, true
		}
	}
	return a, whole && found, found
}

// Version identifies the marks in cache keys; "" if there are none.
func (m Marks) Version() string {
	seen := map[string]bool{}
	for _, a := range m.covered {
		seen[a.ID] = true
	}
	for _, a := range m.Past {
		seen[a.ID+"-"] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), " ")
}

// None reports whether there is nothing to show.
func (m Marks) None() bool { return len(m.covered) == 0 && len(m.Past) == 0 }

// Cell returns the text of a table cell, such as "until 31 Dec 2026"; "" if the update is not accepted.
func (m Marks) Cell(u patchgap.Update) string {
	a, whole, found := m.Of(u)
	if !found {
		return ""
	}
	words := "until " + a.LastDay()
	if !whole {
		words = "in part " + words
	}
	if a.KB != u.KB() {
		words += ", as " + catalog.Label(a.KB)
	}
	return words
}

// Words returns a sentence that counts accepted updates, such as "3 of 14 accepted until 31 Dec 2026"; "" if no update
// is accepted as a whole.
func (m Marks) Words(updates []patchgap.Update) string {
	n, same := 0, true
	var first Acceptance
	for _, u := range updates {
		a, whole, _ := m.Of(u)
		if !whole {
			continue
		}
		n++
		same = same && (n == 1 || a.Until.Equal(first.Until))
		if n == 1 || a.Until.Before(first.Until) {
			first = a
		}
	}
	switch {
	case n == 0:
		return ""
	case same:
		return fmt.Sprintf("%s of %s accepted until %s", view.Thousands(n), view.Thousands(len(updates)), first.LastDay())
	}
	return fmt.Sprintf("%s of %s accepted, the first until %s", view.Thousands(n), view.Thousands(len(updates)), first.LastDay())
}

// maxPast is how many ended acceptances a sentence names.
const maxPast = 3

// PastWords returns a sentence on which acceptances ended and why; "" if there are none.
func PastWords(past []Acceptance) string {
	var words []string
	for _, a := range past[:min(maxPast, len(past))] {
		words = append(words, fmt.Sprintf("The accepted risk of %s ended on %s: %s.", a.Subject(), a.Ended.UTC().Format("2 Jan"), a.Why()))
	}
	if rest := len(past) - maxPast; rest > 0 {
		words = append(words, fmt.Sprintf("%s more ended.", view.Thousands(rest)))
	}
	return strings.Join(words, " ")
}

// Column is the column of a table of updates that says until when they are accepted. It is hidden if none is. exploited
// returns the exploited updates that one contains: those that are not accepted too are named, because they still count.
func (m Marks) Column(updates []patchgap.Update, exploited func(patchgap.Update) []patchgap.Update) patchgap.Extra {
	c := patchgap.Extra{Column: view.Column{Key: "accepted", Title: "Accepted", Hidden: true}, Cell: func(u patchgap.Update) view.Cell {
		words := m.Cell(u)
		if words == "" {
			return view.TextCell("")
		}
		parts := []string{words}
		for _, inside := range exploited(u) {
			if !m.Covers(inside) {
				parts = append(parts, "not "+catalog.Label(inside.KB())+" (exploited)")
			}
		}
		return view.TextCell(strings.Join(parts, ", "))
	}}
	for _, u := range updates {
		if _, _, found := m.Of(u); found {
			c.Hidden = false
			break
		}
	}
	return c
}

// Covers reports whether an update is accepted as a whole.
func (m Marks) Covers(u patchgap.Update) bool {
	_, whole, _ := m.Of(u)
	return whole
}
