package blocks

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack/slackutilsx"

	"github.com/missingkbs/missingkbs/internal/view"
)

// fallback returns the page as text for notifications and screen readers: as much as fits, and a count of the rest.
// Slack parses control sequences there, so it is escaped.
func fallback(p view.Page) string { return words(p) + p.AsOf.String() }

// words returns the [fallback] of a page without the age of its data.
func words(p view.Page) string {
	w := plainLines{left: maxFallback - 100} // for the closing line
	w.addLine(clip(p.Title, maxHeader))
	if notice := p.AsOf.Notice(); notice != "" {
		w.addLine(notice)
	}
	w.addLine(clip(p.Lead, maxLead))
	if p.Context != "" {
		w.addLine(clip(p.Context, maxNote))
	}
	for _, part := range p.Parts {
		w.addPart(part)
	}
	if w.omitted > 0 {
		fmt.Fprintf(&w.text, "%s not read out here.\n", view.Count(w.omitted, "more line"))
	}
	if p.Note != "" && w.left > maxNote {
		w.addLine(clip(p.Note, maxNote))
	}
	if id := p.ID(); id != "" {
		w.addLine(clip(id, maxFact))
	}
	return w.text.String()
}

// plainLines collects lines of text while there is room, and counts the rest.
type plainLines struct {
	text    strings.Builder
	left    int // characters
	omitted int // lines
}

func (w *plainLines) addLine(s string) {
	s = slackutilsx.EscapeMessage(view.OneLine(s))
	if w.left -= length(s) + 1; w.left < 0 {
		w.omitted++
		return
	}
	w.text.WriteString(s + "\n")
}

// addPart adds the lines of a part of a page.
func (w *plainLines) addPart(part view.Part) {
	switch part := part.(type) {
	case view.Facts:
		for _, f := range part {
			w.addLine(clip(f.Name+": "+f.Value, maxFact))
		}
	case view.List:
		for _, l := range part.Lines() {
			w.addLine(clip(part.Name+": "+l, maxFact))
		}
	case view.Table:
		part = part.Visible()
		for i := range part.Len() {
			if w.left < 0 {
				w.omitted += part.Len() - i
				break
			}
			w.addLine(rowText(part.Columns, part.Row(i)))
		}
	case view.Chart:
		for _, l := range chartLines(part) {
			w.addLine(l)
		}
	case view.Code:
		for l := range strings.SplitSeq(part.Text, "\n") {
			if strings.TrimSpace(l) != "" {
				w.addLine(clip(l, maxText))
			}
		}
	}
}

// rowText returns a table row in words: the first cell names it, the others follow their headings.
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
