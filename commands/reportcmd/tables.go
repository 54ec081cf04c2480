package reportcmd

import (
	"fmt"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/kpi"
	"github.com/missingkbs/missingkbs/internal/view"
)

// ages returns the table of missing updates by age.
func (b *builder) ages() view.Table {
	t := view.Table{
		Caption: "Missing updates by age",
		Columns: []view.Column{
			{Key: "age", Title: "Age"},
			{Key: "kbs", Title: "KBs", Kind: view.Number},
			{Key: "devices_at_least", Title: "Devices, at least", Kind: view.Number},
			{Key: "open_installs", Title: "Open installs", Kind: view.Number},
			{Key: "exploited", Title: "Exploited", Kind: view.Number, Hidden: !b.Attacked},
		},
	}
	if !b.Attacked { // unknown must not look like zero
		t.Columns = t.Columns[:4]
	}
	for _, k := range b.Buckets {
		if k.From < 0 && k.KBs == 0 {
			continue
		}
		row := []view.Cell{view.TextCell(k.Name), view.NumberCell(k.KBs), view.NumberCell(k.Devices), view.NumberCell(k.Installs), view.NumberCell(k.Exploited)}
		t.Rows = append(t.Rows, row[:len(t.Columns)])
	}
	return t
}

// cycles returns the table of this cycle and earlier ones.
func (b *builder) cycles() view.Table {
	t := view.Table{
		Caption: "This cycle beside the last six: " + b.sameDay(),
		Columns: []view.Column{
			{Key: "cycle", Title: "Cycle"},
			{Key: "closed_percent", Title: "Closed"},
			{Key: "updates", Title: "Updates"},
			{Key: "open_installs", Title: "Open installs"},
			{Key: "most_installs", Title: "Most open installs"},
		},
	}
	for i := range b.Progress {
		p := b.Progress[len(b.Progress)-1-i]
		row := []view.Cell{view.TextCell(p.Cycle.Short()), view.TextCell("unknown: " + p.Why), view.TextCell(""), view.TextCell(""), view.TextCell("")}
		if n := p.Percent(); n >= 0 {
			row = []view.Cell{
				view.TextCell(p.Cycle.Short()), view.TextCell(fmt.Sprintf("%d %%", n)), view.TextCell(view.Thousands(p.Updates)),
				view.TextCell(view.Thousands(p.Open)), view.TextCell(view.Thousands(p.Missing)),
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// updates returns the table of missing updates, most overdue first.
func (b *builder) updates() view.Table {
	t := view.Table{
		Caption: "Missing updates, the oldest first",
		Columns: []view.Column{
			{Key: "kb", Title: "KB"},
			{Key: "age", Title: "Age"},
			{Key: "deadline", Title: "Deadline", Hidden: !b.Policy},
			{Key: "devices", Title: "Devices", Kind: view.Number},
			{Key: "exploited", Title: "Exploited", Hidden: !b.Attacked},
			{Key: "name", Title: "Update"},
			{Key: "details", Title: "Details", Kind: view.Button, Optional: true},
			{Key: "since", Title: "Since", Hidden: true},
			{Key: "due", Title: "Due", Hidden: true},
			{Key: "class", Title: "Class", Hidden: true},
		},
		CSV:     []string{"kb", "name", "age", "since", "due", "deadline", "class", "devices", "exploited"},
		Page:    b.query.page,
		Command: b.query.line(),
	}
	if b.Policy {
		t.Caption = "Missing updates, the most overdue first"
	}
	t.More = view.LazyRows{Count: len(b.Updates), Make: func(i int) []view.Cell { return b.row(b.Updates[i]) }}
	return t
}

// row returns the cells of an update. The last three are hidden in Slack but not in files.
func (b *builder) row(u kpi.Update) []view.Cell {
	details := view.TextCell("")
	if u.KB() != "" {
		line := cmdline.Join("kb", u.KB())
		details = view.Cell{Text: line, Action: &view.Action{Label: "Details", Command: line}}
	}
	return []view.Cell{
		view.TextCell(catalog.Label(u.KB())), view.TextCell(u.AgeWords()), view.TextCell(u.DueWords()), view.NumberCell(u.Devices), view.TextCell(b.exploited(u)),
		view.TextCell(u.Name()), details, view.TextCell(u.Since.ISO()), view.TextCell(u.Due.ISO()), view.TextCell(string(u.Class)),
	}
}

// exploited returns the "Exploited" cell: of the update itself, or of one that it contains.
func (b *builder) exploited(u kpi.Update) string {
	worst := b.inside.Finding(u.Update).Worst()
	switch {
	case u.Exploited:
		return "yes"
	case worst.State().Exploited():
		return "yes (" + catalog.Label(worst.KB()) + ")"
	case u.Known:
		return "no"
	}
	return "unknown"
}
