package blocks

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/view"
)

// chart draws the last points of a chart. What does not fit is counted in the small print.
func (d *drawing) chart(c view.Chart) {
	if len(c.Points) == 0 || len(c.Series) == 0 {
		return
	}
	if extra := len(c.Points) - maxPoints; extra > 0 {
		d.notes = append(d.notes, view.Count(extra, "earlier point")+" not shown.")
		c = lastPoints(c, maxPoints)
	}
	if extra := len(c.Series) - maxSeries; extra > 0 {
		d.notes = append(d.notes, view.Count(extra, "more line")+" of the chart not shown.")
		c.Series = c.Series[:maxSeries]
	}
	c = named(c)
	drawn := c.Title + c.Unit + strings.Join(c.Lines(), "\n")
	if cost := length(drawn); !d.room() || cost > maxChart || cost > int(d.left)-reservedChars {
		d.notes = append(d.notes, "1 chart not shown.")
		return
	}
	d.left.take(drawn)
	if d.options.TextCharts || d.charts == maxCharts || d.options.surface != message {
		d.classicChart(c)
	} else {
		d.visualization(c)
	}
}

func lastPoints(c view.Chart, n int) view.Chart {
	series := make([]view.Series, len(c.Series))
	for i, s := range c.Series {
		series[i] = view.Series{Name: s.Name, Values: s.Values[len(s.Values)-n:]}
	}
	c.Points, c.Series = c.Points[len(c.Points)-n:], series
	return c
}

// named cuts the names of a chart to Slack's limits and numbers those that become equal, because Slack refuses
// duplicate names.
func named(c view.Chart) view.Chart {
	names := make([]string, len(c.Series))
	for i, s := range c.Series {
		names[i] = s.Name
	}
	series := make([]view.Series, len(c.Series))
	for i, name := range apart(names) {
		series[i] = view.Series{Name: name, Values: c.Series[i].Values}
	}
	c.Title = clip(view.OneLine(c.Title), maxChartTitle)
	if c.Unit = view.OneLine(c.Unit); c.Unit != "" {
		c.Unit = clip(c.Unit, maxChartTitle)
	}
	c.Points, c.Series = apart(c.Points), series
	return c
}

// apart clips names and numbers repeats.
func apart(names []string) []string {
	out := make([]string, len(names))
	taken := map[string]bool{}
	for i, name := range names {
		out[i] = clip(view.OneLine(name), maxChartName)
		for n := 2; taken[out[i]]; n++ {
			suffix := fmt.Sprintf(" (%d)", n)
			out[i] = clip(view.OneLine(name), maxChartName-len(suffix)) + suffix
		}
		taken[out[i]] = true
	}
	return out
}

// visualization draws a chart as Slack's own line chart.
func (d *drawing) visualization(c view.Chart) {
	d.charts++
	lines := make([]slack.DataVisualizationDataSeries, len(c.Series))
	for i, s := range c.Series {
		points := make([]slack.DataVisualizationDataPoint, len(c.Points))
		for j, label := range c.Points {
			points[j] = slack.NewDataVisualizationDataPoint(label, float64(s.Values[j]))
		}
		lines[i] = slack.NewDataVisualizationDataSeries(s.Name, points...)
	}
	axes := slack.NewDataVisualizationAxisConfig(c.Points...).WithYLabel(c.Unit)
	d.add(slack.NewDataVisualizationBlock(c.Title, slack.NewDataVisualizationLineChart(axes, lines...)))
}

// classicChart draws a chart as fixed-width text in a rich_text, which parses no markup.
func (d *drawing) classicChart(c view.Chart) {
	title := c.Title
	if c.Unit != "" {
		title += " (" + c.Unit + ")"
	}
	text := title + "\n" + strings.Join(c.Lines(), "\n")
	d.add(slack.NewRichTextBlock("", &slack.RichTextPreformatted{
		Type:     slack.RTEPreformatted,
		Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(text, nil)},
	}))
}

// chartLines returns a chart in words, one line per series.
func chartLines(c view.Chart) []string {
	lines := make([]string, 0, len(c.Series))
	for _, s := range c.Series {
		words := make([]string, 0, len(c.Points))
		for i, point := range c.Points {
			words = append(words, clip(view.OneLine(point), maxChartName)+" "+view.Thousands(s.Values[i]))
		}
		lines = append(lines, clip(c.Title, maxChartTitle)+", "+clip(s.Name, maxChartName)+": "+strings.Join(words, ", "))
	}
	return lines
}
