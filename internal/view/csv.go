package view

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoTable is returned by [WriteCSV] for a page without a table.
var ErrNoTable = errors.New("this answer has no table to write as CSV")

// WriteCSV writes the tables of a page as CSV (RFC 4180): a header of column keys in the order of [Table.CSV], then
// every row, whichever page was asked for. Stale data has two more columns, as_of and stale; data with unreadable rows
// has unreadable_rows, their number. Cells that a spreadsheet would run as a formula get a leading apostrophe. Charts
// are left out. It returns [ErrNoTable] for a page without a table; a table without rows is written as its header.
func WriteCSV(w io.Writer, p Page) error {
	out := csv.NewWriter(w)
	found := false
	for _, part := range p.Parts {
		t, ok := part.(Table)
		if !ok {
			continue
		}
		found = true
		names, values := moreColumns(p)
		columns := t.FileColumns()
		record := make([]string, len(columns), len(columns)+len(names))
		for i, at := range columns {
			record[i] = t.Columns[at].Key
		}
		record = append(record, names...)
		if err := out.Write(record); err != nil {
			return err
		}
		for at := range t.FileLen() {
			row := t.FileRow(at)
			for i, column := range columns {
				record[i] = cellCSV(t.Columns[column].Kind, row[column])
			}
			copy(record[len(columns):], values)
			if err := out.Write(record); err != nil {
				return err
			}
		}
	}
	if !found {
		return ErrNoTable
	}
	out.Flush()
	return out.Error()
}

// FileColumns returns the indexes of the columns of a file, in its order.
func (t Table) FileColumns() []int {
	var places []int
	for _, key := range t.CSV {
		if at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Key == key }); at >= 0 {
			places = append(places, at)
		}
	}
	for at := 0; len(t.CSV) == 0 && at < len(t.Columns); at++ {
		places = append(places, at)
	}
	return places
}

// moreColumns returns extra columns for incomplete data: when stale data was fetched and why there is no fresh data,
// and how many rows could not be read.
func moreColumns(p Page) (names, values []string) {
	if p.AsOf.Stale != NotStale {
		names, values = []string{"as_of", "stale"}, []string{p.AsOf.Time.UTC().Format(time.RFC3339), string(p.AsOf.Stale)}
	}
	if p.Unreadable > 0 {
		names, values = append(names, "unreadable_rows"), append(values, strconv.Itoa(p.Unreadable))
	}
	return names, values
}

func cellCSV(k Kind, c Cell) string {
	switch {
	case k == Number:
		return strconv.Itoa(c.Number)
	case k == Words:
		return harmless(strings.Join(c.Words, ", "))
	case k == Button && c.Action == nil:
		return ""
	case k == Button && c.Action.URL != "":
		return harmless(c.Action.URL)
	case k == Button:
		return harmless(c.Action.Command)
	default:
		return harmless(c.Text)
	}
}

// harmless removes characters that control terminals, and keeps spreadsheets from running a cell: they treat a leading
// = + - @ as a formula, even after white space or in full width. See
// https://owasp.org/www-community/attacks/CSV_Injection.
func harmless(s string) string {
	s = Lines(s)
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	if t := strings.TrimSpace(s); t != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(t)[0]) {
		return "'" + s
	}
	return s
}
