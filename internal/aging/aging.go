// Package aging shows how old missing updates are and which are overdue. It joins when an update was first seen missing
// ([patchgap.Seen]), what MSRC publishes ([advisory.Snapshot]) and the configured deadlines ([deadline.Policy]), and
// turns them into sentences and columns. Unknown dates are shown as unknown. The package knows neither where its dates
// are stored nor where a page goes.
package aging

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/month"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Facts are the dates and deadlines that go with a list of updates. The zero value knows nothing.
type Facts struct {
	Now    time.Time // its time zone defines where days begin
	Seen   map[patchgap.Key]patchgap.Seen
	Known  *advisory.Snapshot // may be nil
	Policy deadline.Policy
}

// Status returns the age and deadline of an update.
func (f Facts) Status(u patchgap.Update) deadline.Status {
	var first patchgap.Seen
	for _, r := range u.Rows {
		if s := f.Seen[r.Key]; !s.First.IsZero() && (first.First.IsZero() || s.First.Before(first.First)) {
			first = s
		}
	}
	return f.StatusSeen(u, first)
}

// StatusSeen is Status for an update whose caller knows when it was first seen.
func (f Facts) StatusSeen(u patchgap.Update, seen patchgap.Seen) deadline.Status {
	facts, _ := f.Known.Update(u.KB())
	d := deadline.Update{Seen: seen.First, Lower: seen.Lower(), Released: facts.Released, Severity: facts.Severity, Exploited: facts.Exploited()}
	if len(facts.MSRC) == 0 { // MSRC says so with the release, CISA once it is known
		for _, e := range facts.KEV {
			if d.Attacked.IsZero() || e.Added.Before(d.Attacked) {
				d.Attacked = e.Added
			}
		}
	}
	if m, ok := month.Of(u.Name()); ok && d.Lower {
		end := m.AddDate(0, 1, -1) // it was published in that month, at the latest at its end
		if now := d.Seen; !end.After(f.Now) && (now.IsZero() || end.Before(now)) {
			d.Seen = end
		}
	}
	return f.Policy.Status(d, f.Now)
}

// List holds the age and deadline of each of a list of updates. The zero value is an empty list.
type List struct {
	by    map[string]deadline.Status
	older map[string]older // of those that are as late as one inside them
	dated bool             // some age is known more precisely than from the update's name
}

// older is the update inside another that makes it late.
type older struct {
	label string
	age   string // of the other itself
}

// Of judges updates. contains returns the updates that installing an update closes too; an update is as late as the
// latest of them. With a nil contains each update stands for itself.
func (f Facts) Of(updates []patchgap.Update, contains func(patchgap.Update) []patchgap.Update) List {
	l := List{by: make(map[string]deadline.Status, len(updates)), older: map[string]older{}}
	for _, u := range updates {
		s := f.Status(u)
		l.dated = l.dated || f.dates(u)
		if contains != nil {
			if late, of := f.latest(contains(u)); late.Late() && (!s.Late() || late.Overdue > s.Overdue) {
				l.older[u.ID()] = older{label(of), s.AgeWords()}
				s = late
			}
		}
		l.by[u.ID()] = s
	}
	return l
}

// dates reports whether an update's age is known from more than the month in its name.
func (f Facts) dates(u patchgap.Update) bool {
	if facts, known := f.Known.Update(u.KB()); known && !facts.Released.IsZero() {
		return true
	}
	return slices.ContainsFunc(u.Rows, func(r patchgap.Row) bool { return !f.Seen[r.Key].First.IsZero() })
}

// Status returns the status of an update in the list.
func (l List) Status(u patchgap.Update) deadline.Status {
	if s, ok := l.by[u.ID()]; ok {
		return s
	}
	return deadline.Status{Age: -1}
}

// Late returns by how many days an update is overdue, 0 if it is not.
func (l List) Late(u patchgap.Update) int {
	if s := l.Status(u); s.Late() {
		return s.Overdue
	}
	return 0
}

// Words returns a sentence on how many updates are overdue; "" if none is.
func (l List) Words(updates []patchgap.Update) string {
	n := 0
	var longest patchgap.Update
	for _, u := range updates {
		if late := l.Late(u); late > 0 {
			if n++; n == 1 || late > l.Late(longest) {
				longest = u
			}
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("1 is overdue: %s, by %s%s.", label(longest), view.Count(l.Late(longest), "day"), l.because(longest))
	}
	return fmt.Sprintf("%d are overdue, %s by %s%s.", n, label(longest), view.Count(l.Late(longest), "day"), l.because(longest))
}

// because says in a sentence which update inside another makes it late; "" if it is late itself or not at all.
func (l List) because(u patchgap.Update) string {
	if o, ok := l.older[u.ID()]; ok {
		return ", for " + o.label + " inside it"
	}
	return ""
}

// source names in parentheses the update inside another that makes it late; "" if it is late itself or not at all.
func (l List) source(u patchgap.Update) string {
	if o, ok := l.older[u.ID()]; ok {
		return " (" + o.label + ")"
	}
	return ""
}

func label(u patchgap.Update) string { return cmp.Or(catalog.Label(u.KB()), u.Name()) }

// Sort moves overdue updates to the front, the longest overdue first, and keeps the order otherwise. rank takes
// precedence: an update of a lower rank stays ahead of those of a higher one.
func (l List) Sort(updates []patchgap.Update, rank func(patchgap.Update) int) {
	slices.SortStableFunc(updates, func(a, b patchgap.Update) int {
		return cmp.Or(rank(a)-rank(b), l.Late(b)-l.Late(a))
	})
}

// Columns returns the columns with age and deadline. They are hidden from people if they show nothing about the shown
// updates that the names do not say.
func (l List) Columns(shown []patchgap.Update) []patchgap.Extra {
	age := patchgap.Extra{Appended: true, Column: view.Column{Key: "age", Title: "Age"}, Cell: func(u patchgap.Update) view.Cell {
		if o, ok := l.older[u.ID()]; ok {
			return view.TextCell(o.age) // its own, which is no age of what it contains
		}
		return view.TextCell(l.Status(u).AgeWords())
	}}
	due := patchgap.Extra{Appended: true, Column: view.Column{Key: "deadline", Title: "Deadline"}, Cell: func(u patchgap.Update) view.Cell {
		return view.TextCell(l.Status(u).DueWords() + l.source(u))
	}}
	age.Hidden = !l.dated || !slices.ContainsFunc(shown, func(u patchgap.Update) bool { return l.Status(u).Age >= 0 })
	due.Hidden = !slices.ContainsFunc(shown, func(u patchgap.Update) bool { return l.Status(u).DueWords() != "" })
	return []patchgap.Extra{age, due}
}

// Version identifies these facts in cache keys. It changes with the day, the policy and the dates seen.
func (f Facts) Version() string {
	var newest time.Time
	for _, s := range f.Seen {
		if s.First.After(newest) {
			newest = s.First
		}
	}
	return strings.Join([]string{"", f.Policy.String(), deadline.DayOf(f.Now).ISO(), fmt.Sprint(len(f.Seen), newest.UnixMilli())}, "\n")
}
