package view_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/view"
)

func progress() view.Chart {
	return view.Chart{
		Title:  "Missing updates",
		Unit:   "devices",
		Points: []string{"2 Nov", "9 Nov", "16\x1b Nov"},
		Series: []view.Series{{Name: "All", Values: []int{4800, 1, 0}}},
	}
}

func TestChartText(t *testing.T) {
	t.Parallel()
	two := progress()
	two.Series = append(two.Series, view.Series{Name: "Worst", Values: []int{240, 1, 0}})
	for _, c := range []struct {
		chart view.Chart
		want  string
	}{
		{progress(), `Page

Missing updates (devices)
2 Nov   4,800  ████████████████████████
9 Nov   1      █
16 Nov  0
`},
		{two, `Page

Missing updates (devices)
        All    Worst
2 Nov   4,800  240
9 Nov   1      1
16 Nov  0      0
`},
		{view.Chart{Title: "Nothing"}, "Page\n"},
		{view.Chart{Title: "Nothing", Points: []string{"2 Nov"}}, "Page\n"},
	} {
		got := text(t, view.Page{Title: "Page", Parts: []view.Part{c.chart}})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("text (-want +got):\n%s", diff)
		}
	}
}

func TestChartJSON(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := view.WriteJSON(&b, view.Page{Parts: []view.Part{progress(), view.Chart{}}}); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
		t.Fatal(err)
	}
	want := []any{
		map[string]any{
			"title": "Missing updates", "unit": "devices",
			"points": []any{"2 Nov", "9 Nov", "16\x1b Nov"},
			"series": []any{map[string]any{"name": "All", "values": []any{4800.0, 1.0, 0.0}}},
		},
		map[string]any{"title": "", "unit": "", "points": []any{}, "series": []any{}},
	}
	if diff := cmp.Diff(want, got["charts"]); diff != "" {
		t.Errorf("charts (-want +got):\n%s", diff)
	}
}

func TestCSVLeavesChartsOut(t *testing.T) {
	t.Parallel()
	var with, without strings.Builder
	page := edge()
	if err := view.WriteCSV(&without, page); err != nil {
		t.Fatal(err)
	}
	page.Parts = append([]view.Part{progress()}, page.Parts...)
	if err := view.WriteCSV(&with, page); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(without.String(), with.String()); diff != "" {
		t.Errorf("a chart changes the CSV (-without +with):\n%s", diff)
	}
	if err := view.WriteCSV(&with, view.Page{Parts: []view.Part{progress()}}); !errors.Is(err, view.ErrNoTable) {
		t.Errorf("a page of a chart alone: %v, want ErrNoTable", err)
	}
}
