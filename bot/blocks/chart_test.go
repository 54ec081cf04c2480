package blocks_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/view"
)

// progress is a chart of n points and of lines series, whose names all begin alike.
func progress(n, lines int) view.Chart {
	c := view.Chart{Title: "Devices missing updates", Unit: "devices, summed over updates"}
	for i := range n {
		c.Points = append(c.Points, fmt.Sprintf("digest %d", i+1))
	}
	for i := range lines {
		values := make([]int, n)
		for j := range values {
			values[j] = 4812 - 40*j + i
		}
		c.Series = append(c.Series, view.Series{Name: fmt.Sprintf("line %d", i+1), Values: values})
	}
	return c
}

func chartPage(charts ...view.Chart) view.Page {
	p := kbPage(1)
	p.Title = "Worth a look: microsoft-_-edge"
	for _, c := range charts {
		p.Parts = append(p.Parts, c)
	}
	return p
}

func TestChartGolden(t *testing.T) {
	t.Parallel()
	golden(t, "chart", blocks.Render(chartPage(progress(3, 1)), blocks.Options{}))
	golden(t, "chart_classic", blocks.Render(chartPage(progress(3, 2)), blocks.Options{Form: blocks.Classic()}))
}

func TestChartLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä🎈 ", 200)
	alike := view.Chart{Title: long, Unit: long, Points: slicesRepeat(long, 20), Series: slicesRepeat(view.Series{Name: long, Values: make([]int, 20)}, 6)}
	nameless := view.Chart{Points: slicesRepeat("", 3), Series: slicesRepeat(view.Series{Values: []int{-1, 0, 1 << 60}}, 3)}
	for name, c := range map[string]struct {
		page   view.Page
		charts int // drawn as Slack's own
		said   string
	}{
		"at the limits":   {chartPage(progress(20, 6)), 1, ""},
		"too many points": {chartPage(progress(400, 1)), 1, "380 earlier points not shown."},
		"too many series": {chartPage(progress(20, 9)), 1, "3 more lines of the chart not shown."},
		"names alike":     {chartPage(alike), 1, ""},
		"no names":        {chartPage(nameless), 1, ""},
		"no points":       {chartPage(progress(0, 1)), 0, ""},
		"no series":       {chartPage(progress(3, 0)), 0, ""},
		"a third chart":   {chartPage(progress(3, 1), progress(3, 1), progress(3, 1)), 2, ""},
		"many charts":     {chartPage(slicesRepeat(progress(20, 6), 60)...), 2, "1 chart not shown."},
		"after much else": {view.Page{Parts: []view.Part{kbPage(500).Parts[0], kbPage(500).Parts[0], progress(20, 6)}}, 0, "1 chart not shown."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range forms() {
				check(t, blocks.Render(c.page, blocks.Options{Form: f}))
			}
			m := blocks.Render(c.page, blocks.Options{})
			check(t, m)
			drawn := 0
			for _, b := range m.Blocks {
				if chart, ok := b.(*slack.DataVisualizationBlock); ok {
					drawn++
					if err := chart.Validate(); err != nil {
						t.Errorf("slack-go refuses the chart: %v", err)
					}
				}
			}
			raw, err := json.Marshal(m.Blocks)
			if err != nil {
				t.Fatal(err)
			}
			if drawn != c.charts || !strings.Contains(string(raw), c.said) {
				t.Errorf("%d charts drawn, want %d, and %q", drawn, c.charts, c.said)
			}
		})
	}
}

// The last points are kept: they are the newest.
func TestChartKeepsTheLastPoints(t *testing.T) {
	t.Parallel()
	m := blocks.Render(view.Page{Parts: []view.Part{progress(25, 1)}}, blocks.Options{})
	i := slices.IndexFunc(m.Blocks, func(b slack.Block) bool { _, ok := b.(*slack.DataVisualizationBlock); return ok })
	line := m.Blocks[i].(*slack.DataVisualizationBlock).Chart.(*slack.DataVisualizationLineChart)
	first, last := line.Series[0].Data[0], line.Series[0].Data[19]
	want := []slack.DataVisualizationDataPoint{{Label: "digest 6", Value: 4612}, {Label: "digest 25", Value: 3852}}
	if diff := cmp.Diff(want, []slack.DataVisualizationDataPoint{first, last}); diff != "" {
		t.Errorf("first and last point (-want +got):\n%s", diff)
	}
}

// A message with a chart is one that older workspaces refuse, unless charts are text: whatever becomes of tables.
func TestChartNeedsNewBlocks(t *testing.T) {
	t.Parallel()
	page := view.Page{Parts: []view.Part{progress(3, 1)}}
	for _, f := range forms() {
		var want []blocks.Feature
		if !f.TextCharts {
			want = []blocks.Feature{blocks.DataVisualization}
		}
		if diff := cmp.Diff(want, blocks.Uses(blocks.Render(page, blocks.Options{Form: f}).Blocks)); diff != "" {
			t.Errorf("%+v: features (-want +got):\n%s", f, diff)
		}
	}
	m := blocks.Render(page, blocks.Options{Form: blocks.Classic()})
	if want := "line 1: digest 1 4,812, digest 2 4,772, digest 3 4,732"; !strings.Contains(m.Text, want) {
		t.Errorf("the fallback %q does not say %q", m.Text, want)
	}
}

// No chart whatever renders beyond the limits.
func FuzzChart(f *testing.F) {
	f.Add("title", "devices", "9 Nov", "name", 12, 1, 3, false)
	f.Add("<!channel>", "", "\xff", strings.Repeat("ä", 50), 40, 9, -5, true)
	f.Add(strings.Repeat("🎈", 400), "u", " ", "x (2)", 20, 6, 1<<62, false)
	f.Fuzz(func(t *testing.T, title, unit, point, name string, points, lines, value int, text bool) {
		c := view.Chart{Title: title, Unit: unit, Points: slicesRepeat(point, bound(points, 0, 50))}
		for i := range bound(lines, 0, 15) {
			c.Series = append(c.Series, view.Series{Name: name[:min(len(name), max(0, len(name)-i/2))], Values: slicesRepeat(value, len(c.Points))})
		}
		p := view.Page{Title: title, Parts: []view.Part{c, kbPage(3).Parts[0], c, c}}
		check(t, blocks.Render(p, blocks.Options{Form: blocks.Form{TextCharts: text}}))
	})
}
