package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// textRows is the size of a table page on a terminal, if a page was asked for.
const textRows = 50

// WriteText writes a page for a terminal: title, lead, context, parts, note and time. It writes tables whole unless a
// page was asked for, and removes control characters from foreign text.
func WriteText(w io.Writer, p Page) error { return Terminal{}.Write(w, p) }

// Terminal describes where text is read.
type Terminal struct {
	Width int  // in characters; 0 for a file, whose lines do not wrap
	Color bool // it supports ANSI escapes, for titles and headings
}

// Write is [WriteText] for a terminal. Lines do not exceed its width: cells wrap, and columns of buttons that do not
// fit are named and left out.
func (t Terminal) Write(w io.Writer, p Page) error {
	var b strings.Builder
	paragraph := func(s string) {
		if s = strings.Trim(s, "\n "); s != "" {
			fmt.Fprintf(&b, "%s\n\n", s)
		}
	}
	title := t.style(bold, wrapAll(OneLine(p.Title), t.Width))
	head := slices.DeleteFunc([]string{p.AsOf.Notice(), OneLine(p.Lead), OneLine(p.Context)}, func(s string) bool { return s == "" })
	paragraph(strings.Join(slices.DeleteFunc([]string{title, wrapAll(strings.Join(head, "\n"), t.Width)}, func(s string) bool { return s == "" }), "\n"))
	for _, part := range p.Parts {
		switch part := part.(type) {
		case Facts:
			paragraph(t.facts(part))
		case List:
			paragraph(wrapAll(listText(part), t.Width))
		case Table:
			if part.Len() > 0 {
				paragraph(t.table(part.Visible()))
			}
		case Chart:
			if len(part.Lines()) > 0 {
				paragraph(chartText(part))
			}
		case Code:
			paragraph(Lines(part.Text))
		}
	}
	paragraph(t.style(faint, wrapAll(OneLine(p.Note), t.Width)))
	paragraph(t.style(faint, wrapAll(strings.Join(slices.DeleteFunc([]string{p.AsOf.String(), p.ID()}, func(s string) bool { return s == "" }), "\n"), t.Width)))
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// ANSI escapes for prominent and for dimmed text.
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	plain = "\x1b[0m"
)

// style wraps text in an escape, line by line, if the terminal supports it.
func (t Terminal) style(escape, s string) string {
	if !t.Color || s == "" {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = escape + l + plain
	}
	return strings.Join(lines, "\n")
}

// facts writes names and values side by side, or below each other if that is too wide.
func (t Terminal) facts(facts Facts) string {
	g := grid{fixed: make([]bool, 2), spare: make([]bool, 2)}
	for _, f := range facts {
		g.rows = append(g.rows, []string{OneLine(f.Name), OneLine(f.Value)})
	}
	if w := g.widths(); t.Width > 0 && total(w) > t.Width && w[0] > t.Width/3 {
		const indent = "    "
		var lines []string
		for _, row := range g.rows {
			lines = append(lines, wrap(row[0], t.Width)...)
			for _, l := range wrap(row[1], max(t.Width-len(indent), 1)) {
				lines = append(lines, indent+l)
			}
		}
		return strings.Join(lines, "\n")
	}
	return strings.Join(g.lines(t.Width), "\n")
}

func listText(l List) string {
	if len(l.Items) == 0 && l.More == 0 {
		return ""
	}
	lines := []string{OneLine(l.Name)}
	for _, item := range l.Lines() {
		lines = append(lines, "  "+OneLine(item))
	}
	return strings.Join(lines, "\n")
}

func (t Terminal) table(table Table) string {
	from, to := 0, table.Len()
	if table.Page > 0 {
		from = min(min(table.Page-1, table.Len())*textRows, table.Len()) // the page is any number that was typed
		to = min(from+textRows, table.Len())
	}
	g := grid{}
	heads := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		heads[i] = heading(table, i)
		g.fixed, g.spare = append(g.fixed, c.Kind == Number), append(g.spare, c.Kind == Button)
	}
	g.rows = append(g.rows, heads)
	for at := from; at < to; at++ {
		row := table.Row(at)
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = cellText(table.Columns[i].Kind, c)
		}
		g.rows = append(g.rows, cells)
	}
	lines := g.lines(t.Width)
	lines[0] = t.style(bold, lines[0])
	notes := []string{g.left()}
	switch {
	case to-from == table.Len():
	case from == to:
		notes = append(notes, fmt.Sprintf("(no rows on page %d: the last is page %d)", table.Page, Pages(table.Len(), textRows)))
	default:
		notes = append(notes, fmt.Sprintf("(rows %s to %s of %s)", Thousands(from+1), Thousands(to), Thousands(table.Len())))
	}
	for _, n := range notes {
		if n != "" {
			lines = append(lines, wrap(n, t.Width)...)
		}
	}
	return strings.Join(lines, "\n")
}

// heading returns the title of a column. A reader of "Missing updates" expects a count, so commands are marked as such.
func heading(table Table, column int) string {
	title := OneLine(table.Columns[column].Title)
	if table.Columns[column].Kind != Button || table.Len() == 0 {
		return title
	}
	if a := table.Row(0)[column].Action; a != nil && a.URL == "" {
		return title + " (type)"
	}
	return title
}

// Beyond returns the requested and the last page of a table that has fewer pages than requested; beyond is false if
// none has.
func (p Page) Beyond() (asked, last int, beyond bool) {
	for _, part := range p.Parts {
		if t, ok := part.(Table); ok && t.Len() > 0 && t.Page > Pages(t.Len(), textRows) {
			return t.Page, Pages(t.Len(), textRows), true
		}
	}
	return 0, 0, false
}

// Pages returns how many pages of a size n rows fill, at least one.
func Pages(n, size int) int { return max(1, (n+size-1)/size) }

// cellText returns a cell as text; a button is its address, or the command to type.
func cellText(k Kind, c Cell) string {
	switch {
	case k == Number:
		return Thousands(c.Number)
	case k == Button && c.Action != nil && c.Action.URL != "":
		return OneLine(c.Action.URL)
	case k == Button && c.Action != nil:
		return OneLine(c.Action.Command)
	case c.Text == "":
		return "-"
	default:
		return OneLine(c.Text)
	}
}
