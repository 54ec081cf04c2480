package commands

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/view"
)

// The orders of a list of KBs.
const (
	sortDevices = "devices"
	sortCVEs    = "cves"
	sortKB      = "kb"
)

// sortKBs puts what matters most first. Equal rows keep one order whatever Defender's was, so that pages fit together.
func sortKBs(kbs []api.MissingKB, by string) {
	devices := func(a, b api.MissingKB) int { return cmp.Compare(b.MachineMissedOn, a.MachineMissedOn) }
	cves := func(a, b api.MissingKB) int { return cmp.Compare(b.CVEAddressed, a.CVEAddressed) }
	first, second := devices, cves
	switch by {
	case sortCVEs:
		first, second = cves, devices
	case sortKB:
		first, second = newestKB, devices
	}
	slices.SortFunc(kbs, func(a, b api.MissingKB) int {
		return cmp.Or(first(a, b), second(a, b), newestKB(a, b), cmp.Compare(a.OSBuild, b.OSBuild))
	})
}

// newestKB orders by KB number, the newest first; ids that are no numbers come last, by name.
func newestKB(a, b api.MissingKB) int {
	x, errX := strconv.Atoi(a.ID)
	y, errY := strconv.Atoi(b.ID)
	if errX != nil || errY != nil {
		return cmp.Or(cmp.Compare(boolInt(errX != nil), boolInt(errY != nil)), strings.Compare(a.ID, b.ID))
	}
	return cmp.Compare(y, x)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

var kbColumns = []view.Column{
	{Key: "kb", Title: "KB"},
	{Key: "name", Title: "Update"},
	{Key: "products", Title: "Products"},
	{Key: "os_build", Title: "OS build"},
	{Key: "devices", Title: "Devices", Kind: view.Number},
	{Key: "cves", Title: "CVEs", Kind: view.Number},
	{Key: "url", Title: "Catalog", Kind: view.Button},
}

// kbTable makes the table of sorted KBs. A list may be so long that the cells of all its rows would take several times
// as much memory as the list; most media show a few of them.
func kbTable(q query, kbs []api.MissingKB) view.Table {
	t := view.Table{
		Caption: "Missing updates of " + q.id,
		Columns: kbColumns,
		More:    view.More{Count: len(kbs), Make: func(i int) []view.Cell { return kbRow(kbs[i]) }},
		Page:    q.page,
		Command: q.line(q.sort, 0),
	}
	if len(kbs) > 1 {
		for _, by := range []struct{ sort, label string }{
			{sortDevices, "Sort by devices"}, {sortCVEs, "Sort by CVEs"}, {sortKB, "Newest first"},
		} {
			if by.sort != q.sort {
				t.Sorts = append(t.Sorts, view.Action{Label: by.label, Command: q.line(by.sort, 0), Effect: view.Replace})
			}
		}
	}
	return t
}

func kbRow(kb api.MissingKB) []view.Cell {
	return []view.Cell{
		view.TextCell(catalog.Label(kb.ID)),
		view.TextCell(kb.Name),
		view.TextCell(strings.Join(kb.ProductsNames, ProductsBetween)),
		view.TextCell(kb.OSBuild),
		view.NumberCell(kb.MachineMissedOn),
		view.NumberCell(kb.CVEAddressed),
		catalogCell(kb),
	}
}

// catalogCell is the button to the catalog page of a KB, or no button where there is no page to open.
func catalogCell(kb api.MissingKB) view.Cell {
	address := catalog.URL(kb.ID, kb.URL)
	if address == "" {
		return view.TextCell("")
	}
	return view.Cell{Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: address}}
}
