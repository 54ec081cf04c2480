package patchgap

import (
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Extra is a column in addition to those that every table of updates has.
type Extra struct {
	view.Column
	Cell     func(Update) view.Cell
	JSONOnly bool // left out of CSV
	Appended bool // placed at the end of a CSV file, so that the columns before it keep their places for scripts
}

// Table lists updates, one per row: KB, devices, CVEs, name, catalog page and the extra columns. It makes the cells of
// a row when they are shown, because all cells of a long list take several times the memory of its updates.
func Table(updates []Update, extra ...Extra) view.Table {
	const own = 5 // columns that every table has
	columns := append(make([]view.Column, 0, own+len(extra)), view.Column{Key: "kb", Title: "KB"})
	// Scripts read these files, so the columns must not change.
	file, last := append(make([]string, 0, own+len(extra)), "kb", "name"), []string{"devices", "cves", "url"}
	for _, e := range extra {
		switch {
		case e.JSONOnly:
		case e.Appended:
			last = append(last, e.Key)
		default:
			file = append(file, e.Key)
		}
	}
	columns = append(columns,
		view.Column{Key: "devices", Title: "Devices", Kind: view.Number},
		view.Column{Key: "cves", Title: "CVEs", Kind: view.Number},
		view.Column{Key: "name", Title: "Update"},
		view.Column{Key: "url", Title: "Catalog", Kind: view.Button},
	)
	for _, e := range extra {
		columns = append(columns, e.Column)
	}
	return view.Table{Columns: columns, CSV: append(file, last...), More: view.LazyRows{Count: len(updates), Make: func(i int) []view.Cell {
		u := updates[i]
		row := append(make([]view.Cell, 0, len(columns)), view.TextCell(catalog.Label(u.KB())))
		row = append(row, view.NumberCell(u.Devices), view.NumberCell(u.CVEs), view.TextCell(u.Name()), button(u))
		for _, e := range extra {
			row = append(row, e.Cell(u))
		}
		return row
	}}}
}

// button opens the catalog page of an update. It is empty without a page.
func button(u Update) view.Cell {
	address := u.Address()
	if address == "" {
		return view.TextCell("")
	}
	return view.Cell{Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: address}}
}

// Builds is the column of OS builds. It is hidden if all rows have the same one.
func Builds(updates []Update) Extra {
	e := Extra{Column: view.Column{Key: "os_build", Title: "OS build"}, Cell: func(u Update) view.Cell {
		return view.TextCell(strings.Join(u.Builds(), ", "))
	}}
	e.Hidden = Alike(updates, e.Cell)
	return e
}

// Alike reports whether a column is useless: the same in each of several rows, or empty in the only one.
func Alike(updates []Update, cell func(Update) view.Cell) bool {
	if len(updates) == 0 {
		return true
	}
	first := cell(updates[0]).Text
	for _, u := range updates {
		if cell(u).Text != first {
			return false
		}
	}
	return len(updates) > 1 || first == ""
}

// Several reports whether any update has several rows.
func Several(updates []Update) bool {
	return slices.ContainsFunc(updates, func(u Update) bool { return len(u.Rows) > 1 })
}

// EachRow turns each row of the updates into an update of its own.
func EachRow(updates []Update) []Update {
	var all []Update
	for _, u := range updates {
		for i := range u.Rows {
			one := newUpdate(u.Rows[i : i+1 : i+1])
			one.Attack = u.Attack
			all = append(all, one)
		}
	}
	return all
}
