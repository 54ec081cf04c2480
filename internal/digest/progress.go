package digest

import (
	"fmt"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

// progress compares the sums with those of the last digest, over the software that both could read.
func (r Report) progress() view.Facts {
	if r.first() {
		return nil
	}
	both := func(id string) bool { return contains(r.Before.Software, id) && !r.After.unread(id) }
	filter := r.Subscription.Filter
	was, is := r.Before.only(both).Keep(filter).Totals(), r.After.only(both).Keep(filter).Totals()
	if was.Rows == 0 && is.Rows == 0 {
		return nil
	}
	return view.Facts{
		{Name: "Updates missing", Value: trend(was.KBs, is.KBs)},
		{Name: "Devices times updates", Value: trend(was.Missing, is.Missing)},
	}
}

// trend says where a number went.
func trend(was, is int) string {
	words := view.Thousands(is)
	switch {
	case is == was:
		return words + ", as last time"
	case is > was:
		words += ", " + view.Thousands(is-was) + " more than last time"
	default:
		words += ", " + view.Thousands(was-is) + " fewer than last time"
	}
	if percent := (max(is, was) - min(is, was)) * 100 / max(was, 1); was > 0 && percent > 0 {
		words += fmt.Sprintf(" (%d %%)", percent)
	}
	return words
}

// chartPoints is how many digests the chart of a digest shows, itself among them.
const chartPoints = 12

// chart shows the missing updates of the last digests, those that could be read.
func (r Report) chart() view.Chart {
	type point struct {
		at    time.Time
		value int
	}
	points := []point{{r.Now, r.Totals().Missing}}
	for _, d := range r.History {
		if d.Kind != Failed && len(points) < chartPoints {
			points = append(points, point{d.At, d.Totals.Missing})
		}
	}
	slices.Reverse(points)
	chart := view.Chart{Title: "Devices missing updates", Unit: "devices, summed over updates"}
	zone, err := loadZone(r.Subscription.Schedule.Zone)
	if err != nil {
		zone = time.UTC
	}
	var values []int
	for i, p := range points {
		name := p.at.In(zone).Format("2 Jan")
		if i > 0 && p.at.In(zone).Format(time.DateOnly) == points[i-1].at.In(zone).Format(time.DateOnly) {
			name = p.at.In(zone).Format("2 Jan 15:04")
		}
		chart.Points = append(chart.Points, name)
		values = append(values, p.value)
	}
	chart.Series = []view.Series{{Name: "All updates", Values: values}}
	return chart
}

// Totals are the sums that the digest is recorded with, and so those of later charts. Software that could not be read
// counts as it was read last: to leave it out would draw a fall that never was.
func (r Report) Totals() Totals { return r.After.carry(r.Before).Keep(r.Subscription.Filter).Totals() }
