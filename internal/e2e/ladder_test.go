package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// newer are the newer blocks and cells among blocks, sorted.
func newer(t *testing.T, blocks json.RawMessage) []string {
	t.Helper()
	var list []struct {
		Type string
		Rows [][]struct{ Type string }
	}
	if err := json.Unmarshal(blocks, &list); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, b := range list {
		if slices.Contains([]string{"data_table", "table", "data_visualization"}, b.Type) {
			found[b.Type] = true
		}
		for _, row := range b.Rows {
			for _, c := range row {
				if c.Type == "action_cell" {
					found[c.Type] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// homeBlocks are the blocks of Alice's Home tab.
func (w *world) homeBlocks(t *testing.T) json.RawMessage {
	t.Helper()
	var v struct{ Blocks json.RawMessage }
	if err := json.Unmarshal(w.slack.Home(sandbox.Alice), &v); err != nil {
		t.Fatal(err)
	}
	return v.Blocks
}

// carriers sends a page with a table by every way there is, and returns what arrived by each.
func (w *world) carriers(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	got := map[string]json.RawMessage{}
	typed := w.ask(t, windows11)
	got["typed"] = typed.Blocks

	w.click(t, sandbox.Alice, typed, "Refresh")
	replaced := w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.TS == typed.TS && m.Edited })
	got["clicked"] = replaced.Blocks

	w.click(t, sandbox.Alice, replaced, "Share to channel")
	got["shared"] = w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.Kind == sandbox.KindApp && m.EphemeralFor == "" }).Blocks

	if _, err := w.slack.OpenHome(soon(t), sandbox.Alice); err != nil {
		t.Fatal(err)
	}
	id, _ := w.home(t, windows11)
	w.act(t, sandbox.Alice, sandbox.Target{ViewID: id, ActionID: "choose:1"}, sandbox.Input{Fields: map[string]any{"selected_option": map[string]any{"value": windows11}}})
	w.home(t, "KB5")
	got["home"] = w.homeBlocks(t)

	if _, err := w.slack.Shortcut(soon(t), sandbox.Alice, demo.Shortcut().CallbackID); err != nil {
		t.Fatal(err)
	}
	if err := w.slack.Wait(soon(t), func() bool { return len(w.slack.Views(sandbox.Alice)) == 1 }); err != nil {
		t.Fatal(err)
	}
	var v struct{ ID string }
	if err := json.Unmarshal(w.slack.Views(sandbox.Alice)[0], &v); err != nil {
		t.Fatal(err)
	}
	chosen := map[string]any{"words": map[string]any{"pick:1": map[string]any{"type": "external_select", "selected_option": map[string]any{"value": windows11}}}}
	if d, err := w.slack.SubmitView(soon(t), sandbox.Alice, v.ID, chosen); err != nil || d.Err != "" {
		t.Fatalf("%+v, %v", d, err)
	}
	got["direct"] = w.answer(t, sandbox.AliceDM, isAnswer).Blocks

	added := w.says(t, sandbox.Alice, sandbox.Patching, "digest add "+windows11)
	w.says(t, sandbox.Alice, sandbox.Patching, "digest run "+strings.Fields(title(added))[1])
	head := w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return m.EphemeralFor == "" && m.Kind == sandbox.KindApp })
	got["digest"] = head.Blocks
	got["thread"] = w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return m.ThreadTS == head.TS && m.TS != head.TS }).Blocks
	return got
}

// Whatever a workspace refuses, and whether or not it says why, every answer arrives by every way, with what is left.
func TestEveryWayStepsDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refused faults.RefusedBlocks
		want    []string // with which tables arrive
	}{
		"nothing":             {faults.RefusedBlocks{}, []string{"action_cell", "data_table"}},
		"buttons in tables":   {faults.RefusedBlocks{ActionCell: true}, []string{"data_table"}},
		"data tables":         {faults.RefusedBlocks{DataTable: true}, []string{"table"}},
		"all tables":          {faults.RefusedBlocks{DataTable: true, Table: true}, nil},
		"plain tables":        {faults.RefusedBlocks{Table: true}, []string{"action_cell", "data_table"}},
		"charts":              {faults.RefusedBlocks{DataVisualization: true}, []string{"action_cell", "data_table"}},
		"everything":          {faults.RefusedBlocks{ActionCell: true, DataTable: true, Table: true, DataVisualization: true}, nil},
		"everything, mutely":  {faults.RefusedBlocks{ActionCell: true, DataTable: true, Table: true, DataVisualization: true, Mutely: true}, nil},
		"buttons, mutely":     {faults.RefusedBlocks{ActionCell: true, Mutely: true}, []string{"data_table"}},
		"data tables, mutely": {faults.RefusedBlocks{DataTable: true, Mutely: true}, []string{"table"}},
		"nothing, mutely":     {faults.RefusedBlocks{Mutely: true}, []string{"action_cell", "data_table"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.slack.SetFaults(faults.Switches{Refused: c.refused})
			for way, blocks := range w.carriers(t) {
				if !strings.Contains(string(blocks), "KB5") {
					t.Errorf("%s holds no row: %s", way, blocks)
				}
				got := slices.DeleteFunc(newer(t, blocks), func(s string) bool { return s == "data_visualization" })
				if !slices.Equal(got, c.want) {
					t.Errorf("%s arrived with %v, want %v", way, got, c.want)
				}
			}
		})
	}
}

// Slack's checker wants a text in every number cell: with it tables with numbers arrive, refused by nothing.
func TestNumbersArriveEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for way, blocks := range w.carriers(t) {
		if !strings.Contains(string(blocks), `"type":"raw_number"`) && !strings.Contains(string(blocks), `"type": "raw_number"`) {
			t.Errorf("%s holds no number cell: %s", way, blocks)
		}
	}
	for _, e := range w.slack.Trace() {
		if raw, _ := json.Marshal(e); strings.Contains(string(raw), "invalid_blocks") || strings.Contains(string(raw), "invalid_arguments") {
			t.Errorf("Slack refused: %s", raw)
		}
	}
}

// A workspace may begin to refuse blocks at any time, and stop: each question is answered, also the next one.
func TestRefusalsThatBeginInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for i, f := range []faults.Switches{
		{},
		{RefuseNewBlocks: true},
		{},
		{Refused: faults.RefusedBlocks{DataTable: true, Table: true}},
		{Refused: faults.RefusedBlocks{Table: true, Mutely: true}},
		{RefuseNewBlocks: true, Refused: faults.RefusedBlocks{Table: true, DataTable: true, Mutely: true}},
		{},
	} {
		w.slack.SetFaults(f)
		for range 2 {
			if m := w.ask(t, windows11); !strings.Contains(string(m.Blocks), "KB5") {
				t.Errorf("step %d: got %s", i, m.Blocks)
			}
		}
	}
}

// A message that Slack calls malformed arrives more simply, is counted and told to operators with Slack's words in the
// log, and costs the next message nothing.
func TestMalformedMessagesAreReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"HTTP_ADDR": "127.0.0.1:0"})
	w.slack.SetJudge(func(_ string, raw json.RawMessage) []sandbox.BlockError {
		var list []struct{ Type string }
		_ = json.Unmarshal(raw, &list)
		i := slices.IndexFunc(list, func(b struct{ Type string }) bool { return b.Type == "data_table" })
		if i < 0 || !strings.Contains(string(raw), "KB4540673") {
			return nil
		}
		return []sandbox.BlockError{{Pointer: fmt.Sprintf("/blocks/%d/rows/1/1", i), Message: "missing required field: text"}}
	})
	added := w.says(t, sandbox.Alice, sandbox.Patching, "digest add "+edge)
	w.says(t, sandbox.Alice, sandbox.Patching, "digest run "+strings.Fields(title(added))[1])
	bad := w.answer(t, sandbox.Patching, func(m sandbox.Message) bool {
		return m.EphemeralFor == "" && m.Kind == sandbox.KindApp && strings.Contains(string(m.Blocks), "KB4540673")
	})
	if got := newer(t, bad.Blocks); slices.Contains(got, "data_table") {
		t.Errorf("the bad one arrived with %v", got)
	}
	if got := newer(t, w.ask(t, windows11).Blocks); !slices.Contains(got, "data_table") {
		t.Errorf("the next one arrived with %v", got)
	}
	if log := w.log.String(); !strings.Contains(log, "Slack refused a message as malformed") || !strings.Contains(log, "missing required field: text [json-pointer:/blocks/") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	w.figures(t, `missingkbs_slack_blocks_refused_total{cause="content",type="action_cell"}`)
	if body := w.figures(t, "missingkbs_slack_blocks_refused_total"); strings.Contains(body, `{cause="content",type="action_cell"} 0`) {
		t.Error("it is not counted")
	}
}

// The answer to a cached question, from the envelope to the table that arrived, costs one post more than one that
// travels in the acknowledgement.
func BenchmarkTableAnswer(b *testing.B) {
	for _, tables := range []string{"auto", "data_table", "classic"} {
		b.Run(tables, func(b *testing.B) {
			w := newWorld(b, map[string]string{"MISSINGKBS_TABLES": tables, "LOG_LEVEL": "error"})
			w.ask(b, edge)
			for n := 0; b.Loop(); n++ {
				w.ask(b, edge)
			}
		})
	}
}
