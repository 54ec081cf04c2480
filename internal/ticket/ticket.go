// Package ticket writes the list of a page as plain text, for tickets and mails: each update with its name, counts and
// catalog page, as many as a message takes. It knows the columns of lists of updates. It neither reads data nor knows
// where the text is shown.
package ticket

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/view"
)

// MaxBytes bounds the text. A Slack message takes about 12,000 characters in total.
const MaxBytes = 8000

// reserved is kept free for the line that counts what was left out.
const reserved = 100

// Page returns a page with the list of another one as text. line makes that other page, for the files with its whole
// list.
func Page(p view.Page, line string) view.Page {
	w := writer{left: MaxBytes - reserved}
	w.head(p)
	rows := 0
	for _, part := range p.Parts {
		switch part := part.(type) {
		case view.Facts:
			w.facts(part)
		case view.List:
			w.list(part)
		case view.Table:
			w.table(part.Visible())
			rows += part.Len()
		}
	}
	out := view.Page{
		Title: "As text: " + p.Title, Lead: "Copy this into a ticket.", Software: p.Software, AsOf: p.AsOf, Unreadable: p.Unreadable,
		Actions: view.Files(line),
	}
	if w.omitted > 0 {
		w.text.WriteString("\n(" + view.Count(w.omitted, "more row") + " not in this text)\n")
		out.Lead = fmt.Sprintf("Copy this into a ticket. It has %s of %s: the CSV file has all.", view.Thousands(rows-w.omitted), view.Count(rows, "row"))
	}
	out.Parts = []view.Part{view.Code{Text: strings.TrimSpace(w.text.String())}}
	return out
}

// writer writes lines until there is no room.
type writer struct {
	text    strings.Builder
	left    int // bytes left
	omitted int // rows left out
}

// add writes lines that belong together, or none if they do not fit.
func (w *writer) add(lines ...string) bool {
	block := strings.Join(lines, "\n") + "\n"
	if w.left < len(block) {
		return false
	}
	w.left -= len(block)
	w.text.WriteString(block)
	return true
}

// head writes what the page is about, as of when, and where to read more.
func (w *writer) head(p view.Page) {
	w.add(view.OneLine(p.Title))
	at := ""
	if !p.AsOf.Time.IsZero() {
		at = "As of " + p.AsOf.Time.UTC().Format("2006-01-02 15:04 UTC") + "."
	}
	if said := view.JoinSentences(p.AsOf.Notice(), view.OneLine(p.Lead), at); said != "" {
		w.add(said)
	}
	if id := p.ID(); id != "" {
		w.add(id)
	}
	for _, a := range p.Actions {
		if a.URL != "" {
			w.add(view.OneLine(a.Label) + ": " + view.OneLine(a.URL))
		}
	}
}

func (w *writer) facts(facts view.Facts) {
	lines := []string{""}
	for _, f := range facts {
		lines = append(lines, view.OneLine(f.Name)+": "+view.OneLine(f.Value))
	}
	w.add(lines...)
}

func (w *writer) list(l view.List) {
	if len(l.Lines()) == 0 {
		return
	}
	lines := []string{"", view.OneLine(l.Name) + ":"}
	for _, item := range l.Lines() {
		lines = append(lines, "- "+view.OneLine(item))
	}
	w.add(lines...)
}

// table writes the rows, each completely or not at all. Rows that are not updates are listed under the caption.
func (w *writer) table(t view.Table) {
	if t.Len() == 0 {
		return
	}
	c := columnsOf(t)
	if !c.updates {
		w.add("", view.OneLine(t.Caption)+":")
	}
	for i := range t.Len() {
		if !w.add(c.lines(t.Row(i))...) {
			w.omitted += t.Len() - i
			return
		}
	}
}

// columns are the indexes of a table's columns.
type columns struct {
	all     []view.Column
	updates bool // whether each row is an update
	name    int  // index of the name's column; negative if there is none
	url     int  // index of the catalog page's column; negative if there is none
}

func columnsOf(t view.Table) columns {
	at := func(key string) int {
		return slices.IndexFunc(t.Columns, func(c view.Column) bool { return c.Key == key })
	}
	c := columns{all: t.Columns, name: -1, url: -1}
	if c.updates = at("kb") == 0; c.updates {
		c.name, c.url = at("name"), at("url")
	}
	return c
}

// lines returns a row as text: its name, counts and words, and its catalog page.
func (c columns) lines(row []view.Cell) []string {
	first := view.OneLine(row[0].Text)
	if c.name > 0 {
		first = strings.TrimSpace(first + " " + view.OneLine(row[c.name].Text))
	}
	var about []string
	for i, cell := range row {
		if words := c.words(i, cell); words != "" {
			about = append(about, words)
		}
	}
	said := strings.Join(about, "; ")
	if !c.updates {
		return []string{strings.TrimSuffix("- "+first+": "+said, ": ")}
	}
	lines := []string{"", first}
	for _, l := range []string{said, c.address(row)} {
		if l != "" {
			lines = append(lines, "  "+l)
		}
	}
	return lines
}

// words returns a cell as text with its column's name, or "" if the text does not need it.
func (c columns) words(i int, cell view.Cell) string {
	title := view.OneLine(c.all[i].Title)
	if runes := []rune(title); len(runes) > 1 && !unicode.IsUpper(runes[1]) {
		title = string(unicode.ToLower(runes[0])) + string(runes[1:])
	}
	switch {
	case i == 0 || i == c.name:
		return ""
	case c.all[i].Kind == view.Number:
		return view.Count(cell.Number, strings.TrimSuffix(title, "s"))
	case c.all[i].Kind == view.Text && cell.Text != "":
		return title + ": " + view.OneLine(cell.Text)
	}
	return ""
}

// address returns the catalog page of a row's update; "" without one.
func (c columns) address(row []view.Cell) string {
	if c.url >= 0 {
		if a := row[c.url].Action; a != nil {
			return view.OneLine(a.URL)
		}
		return ""
	}
	return catalog.URL(strings.TrimPrefix(row[0].Text, "KB"), "")
}
