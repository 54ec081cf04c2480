package digest

import (
	"fmt"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// progress compares the sums with those of the last digest, over the software read both times.
func (r Report) progress() view.Facts {
	if r.first() {
		return nil
	}
	before, now := r.gapBefore(), r.gap()
	was, is := patchgap.Sum(before.Shown), patchgap.Sum(now.Shown)
	var facts view.Facts
	if was.KBs > 0 || is.KBs > 0 {
		facts = view.Facts{
			{Name: "Open installs", Value: trend(was.Missing, is.Missing) + percent(was.Missing, is.Missing)},
			{Name: "Updates missing", Value: trend(was.KBs, is.KBs)},
		}
	}
	if was, is := patchgap.Sum(before.Hidden).Missing, patchgap.Sum(now.Hidden).Missing; was > 0 || is > 0 {
		facts = append(facts, view.Fact{Name: "Open installs hidden by the filter", Value: trend(was, is)})
	}
	return facts
}

// trend describes how a number moved.
func trend(was, is int) string {
	switch {
	case is == was:
		return plain(is) + ", as last time"
	case is > was:
		return plain(is) + ", " + plain(is-was) + " more than last time"
	default:
		return plain(is) + ", " + plain(was-is) + " fewer than last time"
	}
}

// percent formats by how much a number moved, in brackets; "" if it did not move or started from zero.
func percent(was, is int) string {
	if was == 0 {
		return ""
	}
	change := (max(is, was) - min(is, was)) * 100
	change = (change + was/2) / was
	if is > 0 && is < was {
		change = min(change, 99) // 100 % fewer would be none
	}
	if change == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s %%)", plain(change))
}

// chartPoints is how many digests a chart shows, including this one.
const chartPoints = 12

// chart shows the open installs of the last successful digests, the last one of each day.
func (r Report) chart() view.Chart {
	zone := r.Subscription.zone()
	chart := view.Chart{Title: "Open installs", Unit: "devices, summed over updates"}
	days := []time.Time{r.Now.In(zone)}
	values := []int{r.totals(true).Missing}
	for _, d := range r.History {
		at := d.At.In(zone)
		if d.Kind != Failed && r.Subscription.Counts(d.Totals) && !sameDay(at, days[len(days)-1]) && len(days) < chartPoints {
			days, values = append(days, at), append(values, d.Totals.Missing)
		}
	}
	slices.Reverse(days)
	slices.Reverse(values)
	for _, day := range days {
		chart.Points = append(chart.Points, day.Format("2 Jan"))
	}
	chart.Series = []view.Series{{Name: seriesName(r.Subscription.Filter), Values: values}}
	return chart
}

// Counts reports whether recorded sums are comparable with today's. Sums from when each row counted by itself are too
// high if several software ids share updates.
func (s Subscription) Counts(t patchgap.Totals) bool { return t.Rows <= t.KBs || s.single() }

// seriesName names the updates in a chart.
func seriesName(f patchgap.Filter) string {
	if f == (patchgap.Filter{}) {
		return "All updates"
	}
	return "Passing the filter"
}

func sameDay(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }

// Totals returns the sums to record with the digest, which later charts show: those the channel was told last.
func (r Report) Totals() patchgap.Totals { return r.totals(r.whole()) }

func (r Report) totals(whole bool) patchgap.Totals {
	return patchgap.Sum(r.Subscription.Filter.Gap(r.baseline(whole).AsTold()).Shown)
}

// baseline returns what the next digest compares with. Software that could not be read keeps its last reading, because
// leaving it out would show a drop that did not happen. Only a complete digest tells the channel numbers.
func (r Report) baseline(whole bool) patchgap.Snapshot {
	s := r.After.Carry(r.Before)
	if !whole {
		s = s.KeepTold(r.Before, r.Subscription.Filter)
	}
	return s
}

// gap returns the patch gap of the reading, split by the subscription's filter.
func (r Report) gap() patchgap.Gap { return r.After.Gap(r.Subscription.Filter) }

// gapBefore returns the part of the last patch gap that is comparable with this one.
func (r Report) gapBefore() patchgap.Gap {
	all, _ := r.Before.Comparable(r.After)
	return r.Subscription.Filter.Gap(all)
}
