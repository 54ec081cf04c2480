package commands

import (
	"cmp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/view"
)

// AllRows is the option that shows the rows behind updates, as Defender gives them; allRows is its short form.
const (
	AllRows = "all-rows"
	allRows = "all"
)

// The orders of a list of KBs.
const (
	sortFirst   = "exploited" // exploited updates first, then by devices; by devices alone where nothing is known of exploits
	sortDevices = "devices"
	sortCVEs    = "cves"
	sortKB      = "kb"
)

// sortUpdates puts what matters most first.
func sortUpdates(updates []patchgap.Update, by string) {
	slices.SortStableFunc(updates, func(a, b patchgap.Update) int {
		switch by {
		case sortCVEs:
			return cmp.Compare(b.CVEs, a.CVEs)
		case sortKB:
			return a.CompareKB(b)
		}
		return a.Compare(b)
	})
}

// Rows are missing KBs of a software as digests keep them.
func Rows(software string, kbs []api.MissingKB) []patchgap.Row {
	rows := make([]patchgap.Row, len(kbs))
	var products string
	for i, kb := range kbs {
		if i == 0 || !slices.Equal(kb.ProductsNames, kbs[i-1].ProductsNames) { // most rows are for the same ones
			products = strings.Join(kb.ProductsNames, patchgap.ProductsBetween)
		}
		rows[i] = patchgap.Row{
			Key:      patchgap.Key{Software: software, KB: kb.ID, OSBuild: kb.OSBuild},
			Name:     kb.Name,
			Products: products,
			URL:      kb.URL,
			Devices:  kb.MachineMissedOn,
			CVEs:     kb.CVEAddressed,
		}
	}
	return rows
}

// kbTable makes the table of the updates that one software lacks, and for files of those that others contain.
func kbTable(q query, l list, updates, folded []patchgap.Update) view.Table {
	products := patchgap.Extra{Column: view.Column{Key: "products", Title: "Products", Kind: view.Words}, Cell: func(u patchgap.Update) view.Cell {
		return productCell(u.Products())
	}}
	distinct := distinctProducts(updates)
	products.Hidden = len(distinct) < len(updates) && len(distinct) == 1 || patchgap.Alike(distinct, products.Cell) || onlyItself(q.id, distinct)
	software := patchgap.Extra{Column: view.Column{Key: "software", Title: "Software", Hidden: true}, JSONOnly: true, Cell: func(patchgap.Update) view.Cell {
		return view.TextCell(q.id)
	}}
	more := patchgap.Extra{Column: view.Column{Key: "details", Title: "Details", Kind: view.Button, Optional: true}, JSONOnly: true, Cell: func(u patchgap.Update) view.Cell {
		if u.KB() == "" {
			return view.TextCell("")
		}
		return detailsButton(kbName, u.KB())
	}}
	extra := append([]patchgap.Extra{more, products, patchgap.Builds(updates), software}, l.columns(updates, q)...)
	t := patchgap.Table(updates, extra...)
	if len(folded) > 0 {
		t.Folded = patchgap.Table(folded, extra...).More
	}
	t.Caption, t.Page, t.Command = "Missing updates of "+product.Name(q.id, ""), q.page, q.line(q.sort, 0)
	if len(updates) > 1 {
		t.Sorts = q.sorts(l.Known(), l.overdue())
	}
	return t
}

// distinctProducts has one update for each list of products, so that a long list, which has few, is looked at without making
// the cell of each row.
func distinctProducts(updates []patchgap.Update) []patchgap.Update {
	var distinct []patchgap.Update
	seen := map[string]bool{}
	for _, u := range updates {
		first := u.Rows[0].Products
		alike := !slices.ContainsFunc(u.Rows, func(r patchgap.Row) bool { return r.Products != first })
		if alike && seen[first] {
			continue
		}
		seen[first] = seen[first] || alike
		distinct = append(distinct, u)
	}
	return distinct
}

// productCell has the names of products as people read them, and as Defender gives them for programs.
func productCell(products []string) view.Cell {
	names := make([]string, len(products))
	for i, p := range products {
		names[i] = product.Name(search.Microsoft+p, "") // only Microsoft's products have KBs
	}
	return view.Cell{Text: strings.Join(names, ", "), Words: products}
}

// sorts offers the other orders. Where nothing is known of exploits and nothing is overdue, the first order is that by devices.
func (q query) sorts(known, overdue bool) []view.Action {
	orders := []struct{ sort, label string }{
		{sortFirst, "Exploited first"}, {sortDevices, "Sort by devices"}, {sortCVEs, "Sort by CVEs"}, {sortKB, "Newest first"},
	}
	switch {
	case !known && overdue:
		orders[0].label = "Overdue first"
	case !known:
		orders[1].sort = sortFirst
		orders = orders[1:]
	}
	var actions []view.Action
	for _, by := range orders {
		if by.sort != q.sort {
			actions = append(actions, view.Action{Label: by.label, Command: q.line(by.sort, 0), Effect: view.Replace})
		}
	}
	return actions
}

// onlyItself reports whether updates are for no products but the software that was asked about, which the title names.
func onlyItself(software string, updates []patchgap.Update) bool {
	name := product.Name(software, "")
	return !slices.ContainsFunc(updates, func(u patchgap.Update) bool {
		text := productCell(u.Products()).Text
		return text != "" && text != name
	})
}
