package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// page returns the message of an alert.
func (c Condition) page(a Alert, s State, now time.Time) view.Page {
	switch a {
	case Closed:
		return view.Page{
			Title: c.Text.Closed,
			Lead:  fmt.Sprintf("It is over after %s: from %s to %s.", view.Age(s.Recovered.Sub(s.Since)), utc(s.Since), utc(s.Recovered)),
		}
	case Occurred:
		return view.Page{Title: c.Text.Title, Lead: c.Text.Lead, Parts: []view.Part{view.Facts{{Name: "Which", Value: s.subjects()}}}}
	}
	page := view.Page{
		Title: c.Text.Title, Lead: c.Text.Lead,
		Parts: []view.Part{view.Facts{
			{Name: "Since", Value: fmt.Sprintf("%s, for %s", utc(s.Since), view.Age(now.Sub(s.Since)))},
			{Name: "Seen", Value: fmt.Sprintf("%s, by %s", view.Count(s.Count, "time"), strings.Join(s.Sources, ", "))},
		}},
		Note: "This message comes once, then once a day while it lasts, and once when it is over.",
	}
	if a == Reminder {
		page.Title = "Still: " + page.Title
	}
	return page
}

func (s State) subjects() string {
	words := strings.Join(s.Subjects, "; ")
	if s.Omitted > 0 {
		words += fmt.Sprintf("; and %s more", view.Thousands(s.Omitted))
	}
	return words
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
