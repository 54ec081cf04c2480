package view

import (
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// ErrNoTable is returned by [WriteCSV] for a page that has nothing to put into rows.
var ErrNoTable = errors.New("this answer has no table to write as CSV")

// WriteCSV writes the tables of a page as CSV (RFC 4180): a header of column keys, then every row, whatever page was
// asked for. Old data has two columns more, as_of and stale. Cells that a spreadsheet would run as a formula get a leading apostrophe. Charts are left out. A page without
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
		names, values := oldColumns(p.AsOf)
		record := make([]string, len(t.Columns), len(t.Columns)+len(names))
		for i, c := range t.Columns {
			record[i] = c.Key
		}
		record = append(record, names...)
		if err := out.Write(record); err != nil {
			return err
		}
		for at := range t.Len() {
			for i, c := range t.Row(at) {
				record[i] = cellCSV(t.Columns[i].Kind, c)
			}
			copy(record[len(t.Columns):], values)
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

// oldColumns are the columns more that rows of old data have: when it was fetched, and why there is none that is fresh.
func oldColumns(a AsOf) (names, values []string) {
	if a.Stale == NotStale {
		return nil, nil
	}
	return []string{"as_of", "stale"}, []string{a.Time.UTC().Format(time.RFC3339), string(a.Stale)}
}

func cellCSV(k Kind, c Cell) string {
	switch {
	case k == Number:
		return strconv.Itoa(c.Number)
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
