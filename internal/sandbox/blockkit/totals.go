package blockkit

import (
	"fmt"
	"unicode/utf8"
)

// Totals over a whole message.
const (
	maxMarkdown       = 12_000 // characters of all markdown blocks
	maxTableChars     = 10_000 // in the cells of table blocks
	maxDataTableChars = 20_000 // in the cells of both kinds of table
	maxCharts         = 2
	// Slack publishes no bound for a message's text. 13,200 characters, a header
	// counting a hundred more, is the smallest that people have measured; cells of
	// tables have bounds of their own.
	maxRendered = 13_200
	headerCost  = 100
)

type totals struct {
	markdown, tableChars, cellChars, charts, focused int
}

// count adds a block to the totals and faults the one that goes over.
func (c *checker) count(at, kind string, o map[string]any) {
	t := &c.totals
	switch kind {
	case "markdown":
		t.markdown += chars(o["text"])
		c.over(at+"/text", t.markdown, maxMarkdown, "characters in all markdown blocks")
	case "table":
		n := cellChars(o)
		t.tableChars += n
		t.cellChars += n
		c.over(at+"/rows", t.tableChars, maxTableChars, "characters in all tables")
		c.over(at+"/rows", t.cellChars, maxDataTableChars, "characters in all tables")
	case "data_table":
		t.cellChars += cellChars(o)
		c.over(at+"/rows", t.cellChars, maxDataTableChars, "characters in all tables")
	case "data_visualization":
		t.charts++
		c.over(at, t.charts, maxCharts, "data_visualization blocks")
	}
}

func (c *checker) over(at string, n, most int, what string) {
	if n > most {
		c.fault(at, "no more than %d %s allowed, these are %d", most, what, n)
	}
}

func chars(v any) int {
	s, _ := v.(string)
	return utf8.RuneCountInString(s)
}

// cellChars counts what a table shows.
func cellChars(o map[string]any) int {
	n := 0
	for _, row := range rowsOf(o) {
		for _, v := range row {
			cell, _ := v.(map[string]any)
			switch cell["type"] {
			case "raw_number":
				if shown := chars(cell["text"]); shown > 0 {
					n += shown
				} else {
					n += len(fmt.Sprint(cell["value"]))
				}
			case "action_cell":
				n += shownText(cell["element"])
			default:
				n += shownText(cell)
			}
		}
	}
	return n
}

// shownText counts the characters under every "text" of a value.
func shownText(v any) int {
	n := 0
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			n += shownText(one)
		}
	case map[string]any:
		for key, inner := range v {
			if key == "text" {
				n += chars(inner)
			}
			n += shownText(inner)
		}
	}
	return n
}

// sums refuses a message whose text is too long as a whole.
func (c *checker) sums(at string, v any) {
	if c.surface != Message {
		return
	}
	n := 0
	for _, b := range objects(v) {
		n += rendered(b)
	}
	if n > maxRendered {
		c.coded("msg_blocks_too_long", at, "must render less than %d characters, these are %d", maxRendered+1, n)
	}
}

// rendered counts the running text of a block.
func rendered(b map[string]any) int {
	switch b["type"] {
	case "header":
		return headerCost + shownText(b["text"])
	case "section":
		return shownText(b["text"]) + shownText(b["fields"])
	case "context", "rich_text":
		return shownText(b["elements"])
	case "markdown":
		return chars(b["text"])
	case "container":
		n := shownText(b["title"]) + shownText(b["rich_text_title"]) + shownText(b["subtitle"])
		for _, child := range objects(b["child_blocks"]) {
			n += rendered(child)
		}
		return n
	case "layout":
		n := 0
		for _, row := range objects(b["rows"]) {
			for _, item := range objects(row["items"]) {
				child, _ := item["block"].(map[string]any)
				n += rendered(child)
			}
		}
		return n
	}
	return 0
}
