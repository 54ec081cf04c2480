package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// textRows is how many rows a page of a table has on a terminal, when a page was asked for.
const textRows = 50

// WriteText writes a page for a terminal: title, lead, context, parts, note and time. Tables are written whole unless the
// person asked for a page of them. Control characters in foreign text are left out.
func WriteText(w io.Writer, p Page) error {
	var b strings.Builder
	paragraph := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			fmt.Fprintf(&b, "%s\n\n", s)
		}
	}
	paragraph(strings.Join(slices.DeleteFunc([]string{OneLine(p.Title), p.AsOf.Notice(), OneLine(p.Lead), OneLine(p.Context)}, func(s string) bool { return s == "" }), "\n"))
	for _, part := range p.Parts {
		switch part := part.(type) {
		case Facts:
			paragraph(factsText(part))
		case List:
			paragraph(listText(part))
		case Table:
			if part.Len() > 0 {
				paragraph(tableText(part.Visible()))
			}
		case Chart:
			if len(part.Lines()) > 0 {
				paragraph(chartText(part))
			}
		}
	}
	paragraph(OneLine(p.Note))
	paragraph(p.AsOf.String())
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func factsText(facts Facts) string {
	return align(func(w io.Writer) {
		for _, f := range facts {
			fmt.Fprintf(w, "%s\t%s\n", OneLine(f.Name), OneLine(f.Value))
		}
	})
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

func tableText(t Table) string {
	from, to := 0, t.Len()
	if t.Page > 0 {
		from = min(min(t.Page-1, t.Len())*textRows, t.Len()) // a page may be any number that somebody typed
		to = min(from+textRows, t.Len())
	}
	body := align(func(w io.Writer) {
		heads := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			heads[i] = OneLine(c.Title)
		}
		fmt.Fprintln(w, strings.Join(heads, "\t"))
		for at := from; at < to; at++ {
			row := t.Row(at)
			cells := make([]string, len(row))
			for i, c := range row {
				cells[i] = cellText(t.Columns[i].Kind, c)
			}
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
	})
	if to-from == t.Len() {
		return body
	}
	if from == to {
		return body + fmt.Sprintf("\n(no rows on page %d: the last is page %d)", t.Page, Pages(t.Len(), textRows))
	}
	return body + fmt.Sprintf("\n(rows %s to %s of %s)", Thousands(from+1), Thousands(to), Thousands(t.Len()))
}

// Pages is how many pages of the given size n rows fill; no rows fill one.
func Pages(n, size int) int { return max(1, (n+size-1)/size) }

// cellText is a cell as words; a button is its address, or the command to type.
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

// align lays tab-separated lines out in columns, without spaces at the ends of lines.
func align(write func(io.Writer)) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	write(w)
	w.Flush() // a strings.Builder never fails
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}
