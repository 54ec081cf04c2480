// Package xlsx writes a page as an Excel workbook: a sheet for each table, and one that explains the rows and their
// age. Like package view it knows nothing of Slack, Defender or where a file goes. Foreign text is written as text,
// which spreadsheets never run as a formula; counts are numbers, so that they can be summed and sorted.
package xlsx

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/missingkbs/missingkbs/internal/view"
)

// ContentType is the media type of a workbook.
const ContentType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

const (
	aboutSheet   = "About"
	maxSheetName = 31
	minWidth     = 8 // of a column, in characters
	maxWidth     = 60
	headerRow    = 1
)

// Write writes the tables of a page with every row, whichever page was asked for. The columns are those of CSV, with
// the headings for people. It returns [view.ErrNoTable] for a page without a table; a table without rows is written as
// its header.
func Write(w io.Writer, p view.Page) (err error) {
	tables := tablesOf(p)
	if len(tables) == 0 {
		return view.ErrNoTable
	}
	file := excelize.NewFile()
	defer func() {
		if closeErr := file.Close(); err == nil {
			err = closeErr
		}
	}()
	b := book{file: file}
	if b.header, err = file.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}}); err != nil {
		return err
	}
	for i, t := range tables {
		if err := b.table(i, t); err != nil {
			return err
		}
	}
	if err := b.about(p); err != nil {
		return err
	}
	_, err = file.WriteTo(w)
	return err
}

func tablesOf(p view.Page) []view.Table {
	var tables []view.Table
	for _, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			tables = append(tables, t)
		}
	}
	return tables
}

// book is a workbook being written.
type book struct {
	file   *excelize.File
	header int // style ID
	names  []string
}

// sheet adds a sheet. A new workbook has one already, which becomes the first.
func (b *book) sheet(name string) (*excelize.StreamWriter, error) {
	if len(b.names) == 0 {
		if err := b.file.SetSheetName(b.file.GetSheetName(0), name); err != nil {
			return nil, err
		}
	} else if _, err := b.file.NewSheet(name); err != nil {
		return nil, err
	}
	b.names = append(b.names, name)
	return b.file.NewStreamWriter(name)
}

// table writes a table as a sheet with a frozen header and a filter.
func (b *book) table(i int, t view.Table) error {
	columns := t.FileColumns()
	sheet, err := b.sheet(b.sheetName(i, t.Caption))
	if err != nil {
		return err
	}
	for at, width := range widths(t, columns) {
		if err := sheet.SetColWidth(at+1, at+1, float64(width)); err != nil {
			return err
		}
	}
	if err := sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: headerRow, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	row := make([]any, len(columns))
	for at, c := range columns {
		row[at] = excelize.Cell{StyleID: b.header, Value: text(t.Columns[c].Title)}
	}
	if err := sheet.SetRow("A1", row); err != nil {
		return err
	}
	for r := range t.FileLen() {
		cells := t.FileRow(r)
		for at, c := range columns {
			row[at] = value(t.Columns[c].Kind, cells[c])
		}
		if err := sheet.SetRow(fmt.Sprintf("A%d", r+1+headerRow), row); err != nil {
			return err
		}
	}
	if err := sheet.Flush(); err != nil {
		return err
	}
	last, err := excelize.CoordinatesToCellName(len(columns), t.FileLen()+headerRow)
	if err != nil {
		return err
	}
	return b.file.AutoFilter(b.names[len(b.names)-1], "A1:"+last, nil)
}

// about writes a sheet with what a reader of just the file has to know.
func (b *book) about(p view.Page) error {
	sheet, err := b.sheet(aboutSheet)
	if err != nil {
		return err
	}
	if err := sheet.SetColWidth(1, 1, 20); err != nil {
		return err
	}
	if err := sheet.SetColWidth(2, 2, 100); err != nil {
		return err
	}
	rows := [][2]string{{"Title", p.Title}, {"", p.Lead}, {"", p.Context}, {"Software", p.Software}, {"", p.Note}}
	if !p.AsOf.Time.IsZero() {
		rows = append(rows, [2]string{"As of", p.AsOf.Time.UTC().Format(time.RFC3339)}, [2]string{"", p.AsOf.Notice()})
	}
	if p.Unreadable > 0 {
		rows = append(rows, [2]string{"Unreadable rows", view.Thousands(p.Unreadable)})
	}
	n := 0
	for _, r := range rows {
		if r[1] == "" {
			continue
		}
		n++
		if err := sheet.SetRow(fmt.Sprintf("A%d", n), []any{excelize.Cell{StyleID: b.header, Value: r[0]}, text(r[1])}); err != nil {
			return err
		}
	}
	return sheet.Flush()
}

// sheetName returns the name of a table's sheet: its caption as far as Excel accepts it, and unique.
func (b *book) sheetName(i int, caption string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return ' '
		}
		return r
	}, view.OneLine(caption)), " ")
	for utf16Len(name) > maxSheetName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	name = strings.TrimSpace(name)
	for _, taken := range append(b.names, aboutSheet, "History", "") { // Excel reserves History
		if strings.EqualFold(taken, name) {
			return fmt.Sprintf("Table %d", i+1)
		}
	}
	return name
}

// utf16Len returns the length of a text as Excel counts it.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

// value returns the value of a cell. Text is written as text, whatever it starts with.
func value(k view.Kind, c view.Cell) any {
	switch {
	case k == view.Number:
		return c.Number
	case k == view.Words:
		return text(strings.Join(c.Words, ", "))
	case k == view.Button && c.Action == nil:
		return nil
	case k == view.Button && c.Action.URL != "":
		return text(c.Action.URL)
	case k == view.Button:
		return text(c.Action.Command)
	}
	return text(c.Text)
}

// text returns foreign text without characters that XML cannot contain, cut to the limit of a cell.
func text(s string) string {
	s = strings.ToValidUTF8(view.Lines(s), "\uFFFD")
	if utf16Len(s) <= excelize.TotalCellChars {
		return s
	}
	n := 0
	for i, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
		if n > excelize.TotalCellChars {
			return s[:i]
		}
	}
	return s
}

// widths returns the widths of columns, from their headings and first rows.
func widths(t view.Table, columns []int) []int {
	const looked = 200
	w := make([]int, len(columns))
	for at, c := range columns {
		w[at] = max(minWidth, utf8.RuneCountInString(t.Columns[c].Title)+2)
	}
	for r := range min(t.FileLen(), looked) {
		cells := t.FileRow(r)
		for at, c := range columns {
			if s, ok := value(t.Columns[c].Kind, cells[c]).(string); ok {
				w[at] = min(max(w[at], utf8.RuneCountInString(s)+2), maxWidth)
			}
		}
	}
	return w
}
