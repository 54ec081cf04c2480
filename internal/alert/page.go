package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// page is what is posted of a notice.
func (m Matter) page(n Notice, s State, now time.Time) view.Page {
	switch n {
	case Closed:
		return view.Page{
			Title: m.Text.Over,
			Lead:  fmt.Sprintf("It is over after %s: from %s to %s.", view.Age(s.Good.Sub(s.Since)), moment(s.Since), moment(s.Good)),
		}
	case Events:
		return view.Page{Title: m.Text.Title, Lead: m.Text.Lead, Parts: []view.Part{view.Facts{{Name: "Which", Value: s.things()}}}}
	}
	page := view.Page{
		Title: m.Text.Title, Lead: m.Text.Lead,
		Parts: []view.Part{view.Facts{
			{Name: "Since", Value: fmt.Sprintf("%s, for %s", moment(s.Since), view.Age(now.Sub(s.Since)))},
			{Name: "Seen", Value: fmt.Sprintf("%s, by %s", view.Count(s.Seen, "time"), strings.Join(s.Sources, ", "))},
		}},
		Note: "This is told once, and once a day while it lasts. You hear when it is over.",
	}
	if n == Lasting {
		page.Title = "Still: " + page.Title
	}
	return page
}

func (s State) things() string {
	words := strings.Join(s.Things, "; ")
	if s.More > 0 {
		words += fmt.Sprintf("; and %s more", view.Thousands(s.More))
	}
	return words
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
