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

// Of returns the acceptance of an update, and whether it is about all of its rows. Without any, found is false.
func (m Marks) Of(u patchgap.Update) (a Acceptance, whole, found bool) {
	whole = true
	for _, r := range u.Rows {
		one, has := m.covered[r.Key]
		switch {
		case !has:
			whole = false
		case !found || one.Until.Before(a.Until): // what holds for all of the update is what ends first
			a, found = one, true
		}
	}
	return a, whole && found, found
}

// Version tells the marks of one moment from those of another; "" if there are none.
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

// None reports whether there is nothing to say.
func (m Marks) None() bool { return len(m.covered) == 0 && len(m.Past) == 0 }

// Cell is what a table says of an update: "until 31 Dec 2026"; "" if it is not accepted.
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

// Words counts accepted updates: "3 of 14 accepted until 31 Dec 2026"; "" if none is accepted as a whole.
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

// maxPast is how many acceptances that ended a sentence names.
const maxPast = 3

// PastWords says which acceptances ended, and why; "" for none.
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

// Column is the column of a table of updates that says until when they are accepted. It is hidden if none is.
func (m Marks) Column(updates []patchgap.Update) patchgap.Extra {
	c := patchgap.Extra{Column: view.Column{Key: "accepted", Title: "Accepted", Hidden: true}, Cell: func(u patchgap.Update) view.Cell {
		return view.TextCell(m.Cell(u))
	}}
	for _, u := range updates {
		if _, _, found := m.Of(u); found {
			c.Hidden = false
			break
		}
	}
	return c
}
