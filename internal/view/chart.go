package view

import (
	"strings"
)

// Chart shows how counts changed over several points. A medium with less room shows the last points.
type Chart struct {
	Title  string
	Unit   string   // what is counted, such as "devices"
	Points []string // names of the points, in order
	Series []Series
}

// Series is one line of a [Chart].
type Series struct {
	Name   string
	Values []int // one for each point
}

func (Chart) part() {}

// barWidth is the length of the longest bar of a chart drawn as text, in characters.
const barWidth = 24

// Lines draws the chart as fixed-width text, one line per point: with a bar if there is one series, otherwise with all
// numbers below their names. It returns nothing for an empty chart.
func (c Chart) Lines() []string {
	if len(c.Points) == 0 || len(c.Series) == 0 {
		return nil
	}
	var rows [][]string
	if len(c.Series) > 1 {
		heads := []string{""}
		for _, s := range c.Series {
			heads = append(heads, OneLine(s.Name))
		}
		rows = append(rows, heads)
	}
	for i, point := range c.Points {
		row := []string{OneLine(point)}
		for _, s := range c.Series {
			row = append(row, Thousands(s.Values[i]))
		}
		if len(c.Series) == 1 {
			row = append(row, bar(c.Series[0].Values, i))
		}
		rows = append(rows, row)
	}
	g := grid{rows: rows, fixed: make([]bool, len(rows[0])), spare: make([]bool, len(rows[0]))}
	return g.lines(0)
}

// bar returns a bar for value i relative to all values. A value above zero is never drawn as nothing.
func bar(values []int, i int) string {
	highest := 1
	for _, v := range values {
		highest = max(highest, v)
	}
	n := int(float64(values[i]) / float64(highest) * barWidth)
	if values[i] > 0 {
		n = max(n, 1)
	}
	return strings.Repeat("█", max(n, 0))
}

// chartText returns a chart with its title.
func chartText(c Chart) string {
	title := OneLine(c.Title)
	if unit := OneLine(c.Unit); unit != "" {
		title += " (" + unit + ")"
	}
	return title + "\n" + strings.Join(c.Lines(), "\n")
}
