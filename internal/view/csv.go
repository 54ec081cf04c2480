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

// ErrNoTable is returned by [WriteCSV] for a page that has nothing to put into rows.
var ErrNoTable = errors.New("this answer has no table to write as CSV")

// WriteCSV writes the tables of a page as CSV (RFC 4180): a header of column keys in the order of [Table.CSV], then every
// row, whatever page was asked for. Old data has two columns more, as_of and stale; data of which rows could not be read
// has unreadable_rows, their number. Cells that a spreadsheet would run as a formula get a leading apostrophe. Charts are
// left out. A page without
// a table gives [ErrNoTable]; a table without rows is its header.
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

// FileColumns are the places of the columns that a file has, in its order.
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

// moreColumns are the columns more that rows have which are not all that is wanted: of old data when it was fetched and
// why there is none that is fresh; of data that could not be read whole how many rows are not there.
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

// harmless takes out what steers terminals, and keeps spreadsheets from running a cell: they take a leading = + - @ as a formula, also behind white space
// or when written full-width. See https://owasp.org/www-community/attacks/CSV_Injection.
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
