package view

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minColumn is the least width of a column of words; below it columns are left out. gap is the space between columns.
const (
	minColumn = 12
	gap       = "  "
)

// grid lays out rows of cells in columns.
type grid struct {
	rows   [][]string
	fixed  []bool // columns that must not wrap: numbers
	spare  []bool // columns that may be left out: buttons, which JSON and CSV contain
	hidden []string
}

// lines lays out the rows within a width; 0 for no limit. Cells that are too long wrap; columns of buttons are left out
// first, and named in hidden.
func (g *grid) lines(width int) []string {
	widths := g.widths()
	for width > 0 && total(widths) > width && g.drop(width) {
		widths = g.widths()
	}
	if width > 0 {
		g.narrow(widths, width)
	}
	var out []string
	for _, row := range g.rows {
		out = append(out, layRow(row, widths)...)
	}
	return out
}

// widths returns the widest cell of each column.
func (g *grid) widths() []int {
	w := make([]int, len(g.fixed))
	for _, row := range g.rows {
		for i, cell := range row {
			w[i] = max(w[i], utf8.RuneCountInString(cell))
		}
	}
	return w
}

func total(widths []int) int {
	n := (len(widths) - 1) * len(gap)
	for _, w := range widths {
		n += w
	}
	return n
}

// drop leaves out the widest spare column, and reports whether there was one.
func (g *grid) drop(width int) bool {
	at := -1
	widths := g.widths()
	for i, spare := range g.spare {
		if spare && (at < 0 || widths[i] > widths[at]) {
			at = i
		}
	}
	if at < 0 || widths[at] <= minColumn && total(widths)-width < widths[at] && g.canNarrow(widths, width) {
		return false
	}
	g.hidden = append(g.hidden, g.rows[0][at])
	for i, row := range g.rows {
		g.rows[i] = append(row[:at:at], row[at+1:]...)
	}
	g.fixed = append(g.fixed[:at:at], g.fixed[at+1:]...)
	g.spare = append(g.spare[:at:at], g.spare[at+1:]...)
	return true
}

// canNarrow reports whether the columns fit once those of words are as narrow as allowed.
func (g *grid) canNarrow(widths []int, width int) bool {
	least := make([]int, len(widths))
	for i, w := range widths {
		least[i] = w
		if !g.fixed[i] {
			least[i] = min(w, minColumn)
		}
	}
	return total(least) <= width
}

// narrow takes from the widest columns until all fit. Numbers only wrap if even the narrowest columns do not fit.
func (g *grid) narrow(widths []int, width int) {
	for _, least := range []int{minColumn, 1} {
		for total(widths) > width {
			at := -1
			for i, w := range widths {
				if w > least && (least == 1 || !g.fixed[i]) && (at < 0 || w > widths[at]) {
					at = i
				}
			}
			if at < 0 {
				break
			}
			widths[at]--
		}
	}
}

// layRow lays out one row, in as many lines as its tallest cell has.
func layRow(row []string, widths []int) []string {
	cells := make([][]string, len(row))
	tall := 1
	for i, cell := range row {
		cells[i] = wrap(cell, widths[i])
		tall = max(tall, len(cells[i]))
	}
	out := make([]string, tall)
	for at := range out {
		var b strings.Builder
		for i, lines := range cells {
			part := ""
			if at < len(lines) {
				part = lines[at]
			}
			if i > 0 {
				b.WriteString(gap)
			}
			b.WriteString(part)
			b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(part)))
		}
		out[at] = strings.TrimRight(b.String(), " ")
	}
	return out
}

// wrap breaks a line at spaces, and words longer than a line anywhere.
func wrap(s string, width int) []string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return []string{s}
	}
	var lines []string
	line := []rune{}
	flush := func() {
		lines = append(lines, strings.TrimRightFunc(string(line), unicode.IsSpace))
		line = line[:0]
	}
	for word := range strings.FieldsSeq(s) {
		r := []rune(word)
		if len(line) > 0 && len(line)+1+len(r) > width {
			flush()
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		for len(line)+len(r) > width {
			take := width - len(line)
			line = append(line, r[:take]...)
			r = r[take:]
			flush()
		}
		line = append(line, r...)
	}
	if len(line) > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// wrapAll breaks every line of a text.
func wrapAll(s string, width int) string {
	if width <= 0 {
		return s
	}
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		out = append(out, wrap(line, width)...)
	}
	return strings.Join(out, "\n")
}

// left names the columns that did not fit.
func (g *grid) left() string {
	if len(g.hidden) == 0 {
		return ""
	}
	what := "columns"
	if len(g.hidden) == 1 {
		what = "column"
	}
	return fmt.Sprintf("(the window is too narrow for the %s %s: -o csv and -o json have all)", what, strings.Join(g.hidden, ", "))
}
