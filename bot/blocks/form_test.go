package blocks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Each rung uses what it is named for, and nothing that the rungs below it are there to avoid.
func TestRungsUseFeatures(t *testing.T) {
	t.Parallel()
	kbs, chart := kbPage(3), progress(3, 1)
	for _, c := range []struct {
		name string
		form blocks.Form
		want []blocks.Feature
	}{
		{"all", blocks.Form{}, []blocks.Feature{"data_visualization", "action_cell", "data_table"}},
		{"no chart", blocks.Form{TextCharts: true}, []blocks.Feature{"action_cell", "data_table"}},
		{"links", blocks.Form{Tables: blocks.LinkTables}, []blocks.Feature{"data_visualization", "data_table"}},
		{"plain", blocks.Form{Tables: blocks.PlainTables}, []blocks.Feature{"data_visualization", "table"}},
		{"sections, with a chart", blocks.Form{Tables: blocks.SectionTables}, []blocks.Feature{"data_visualization"}},
		{"classic", blocks.Classic(), nil},
	} {
		page := kbs
		page.Parts = []view.Part{kbs.Parts[0], chart}
		m := blocks.Render(page, blocks.Options{Form: c.form})
		check(t, m)
		if diff := cmp.Diff(c.want, blocks.Uses(m.Blocks)); diff != "" {
			t.Errorf("%s: features (-want +got):\n%s", c.name, diff)
		}
	}
}

// Every number cell says its number as people read it: Slack refuses one without a text.
func TestNumberCellsHaveText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -12: "-12"} {
		page := view.Page{Parts: []view.Part{view.Table{
			Columns: []view.Column{{Title: "KB"}, {Title: "Devices", Kind: view.Number}},
			Rows:    [][]view.Cell{{view.TextCell("KB1"), view.NumberCell(n)}},
		}}}
		for _, tables := range rungs() {
			m := blocks.Render(page, blocks.Options{Form: blocks.Form{Tables: tables}})
			check(t, m)
			raw, err := json.Marshal(m.Blocks)
			if err != nil {
				t.Fatal(err)
			}
			cell := map[blocks.Tables]string{
				blocks.ButtonTables:  fmt.Sprintf(`{"type":"raw_number","value":%d,"text":%q}`, n, want),
				blocks.LinkTables:    fmt.Sprintf(`{"type":"raw_number","value":%d,"text":%q}`, n, want),
				blocks.PlainTables:   fmt.Sprintf(`{"type":"raw_text","text":%q}`, want),
				blocks.SectionTables: fmt.Sprintf(`Devices: %s"`, want),
			}[tables]
			if !strings.Contains(string(raw), cell) {
				t.Errorf("rung %d draws %d as %s, want %s", tables, n, raw, cell)
			}
		}
	}
}

// Every column of a table block has an alignment: Slack refuses the empty one that slack-go writes.
func TestPlainTableAlignsEveryColumn(t *testing.T) {
	t.Parallel()
	m := blocks.Render(kbPage(2), blocks.Options{Form: blocks.Form{Tables: blocks.PlainTables}})
	var got []slack.ColumnAlignment
	for _, b := range m.Blocks {
		if table, ok := b.(*slack.TableBlock); ok {
			for _, s := range table.ColumnSettings {
				got = append(got, s.Align)
			}
		}
	}
	if diff := cmp.Diff([]slack.ColumnAlignment{"left", "left", "left", "left", "right", "right", "left"}, got); diff != "" {
		t.Errorf("alignments (-want +got):\n%s", diff)
	}
}

// A link cannot run a command, so rows whose buttons do keep them.
func TestRowsThatRunCommandsKeepTheirButtons(t *testing.T) {
	t.Parallel()
	row := func(n int) []view.Cell {
		id := fmt.Sprintf("microsoft-_-edge_%d", n)
		return []view.Cell{view.TextCell(id), {Text: id, Action: &view.Action{Label: "Show", Command: id}}}
	}
	page := view.Page{Parts: []view.Part{view.Table{
		Columns: []view.Column{{Title: "Software"}, {Title: "Show", Kind: view.Button}},
		Rows:    [][]view.Cell{row(0)}, More: view.LazyRows{Count: 2, Make: func(i int) []view.Cell { return row(i + 1) }},
	}}}
	for _, f := range forms() {
		m := blocks.Render(page, blocks.Options{Form: f})
		check(t, m)
		raw, err := json.Marshal(m.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			if want := fmt.Sprintf(`"value":"microsoft-_-edge_%d"`, n); !strings.Contains(string(raw), want) {
				t.Errorf("%+v: no button has %s: %s", f, want, raw)
			}
		}
	}
}

// Slack takes one table block in a message; the rows of further tables are there all the same.
func TestOneTableBlockInAMessage(t *testing.T) {
	t.Parallel()
	page := kbPage(3)
	page.Parts = append(page.Parts, kbPage(2).Parts...)
	m := blocks.Render(page, blocks.Options{Form: blocks.Form{Tables: blocks.PlainTables}})
	check(t, m)
	if got := rowsOf(m); len(got) != 5 {
		t.Errorf("%d rows are drawn, want 5", len(got))
	}
}

// A part of a list says which rows of the whole it holds.
func TestCutTableSaysItsPlace(t *testing.T) {
	t.Parallel()
	whole := kbPage(300).Parts[0].(view.Table)
	for _, c := range []struct {
		from, to int
		tables   blocks.Tables
		want     string
		hidden   int
	}{
		{0, 300, blocks.ButtonTables, "Rows 1 to 100 of 300.", 200},
		{100, 200, blocks.ButtonTables, "Rows 101 to 200 of 300.", 0},
		{100, 200, blocks.SectionTables, "Rows 101 to 120 of 300.", 80},
		{299, 300, blocks.PlainTables, "Rows 300 to 300 of 300.", 0},
	} {
		m := blocks.Render(view.Page{Parts: []view.Part{whole.Cut(c.from, c.to)}}, blocks.Options{Form: blocks.Form{Tables: c.tables}})
		check(t, m)
		raw, err := json.Marshal(m.Blocks)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(raw), c.want) || m.Hidden != c.hidden {
			t.Errorf("%d to %d: %d hidden, want %d and %q in %s", c.from, c.to, m.Hidden, c.hidden, c.want, raw)
		}
	}
}

// Where no button can stand in a table, the table stays one: a column of buttons that a row can do without is left out,
// and what to type is said once.
func TestOptionalButtonsAreLeftOut(t *testing.T) {
	t.Parallel()
	page := view.Page{Title: "Missing updates", Parts: []view.Part{view.Table{
		Columns: []view.Column{{Key: "kb", Title: "KB"}, {Key: "url", Title: "Catalog", Kind: view.Button}, {Key: "details", Title: "Details", Kind: view.Button, Optional: true}},
		Rows: [][]view.Cell{
			{view.TextCell("KB5074202"), {Text: "Catalog", Action: &view.Action{Label: "Catalog", URL: "https://catalog.update.microsoft.com/"}}, {Text: "kb 5074202", Action: &view.Action{Label: "Details", Command: "kb 5074202"}}},
			{view.TextCell("KB5074203"), {}, {Text: "kb 5074203", Action: &view.Action{Label: "Details", Command: "kb 5074203"}}},
		},
	}}}
	for tables, block := range map[blocks.Tables]string{
		blocks.ButtonTables: `"type":"data_table"`, blocks.LinkTables: `"type":"data_table"`, blocks.PlainTables: `"type":"table"`, blocks.SectionTables: `"type":"section"`,
	} {
		raw, err := json.Marshal(blocks.Render(page, blocks.Options{Form: blocks.Form{Tables: tables}}).Blocks)
		if err != nil {
			t.Fatal(err)
		}
		got := string(raw)
		buttons, hints := strings.Count(got, `"value":"kb 507420`), strings.Count(got, "Details of a row: type, for example, kb 5074202.")
		if want := tables == blocks.ButtonTables; !strings.Contains(got, block) || (buttons == 2) != want || (hints == 0) != want || hints > 1 {
			t.Errorf("form %d: %d buttons, %d hints: %s", tables, buttons, hints, got)
		}
	}
}
