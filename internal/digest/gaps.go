package digest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/view"
)

// ranked is rows with the largest gaps first: devices that lack an update times the CVEs that it fixes.
func ranked(rows []Row) []Row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, compareGaps)
	return rows
}

func compareGaps(a, b Row) int {
	return cmp.Or(cmp.Compare(b.Devices*b.CVEs, a.Devices*a.CVEs), cmp.Compare(b.Devices, a.Devices), compareRows(a, b))
}

func (r Report) gaps() view.Table {
	rows := ranked(r.After.Keep(r.Subscription.Filter).Rows)
	t := gapTable(rows[:min(maxGaps, len(rows))])
	t.Caption = fmt.Sprintf("Largest gaps, devices times CVEs: %d of %s", len(t.Rows), plural(len(rows), "row"))
	return t
}

func gapTable(rows []Row) view.Table {
	t := view.Table{
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "name", Title: "Update"},
			{Key: "software", Title: "Software"},
			{Key: "os_build", Title: "OS build"},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "cves", Title: "CVEs", Kind: view.Number},
			{Key: "url", Title: "Catalog", Kind: view.Button},
		},
		Rows: make([][]view.Cell, 0, len(rows)),
	}
	for _, r := range rows {
		button := view.TextCell("")
		if address := catalog.URL(r.KB, r.URL); address != "" {
			button = view.Cell{Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: address}}
		}
		t.Rows = append(t.Rows, []view.Cell{
			view.TextCell(catalog.Label(r.KB)), view.TextCell(r.Name), view.TextCell(r.Software), view.TextCell(r.OSBuild),
			view.NumberCell(r.Devices), view.NumberCell(r.CVEs), button,
		})
	}
	return t
}

// changed lists what changed, at most so many changes of a kind.
func (r Report) changed(most int) view.Facts {
	if r.first() {
		return nil
	}
	c := r.changes()
	var facts view.Facts
	for _, kind := range []struct {
		name    string
		changes []Change
		words   func(Change) string
	}{
		{"New", c.New, func(c Change) string { return size(c.Row) }},
		{"Reopened", c.Reopened, func(c Change) string { return size(c.Row) + ", last seen " + c.Seen.UTC().Format("2 Jan 2006") }},
		{"Grew", c.Grew, moved},
		{"Shrank", c.Shrank, moved},
		{"Closed", c.Closed, func(c Change) string { return "was on " + plural(c.Before, "device") }},
		{"New software here", c.Added, func(c Change) string { return size(c.Row) }},
	} {
		var words []string
		for _, change := range slices.SortedFunc(slices.Values(kind.changes), compareChanges) {
			words = append(words, label(change.Row)+" "+kind.words(change))
		}
		facts = append(facts, chunks(kind.name, words, most)...)
	}
	if len(facts) == 0 {
		facts = view.Facts{{Name: "Changed", Value: "nothing worth telling"}}
	}
	return facts
}

// chunks are words as facts that are short enough to be shown whole. What is left out is counted.
func chunks(name string, words []string, most int) view.Facts {
	var facts view.Facts
	rest := len(words) - most
	words = words[:min(most, len(words))]
	for start := 0; start < len(words); {
		end, n := start, 0
		for end < len(words) && (end == start || n+len(words[end]) < maxLine) {
			n += len(words[end]) + len("; ")
			end++
		}
		facts = append(facts, view.Fact{Name: name, Value: strings.Join(words[start:end], "; ")})
		start = end
	}
	if rest > 0 {
		facts[len(facts)-1].Value += fmt.Sprintf("; and %s more", view.Thousands(rest))
	}
	return facts
}

func compareChanges(a, b Change) int {
	weight := func(c Change) int { return max(c.Before, c.Devices) * c.CVEs }
	return cmp.Or(cmp.Compare(weight(b), weight(a)), compareRows(a.Row, b.Row))
}

func label(r Row) string {
	words := catalog.Label(r.KB) + " (" + r.Software
	if r.OSBuild != "" {
		words += ", build " + r.OSBuild
	}
	return words + ")"
}

func size(r Row) string {
	return "on " + plural(r.Devices, "device") + ", fixes " + plural(r.CVEs, "CVE")
}

func moved(c Change) string {
	return fmt.Sprintf("from %s to %s", view.Thousands(c.Before), plural(c.Devices, "device"))
}
