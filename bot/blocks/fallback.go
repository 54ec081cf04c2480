package blocks

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack/slackutilsx"

	"github.com/missingkbs/missingkbs/internal/view"
)

// fallback is the page as text for notifications and screen readers: all of it that fits, and a count of the rest. It
// stands where Slack reads control sequences, so it is escaped.
func fallback(p view.Page) string { return words(p) + p.AsOf.String() }

// words is the [fallback] of a page without the age of its data.
func words(p view.Page) string {
	var b strings.Builder
	left := maxFallback - 100 // for the closing line
	omitted := 0
	line := func(s string) {
		s = slackutilsx.EscapeMessage(view.OneLine(s))
		if left -= length(s) + 1; left < 0 {
			omitted++
			return
		}
		b.WriteString(s + "\n")
	}
	line(clip(p.Title, maxHeader))
	if notice := p.AsOf.Notice(); notice != "" {
		line(notice)
	}
	line(clip(p.Lead, maxLead))
	if p.Context != "" {
		line(clip(p.Context, maxNote))
	}
	for _, part := range p.Parts {
		switch part := part.(type) {
		case view.Facts:
			for _, f := range part {
				line(clip(f.Name+": "+f.Value, maxFact))
			}
		case view.List:
			for _, l := range part.Lines() {
				line(clip(part.Name+": "+l, maxFact))
			}
		case view.Table:
			part = part.Visible()
			for i := range part.Len() {
				if left < 0 {
					omitted += part.Len() - i
					break
				}
				line(rowText(part.Columns, part.Row(i)))
			}
		case view.Chart:
			for _, l := range chartLines(part) {
				line(l)
			}
		case view.Code:
			for l := range strings.SplitSeq(part.Text, "\n") {
				if strings.TrimSpace(l) != "" {
					line(clip(l, maxText))
				}
			}
		}
	}
	if omitted > 0 {
		fmt.Fprintf(&b, "%s not read out here.\n", view.Count(omitted, "more line"))
	}
	if p.Note != "" && left > maxNote {
		line(clip(p.Note, maxNote))
	}
	if id := p.ID(); id != "" {
		line(clip(id, maxFact))
	}
	return b.String()
}

// rowText is a row of a table in words: the first cell names it, the others follow their headings.
func rowText(columns []view.Column, row []view.Cell) string {
	var words []string
	for i, c := range row {
		switch {
		case columns[i].Kind == view.Number:
			words = append(words, columns[i].Title+" "+view.Thousands(c.Number))
		case columns[i].Kind == view.Button && c.Action != nil && c.Action.URL != "":
			words = append(words, c.Action.URL)
		case (columns[i].Kind == view.Text || columns[i].Kind == view.Words) && c.Text != "":
			words = append(words, clip(c.Text, maxCell))
		}
	}
	return strings.Join(words, ", ")
}
