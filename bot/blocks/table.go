package blocks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// table draws the requested page of a table, and the buttons to its other pages and orders.
func (d *drawing) table(t view.Table) {
	if t.Len() == 0 {
		return
	}
	if extra := len(t.Columns) - maxTableColumns; extra > 0 {
		d.notes = append(d.notes, view.Count(extra, "more column")+" not shown.")
		t.Columns = t.Columns[:maxTableColumns]
	}
	t = d.withoutButtons(t)
	tables := d.rung(t)
	span := d.span(t, tables)
	d.hidden += t.Len() - (span.to - span.from)
	if span.from == span.to || !d.room() {
		d.hidden += span.to - span.from
		d.notes = append(d.notes, view.Count(t.Len(), "row")+" not shown.")
		return
	}
	switch tables {
	case SectionTables:
		d.classicRows(t, span)
	case PlainTables:
		d.plainTable(t, span)
	default:
		d.dataTable(t, span)
	}
	d.pages(t, span, tables)
}

// withoutButtons drops the optional columns if tables cannot contain buttons, and says what to type instead.
func (d *drawing) withoutButtons(t view.Table) view.Table {
	if d.options.Tables == ButtonTables {
		return t
	}
	essential, left := t.Essential()
	for _, c := range left {
		at := slices.IndexFunc(t.Columns, func(other view.Column) bool { return other.Key == c.Key })
		if a := t.Row(0)[at].Action; a != nil && a.Command != "" {
			d.notes = append(d.notes, fmt.Sprintf("%s of a row: type, for example, %s.", view.OneLine(c.Title), view.OneLine(a.Command)))
		}
	}
	return essential
}

// rung returns how one table is drawn. It depends on the rows alone, as the paging does.
func (d *drawing) rung(t view.Table) Tables {
	switch tables := d.options.Tables; {
	case tables == ButtonTables:
		return tables
	case tables == PlainTables && d.plain, runsCommands(t):
		return SectionTables
	default:
		return tables
	}
}

// runsCommands reports whether a button in the first rows runs a command, which a link cannot.
func runsCommands(t view.Table) bool {
	for i := range min(t.Len(), tableRows) {
		for _, c := range t.Row(i) {
			if c.Action != nil && KindOf(*c.Action) != Open {
				return true
			}
		}
	}
	return false
}

// span is the part of a table's rows on one page.
type span struct {
	from, to int
	page     int // from 1
}

// span divides the rows into pages of as many rows as fit, and returns the requested one, or the last if there are
// fewer. The division depends on the rows alone, so that the pages of one answer fit together.
func (d *drawing) span(t view.Table, tables Tables) span {
	rows, chars := tableRows, tableChars
	switch tables {
	case SectionTables:
		rows = min(classicMax, maxBlocks-reservedBlocks-len(d.blocks))
	case PlainTables:
		rows, chars = maxPlainRows-1, min(tableChars, maxPlainChars-headingCost(t.Columns))
	}
	chars = min(chars, int(d.left)-reservedChars)
	s := span{page: 1}
	used := 0
	for i := range t.Len() {
		cost := rowCost(t.Columns, t.Row(i), tables)
		if s.to-s.from > 0 && (s.to-s.from == rows || used+cost > chars) {
			if s.page >= max(1, t.Page) {
				break
			}
			s.from, s.page, used = i, s.page+1, 0
		}
		if cost > chars || rows < 1 {
			return span{page: 1} // no row fits; the caller says so
		}
		used += cost
		s.to = i + 1
	}
	return s
}

// rowCost returns how many characters a row counts. Sections repeat the headings in every row. In a table block the
// addresses of links count, because its limit is tight and Slack does not say whether it counts them.
func rowCost(columns []view.Column, row []view.Cell, tables Tables) int {
	cost := 0
	for i := range columns {
		cost += length(cellText(columns[i].Kind, row[i]))
		switch {
		case tables == SectionTables:
			cost += length(columns[i].Title) + len(" · : ")
		case tables == PlainTables && row[i].Action != nil:
			cost += length(row[i].Action.URL)
		}
	}
	return cost
}

func headingCost(columns []view.Column) int {
	cost := 0
	for _, c := range columns {
		cost += length(heading(c))
	}
	return cost
}

func heading(c view.Column) string { return clip(view.OneLine(c.Title), maxButtonText) }

// cellText returns a cell as text.
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

// pages adds the buttons for paging and sorting, and says which rows are shown. A data_table sorts by itself, but only
// the rows it contains.
func (d *drawing) pages(t view.Table, s span, tables Tables) {
	all := max(t.Whole, t.Len())
	whole := s.to-s.from == all
	if !whole {
		d.notes = append(d.notes, fmt.Sprintf("Rows %s to %s of %s.",
			view.Thousands(t.Before+s.from+1), view.Thousands(t.Before+s.to), view.Thousands(all)))
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
	if !whole || tables >= PlainTables {
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
		header[i] = slack.NewDataTableRawTextCell(heading(c))
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

// cell draws a cell of a data_table. Slack refuses number cells without a text, although its documentation calls it
// optional; @slack/types requires it.
func (d *drawing) cell(k view.Kind, c view.Cell) slack.DataTableCell {
	text := cellText(k, c)
	switch {
	case k == view.Number:
		return slack.NewDataTableRawNumberCell(float64(c.Number)).WithText(text)
	case k == view.Button && c.Action != nil && d.options.Tables == ButtonTables:
		if b := d.button(*c.Action); b != nil {
			return slack.NewDataTableActionCell(b).WithFallback(slack.NewDataTableRawTextCell(clip(c.Text, maxButtonText)))
		}
	case k == view.Button && c.Action != nil && openable(c.Action.URL):
		return slack.NewDataTableRichTextCell(slack.NewRichTextSection(slack.NewRichTextSectionLinkElement(c.Action.URL, text, nil)))
	}
	return slack.NewDataTableRawTextCell(text)
}

// plainTable draws rows as a table block.
func (d *drawing) plainTable(t view.Table, s span) {
	d.plain = true
	block := slack.NewTableBlock("")
	header := make([]slack.TableCell, len(t.Columns))
	for i, c := range t.Columns {
		title := heading(c)
		d.left.take(title)
		header[i] = slack.NewTableRichTextCell(slack.NewRichTextSection(
			slack.NewRichTextSectionTextElement(title, &slack.RichTextSectionTextStyle{Bold: true})))
		// Slack refuses an empty align, and slack-go always writes it, so every column has one.
		setting := slack.ColumnSetting{Align: slack.ColumnAlignmentLeft, IsWrapped: true}
		if c.Kind == view.Number {
			setting = slack.ColumnSetting{Align: slack.ColumnAlignmentRight}
		}
		block.ColumnSettings = append(block.ColumnSettings, setting)
	}
	block.AddRow(header...)
	for at := s.from; at < s.to; at++ {
		row := t.Row(at)
		cells := make([]slack.TableCell, len(t.Columns))
		for i, c := range t.Columns {
			cells[i] = plainCell(c.Kind, row[i])
			d.left.take(cellText(c.Kind, row[i]))
		}
		block.AddRow(cells...)
	}
	d.add(block)
}

// plainCell draws a cell of a table block. Numbers are written as text, because Slack's mobile apps have shown number
// cells empty.
func plainCell(k view.Kind, c view.Cell) slack.TableCell {
	text := cellText(k, c)
	if k == view.Button && c.Action != nil && openable(c.Action.URL) {
		return slack.NewTableRichTextCell(slack.NewRichTextSection(slack.NewRichTextSectionLinkElement(c.Action.URL, text, nil)))
	}
	return slack.NewTableRawTextCell(text)
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
			case (column.Kind == view.Text || column.Kind == view.Words) && c.Text == "":
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
