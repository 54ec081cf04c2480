package aging

import (
	"fmt"
	"maps"

	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/month"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Join merges the dates of another software's updates into f.
func (f Facts) Join(other Facts) Facts {
	seen := make(map[patchgap.Key]patchgap.Seen, len(f.Seen)+len(other.Seen))
	maps.Copy(seen, f.Seen)
	maps.Copy(seen, other.Seen)
	f.Seen = seen
	return f
}

// Anywhere dates rows by when their updates were first seen in any software and on any build. It serves pages about one
// device, whose rows name no software.
func (f Facts) Anywhere(rows []patchgap.Row) Facts {
	earliest := make(map[string]patchgap.Seen, len(rows))
	for key, s := range f.Seen {
		if have, ok := earliest[key.KB]; !ok || s.First.Before(have.First) {
			earliest[key.KB] = s
		}
	}
	f.Seen = make(map[patchgap.Key]patchgap.Seen, len(rows))
	for _, r := range rows {
		if s, ok := earliest[r.KB]; ok && r.KB != "" {
			f.Seen[r.Key] = s
		}
	}
	return f
}

// About returns the age and deadline of one update, for its own page. inside are the updates that it contains.
func (f Facts) About(u patchgap.Update, inside []patchgap.Update) view.Facts {
	s := f.Status(u)
	var facts view.Facts
	if m, ok := month.Of(u.Name()); ok {
		facts = append(facts, view.Fact{Name: "Release month", Value: m.Format("January 2006")})
	}
	age := s.AgeWords()
	switch {
	case s.Age < 0:
		age += ": no digest has seen it, and MSRC does not list it"
	case s.AtLeast:
		age += ", from " + s.Since.String() + " or before"
	default:
		age += ", from " + s.Since.String()
	}
	facts = append(facts, view.Fact{Name: "Age", Value: age})
	if words := s.DueWords(); words != "" {
		facts = append(facts, view.Fact{Name: "Deadline", Value: fmt.Sprintf("%s: %s, as %s", words, s.Due, s.Class)})
	}
	if late, of := f.latest(inside); late.Late() && (!s.Late() || late.Overdue > s.Overdue) {
		facts = append(facts, view.Fact{Name: "Deadline of what it contains", Value: label(of) + " " + late.DueWords()})
	}
	return facts
}

// LateWords returns a sentence on how long an update, or the most overdue one inside it, is overdue; "" if none is.
func (f Facts) LateWords(u patchgap.Update, inside []patchgap.Update) string {
	s := f.Status(u)
	if late, of := f.latest(inside); late.Late() && (!s.Late() || late.Overdue > s.Overdue) {
		return fmt.Sprintf("It contains %s, which is %s.", label(of), late.DueWords())
	}
	if s.Late() {
		return "It is " + s.DueWords() + "."
	}
	return ""
}

// latest returns the most overdue of updates and its status.
func (f Facts) latest(updates []patchgap.Update) (late deadline.Status, of patchgap.Update) {
	for _, u := range updates {
		if s := f.Status(u); s.Late() && s.Overdue > late.Overdue {
			late, of = s, u
		}
	}
	return late, of
}
