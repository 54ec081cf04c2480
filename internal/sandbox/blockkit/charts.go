package blockkit

import "fmt"

// Charts: https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block

// Bounds of charts.
const (
	maxSeries = 12 // and segments of a pie
	maxPoints = 20
	maxLabel  = 20
)

func chartBlocks() map[string]kind {
	charts := map[string]rule{"pie": typed("pie", fields{"segments": need(list(1, maxSeries, object(fields{
		"label": need(text(1, maxLabel)), "value": need(positive),
	})))})}
	for _, name := range []string{"bar", "area", "line"} {
		charts[name] = typed(name, fields{"series": need(list(1, maxSeries, series())), "axis_config": need(axes())}, onePerCategory, uniqueNames)
	}
	return map[string]kind{
		"data_visualization": block("data_visualization", messagesOnly(), fields{
			"title": need(text(1, 50)), "chart": need(choice(charts)),
		}),
	}
}

func positive(c *checker, at string, v any) {
	if n, ok := v.(float64); !ok || n <= 0 {
		c.fault(at, "must be greater than 0")
	}
}

func series() rule {
	return object(fields{
		"name": need(text(1, maxLabel)),
		"data": need(list(1, maxPoints, object(fields{"label": need(text(1, maxLabel)), "value": need(number)}))),
	})
}

func axes() rule {
	return object(fields{
		"categories": need(list(1, maxPoints, text(1, maxLabel))),
		"x_label":    may(text(1, 50)), "y_label": may(text(1, 50)),
	})
}

// objects returns the entries of a list that are objects.
func objects(v any) []map[string]any {
	all, _ := v.([]any)
	out := make([]map[string]any, 0, len(all))
	for _, one := range all {
		o, _ := one.(map[string]any)
		out = append(out, o)
	}
	return out
}

func uniqueNames(c *checker, at string, o map[string]any) {
	seen := map[string]bool{}
	for i, s := range objects(o["series"]) {
		name, _ := s["name"].(string)
		if seen[name] {
			c.fault(fmt.Sprintf("%s/series/%d/name", at, i), "must be unique")
		}
		seen[name] = true
	}
}

// onePerCategory requires one point of each series for each category of the x axis.
func onePerCategory(c *checker, at string, o map[string]any) {
	axis, _ := o["axis_config"].(map[string]any)
	listed, _ := axis["categories"].([]any)
	categories := map[string]bool{}
	for i, v := range listed {
		name, _ := v.(string)
		if categories[name] {
			c.fault(fmt.Sprintf("%s/axis_config/categories/%d", at, i), "must be unique")
		}
		categories[name] = true
	}
	for i, s := range objects(o["series"]) {
		place := fmt.Sprintf("%s/series/%d/data", at, i)
		points := objects(s["data"])
		if len(points) != len(listed) {
			c.fault(place, "must have exactly one point for every category")
		}
		seen := map[string]bool{}
		for j, p := range points {
			label, _ := p["label"].(string)
			if !categories[label] || seen[label] {
				c.fault(fmt.Sprintf("%s/%d/label", place, j), "must match one of axis_config.categories, once")
			}
			seen[label] = true
		}
	}
}
