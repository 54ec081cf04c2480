package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/product"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

// AllRows is the option that shows Defender's rows behind updates; allRows is its short form.
const (
	AllRows = "all-rows"
	allRows = "all"
)

// The orders of a list of KBs.
const (
	sortFirst   = "exploited" // exploited first, then by devices; just by devices if exploits are unknown
	sortDevices = "devices"
	sortCVEs    = "cves"
	sortKB      = "kb"
)

// sortUpdates sorts by a key, most urgent first.
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

// Rows converts Defender's rows to those that digests keep.
func Rows(software string, kbs []api.MissingKB) []patchgap.Row {
	rows := make([]patchgap.Row, len(kbs))
	var products string
	for i, kb := range kbs {
		if i == 0 || !slices.Equal(kb.ProductsNames, kbs[i-1].ProductsNames) { // most rows share their products
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

// kbTable returns the table of updates missing in one software; in files also those contained in others.
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

// distinctProducts returns one update for each list of products. Long lists have few, so this avoids making a cell for
// each row.
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

// productCell returns the names of products for people, and as Defender gives them for programs.
func productCell(products []string) view.Cell {
	names := make([]string, len(products))
	for i, p := range products {
		names[i] = product.Name(search.Microsoft+p, "") // only Microsoft's products have KBs
	}
	return view.Cell{Text: strings.Join(names, ", "), Words: products}
}

// sorts returns the buttons for the other orders. Without exploited or overdue updates the first order equals the one
// by devices.
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

// onlyItself reports whether all updates are for the software in the title alone, so that a column of products adds
// nothing.
func onlyItself(software string, updates []patchgap.Update) bool {
	name := product.Name(software, "")
	return !slices.ContainsFunc(updates, func(u patchgap.Update) bool {
		text := productCell(u.Products()).Text
		return text != "" && text != name
	})
}

// page returns the page of an answer. It looks up what the program knows about the rows each time, but only draws a new
// page if that or the answer has changed.
func (s software) page(ctx context.Context, q query, rows []patchgap.Row, answer api.Answer[[]api.MissingKB]) view.Page {
	k, unjudged := s.known.within(len(rows))
	feeds := k.advisories()
	marks, note := k.marks(ctx, rows)
	ages, aged := k.ages(ctx, q.id)
	note = view.JoinSentences(unjudged, note)
	of := []string{q.line(q.sort, 0), strconv.Itoa(q.page) + versionOf(feeds), marks.Version() + ages.Version(), note, triage.Edition(feeds, k.now())}
	source := view.Source{Question: strings.Join(of, "\n"), Answer: answer.Version}
	page, made := s.made.Get(source, feeds.Version())
	if !made {
		l := newList(feeds, q, patchgap.Updates(rows))
		l.marks, l.accepts = marks, k.accepted != nil
		if aged {
			l.age(ages, q)
		}
		page = k.pageOf(q, l, feeds, answer)
		page.Note, page.Source = note, source
		s.made.Put(page, feeds.Version(), len(rows))
	}
	page.AsOf = AsOf(answer)
	return page
}

// pageOf draws the page of a list.
func (k known) pageOf(q query, l list, feeds *advisory.Snapshot, answer api.Answer[[]api.MissingKB]) view.Page {
	if !l.Known() && !l.overdue() && q.sort == sortDevices {
		q.sort = sortFirst // the same order, and the one that buttons leave out
	}
	page := view.Page{
		Title:    "Missing updates: " + product.Name(q.id, ""),
		Lead:     l.lead(q),
		Context:  l.context(feeds, q, k.now()),
		Software: q.id,

		Unreadable: answer.Skipped,
		Actions: []view.Action{
			{Label: "Refresh", Command: q.line(q.sort, q.page, "--fresh"), Effect: view.Replace},
			{Label: "Share to channel", Command: q.line(q.sort, q.page), Effect: view.Share},
		},
	}
	if len(l.gap.Hidden) > 0 {
		all := query{id: q.id, allRows: q.allRows}
		page.Actions = append(page.Actions, view.Action{Label: "Show all", Command: all.line(q.sort, 0), Effect: view.Replace})
	}
	l.sort(q)
	shown, folded := l.Install, l.Folded
	if q.allRows {
		shown, folded = patchgap.EachRow(l.gap.Shown), nil
	}
	if q.allRows && len(shown) > len(l.gap.Shown) {
		page.Lead += fmt.Sprintf(" %s: one for each OS build.", view.Count(len(shown), "row"))
	}
	switch {
	case answer.Skipped > 0 && len(l.gap.Shown)+len(l.gap.Hidden) == 0:
		page.Lead = noneRead(answer.Skipped)
	case answer.Skipped > 0:
		page.Lead += fmt.Sprintf(" %s, so more may be missing.", CouldNotRead(answer.Skipped))
	}
	page.Actions = append(page.Actions, q.otherRows(l)...)
	page.Actions = append(page.Actions, view.Copies(q.line(q.sort, 0))...)
	page.Actions = append(page.Actions, view.Action{Label: browseLabel, Command: BrowseName})
	page.Parts = []view.Part{kbTable(q, l, shown, folded)} // even without rows: a CSV of nothing has its header
	return page
}

// otherRows returns the button that switches between Defender's rows and the updates to install, if they differ.
func (q query) otherRows(l list) []view.Action {
	label := q.otherLabel(l)
	if label == "" {
		return nil
	}
	q.allRows = !q.allRows
	return []view.Action{{Label: label, Command: q.line(q.sort, 0), Effect: view.Replace}}
}

// nothingMissing completes the page of a known software without missing KBs.
func nothingMissing(page view.Page, s api.Software) view.Page {
	page.Lead = "No missing updates: Defender knows this software and lists no KB for it."
	page.Parts = append(page.Parts, view.Facts{
		{Name: "Exposed devices", Value: view.Thousands(s.ExposedMachines)},
		{Name: "Known weaknesses", Value: view.Thousands(s.Weaknesses)},
	})
	if s.ExposedMachines > 0 {
		page.Lead += " But " + exposed(s.ExposedMachines) + ": update the software itself, with its own updater or by installing its newest version."
	}
	if s.Vendor != "microsoft" {
		page.Note = "KBs are Microsoft's: the updates of other vendors are not counted here, so weaknesses may remain."
	}
	return page
}

func exposed(n int) string {
	if n == 1 {
		return "1 device is exposed"
	}
	return view.Thousands(n) + " devices are exposed"
}

// fixTable lists the updates that fix a CVE, with the devices that miss each.
func fixTable(id string, f api.Findings) view.Table {
	t := view.Table{
		Caption: "Updates that fix " + id,
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "details", Title: "Details", Kind: view.Button},
			{Key: "url", Title: "Catalog", Kind: view.Button},
		},
		Command: cmdline.Join(cveName, id),
	}
	for _, k := range f.KBs {
		if k.ID == "" {
			continue
		}
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(catalog.Label(k.ID)), view.NumberCell(k.Devices), detailsButton(kbName, k.ID), catalogButton(k.ID),
		})
	}
	return t
}

func catalogButton(kb string) view.Cell {
	address := catalog.URL(kb, "")
	if address == "" {
		return view.TextCell("")
	}
	return view.Cell{Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: address}}
}
