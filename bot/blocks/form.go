package blocks

import (
	"slices"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Form selects which of Slack's newer blocks a page is drawn with. The zero Form uses all of them, [Classic] none.
type Form struct {
	Tables     Tables
	TextCharts bool // charts as fixed-width text instead of data_visualization
	TextOnly   bool // no blocks at all: the message is its text
}

// Tables is a way to draw tables. The ways are the rungs of a ladder: each requires less of Slack than the one before.
type Tables int

// The rungs. On the second and third rung, a table whose rows run commands is drawn as on the last one, because a link
// cannot run a command.
const (
	ButtonTables  Tables = iota // data_table with a button in each row (action_cell)
	LinkTables                  // data_table with a link in each row
	PlainTables                 // table: Slack neither sorts nor pages it; one per message, further ones are sections
	SectionTables               // a section with a button for each row
)

// Classic returns the form without newer blocks, which every workspace accepts.
func Classic() Form { return Form{Tables: SectionTables, TextCharts: true} }

// Feature is a newer part of Block Kit that a workspace may not accept. Its value is Slack's name for it.
type Feature string

// The features.
const (
	ActionCell        Feature = "action_cell"
	DataTable         Feature = "data_table"
	Table             Feature = "table"
	DataVisualization Feature = "data_visualization"
)

// Without returns the next simpler form that leaves a feature out.
func (f Form) Without(left Feature) Form {
	switch left {
	case DataVisualization:
		f.TextCharts = true
	case ActionCell:
		f.Tables = max(f.Tables, LinkTables)
	case DataTable:
		f.Tables = max(f.Tables, PlainTables)
	case Table:
		f.Tables = SectionTables
	}
	return f
}

// MayUse reports whether a page in this form may use a feature.
func (f Form) MayUse(feature Feature) bool {
	switch feature {
	case DataVisualization:
		return !f.TextCharts && !f.TextOnly
	case ActionCell:
		return f.Tables == ButtonTables && !f.TextOnly
	case DataTable:
		return f.Tables <= LinkTables && !f.TextOnly
	case Table:
		return f.Tables == PlainTables && !f.TextOnly
	}
	return false
}

// Draws lists the features that a page may use in this form, the newest first. It does not draw it.
func (f Form) Draws(p view.Page) []Feature {
	var tables, charts bool
	for _, part := range p.Parts {
		switch part := part.(type) {
		case view.Table:
			tables = tables || part.Len() > 0
		case view.Chart:
			charts = true
		}
	}
	var drawn []Feature
	for _, feature := range Features() {
		if chart := feature == DataVisualization; f.MayUse(feature) && (chart && charts || !chart && tables) {
			drawn = append(drawn, feature)
		}
	}
	return drawn
}

// Features returns all features, newest first.
func Features() []Feature { return []Feature{DataVisualization, ActionCell, DataTable, Table} }

// Uses lists the features that blocks use, newest first.
func Uses(all []slack.Block) []Feature {
	var used []Feature
	for _, f := range Features() {
		if slices.ContainsFunc(all, func(b slack.Block) bool { return uses(b, f) }) {
			used = append(used, f)
		}
	}
	return used
}

// uses reports whether a block uses a feature.
func uses(b slack.Block, f Feature) bool {
	switch b := b.(type) {
	case *slack.DataVisualizationBlock:
		return f == DataVisualization
	case *slack.TableBlock:
		return f == Table
	case *slack.DataTableBlock:
		return f == DataTable || f == ActionCell && slices.ContainsFunc(b.Rows, func(row []slack.DataTableCell) bool {
			return slices.ContainsFunc(row, isActionCell)
		})
	}
	return false
}

func isActionCell(c slack.DataTableCell) bool {
	_, ok := c.(*slack.DataTableActionCell)
	return ok
}
