package blocks

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// table draws the page of a table that was asked for, and the buttons to its other pages and orders.
func (d *drawing) table(t view.Table) {
	if t.Len() == 0 {
		return
	}
	if extra := len(t.Columns) - maxTableColumns; extra > 0 {
		d.notes = append(d.notes, view.Count(extra, "more column")+" not shown.")
		t.Columns = t.Columns[:maxTableColumns]
	}
	span := d.span(t)
	if span.from == span.to || !d.room() {
		d.notes = append(d.notes, view.Count(t.Len(), "row")+" not shown.")
		return
	}
	if d.options.Classic {
		d.classicRows(t, span)
	} else {
		d.dataTable(t, span)
	}
	d.pages(t, span)
}

// span is the part of a table's rows that one page shows.
type span struct {
	from, to int
	page     int // from 1
}

// span cuts the rows into pages, each as many rows as fit, and returns the one that was asked for: the last where the
// table has fewer. The cuts depend on the rows alone, so that the pages of one answer fit together.
func (d *drawing) span(t view.Table) span {
	rows, chars := tableRows, tableChars
	if d.options.Classic {
		rows, chars = min(classicMax, maxBlocks-reservedBlocks-len(d.blocks)), tableChars
	}
	chars = min(chars, int(d.left)-reservedChars)
	s := span{page: 1}
	used := 0
	for i := range t.Len() {
		cost := d.rowCost(t.Columns, t.Row(i))
		if s.to-s.from > 0 && (s.to-s.from == rows || used+cost > chars) {
			if s.page >= max(1, t.Page) {
				break
			}
			s.from, s.page, used = i, s.page+1, 0
		}
		if cost > chars || rows < 1 {
			return span{page: 1} // not even one row fits: the caller says so
		}
		used += cost
		s.to = i + 1
	}
	return s
}

// rowCost is how many characters a row shows. The classic rendering repeats the headings in every row.
func (d *drawing) rowCost(columns []view.Column, row []view.Cell) int {
	cost := 0
	for i := range columns {
		cost += length(cellText(columns[i].Kind, row[i]))
		if d.options.Classic {
			cost += length(columns[i].Title) + len(" · : ")
		}
	}
	return cost
}

func cellText(k view.Kind, c view.Cell) string {
	switch {
	case k == view.Number:
		return view.Thousands(c.Number)
	case k == view.Button && c.Action != nil:
		return clip(view.OneLine(c.Action.Label), maxButtonText)
	default:
		return clip(view.OneLine(c.Text), maxCell)
	}
}

// pages adds the buttons that page and sort, and says which rows are shown. A data_table sorts by itself, but only the
// rows it holds.
func (d *drawing) pages(t view.Table, s span) {
	whole := s.from == 0 && s.to == t.Len()
	if !whole {
		d.notes = append(d.notes, fmt.Sprintf("Rows %s to %s of %s.",
			view.Thousands(s.from+1), view.Thousands(s.to), view.Thousands(t.Len())))
	}
	if t.Command == "" || d.pager != nil {
		return
	}
	if s.page > 1 {
		d.pager = append(d.pager, pageAction("Previous page", t.Command, s.page-1))
	}
	if rest := t.Len() - s.to; rest > 0 {
		d.pager = append(d.pager, pageAction("Next page ("+view.Thousands(rest)+" more)", t.Command, s.page+1))
	}
	if !whole || d.options.Classic {
		d.pager = append(d.pager, t.Sorts...)
	}
}

func pageAction(label, command string, page int) view.Action {
	return view.Action{Label: label, Command: fmt.Sprintf("%s --page %d", command, page), Effect: view.Replace}
}

// dataTable draws rows as Slack's sortable table.
func (d *drawing) dataTable(t view.Table, s span) {
	header := make([]slack.DataTableCell, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = slack.NewDataTableRawTextCell(clip(view.OneLine(c.Title), maxButtonText))
	}
	block := &slack.DataTableBlock{
		Type:     slack.MBTDataTable,
		Caption:  clip(view.OneLine(t.Caption), maxHeader),
		Rows:     append(make([][]slack.DataTableCell, 0, s.to-s.from+1), header),
		PageSize: min(shownRows, maxPageSize),
	}
	for at := s.from; at < s.to; at++ {
		row := t.Row(at)
		cells := make([]slack.DataTableCell, len(t.Columns))
		for i := range t.Columns {
			cells[i] = d.cell(t.Columns[i].Kind, row[i])
			d.left.take(cellText(t.Columns[i].Kind, row[i]))
		}
		block.Rows = append(block.Rows, cells)
	}
	d.add(block)
}

func (d *drawing) cell(k view.Kind, c view.Cell) slack.DataTableCell {
	text := cellText(k, c)
	if k == view.Number {
		cell := slack.NewDataTableRawNumberCell(float64(c.Number))
		if c.Number > 999 {
			cell.Text = text
		}
		return cell
	}
	if k == view.Button && c.Action != nil {
		if b := d.button(*c.Action); b != nil {
			return slack.NewDataTableActionCell(b).WithFallback(slack.NewDataTableRawTextCell(clip(c.Text, maxButtonText)))
		}
	}
	return slack.NewDataTableRawTextCell(text)
}

// classicRows draws each row as a section with its button: the first two words on a line of their own, then the other
// cells with their headings.
func (d *drawing) classicRows(t view.Table, s span) {
	for at := s.from; at < s.to; at++ {
		row := t.Row(at)
		var head, rest []string
		var accessory *slack.Accessory
		for i, column := range t.Columns {
			c := row[i]
			switch {
			case column.Kind == view.Button:
				if c.Action == nil {
					continue
				}
				if b := d.button(*c.Action); b != nil && accessory == nil {
					accessory = slack.NewAccessory(b)
					d.left.take(b.Text.Text)
				}
			case column.Kind == view.Text && c.Text == "":
			case column.Kind == view.Text && i < 2:
				head = append(head, cellText(column.Kind, c))
			default:
				rest = append(rest, view.OneLine(column.Title)+": "+cellText(column.Kind, c))
			}
		}
		text := plain(strings.Join(head, " · ")+"\n"+strings.Join(rest, " · "), maxText)
		d.left.take(text.Text)
		d.add(slack.NewSectionBlock(text, nil, accessory))
	}
}
