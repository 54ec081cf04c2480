package digest

import (
	"fmt"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// progress compares the sums with those of the last digest, over the software that both could read.
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

// trend says where a number went.
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

// percent is by how much a number moved, in brackets, and nothing where it did not, or from nothing.
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

// chartPoints is how many digests the chart of a digest shows, itself among them.
const chartPoints = 12

// chart shows the open installs of the last digests, those that could be read: of each day the last.
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

// Counts reports whether recorded sums count what is counted now. What was recorded when each row counted by itself is too
// high where several software ids share updates.
func (s Subscription) Counts(t patchgap.Totals) bool { return t.Rows <= t.KBs || s.single() }

// seriesName names the updates that a chart counts.
func seriesName(f patchgap.Filter) string {
	if f == (patchgap.Filter{}) {
		return "All updates"
	}
	return "Passing the filter"
}

func sameDay(a, b time.Time) bool { return a.Format(time.DateOnly) == b.Format(time.DateOnly) }

// Totals are the sums that the digest is recorded with, and so those of later charts: what the channel was told last.
func (r Report) Totals() patchgap.Totals { return r.totals(r.whole()) }

func (r Report) totals(whole bool) patchgap.Totals {
	return patchgap.Sum(r.Subscription.Filter.Gap(r.baseline(whole).AsTold()).Shown)
}

// baseline is what the next digest compares with. Software that could not be read counts as it was read last: to leave
// it out would draw a fall that never was. Only a whole digest tells the channel numbers.
func (r Report) baseline(whole bool) patchgap.Snapshot {
	s := r.After.Carry(r.Before)
	if !whole {
		s = s.KeepTold(r.Before, r.Subscription.Filter)
	}
	return s
}

// gap is the patch gap as it was read, parted by the subscription's filter.
func (r Report) gap() patchgap.Gap { return r.After.Gap(r.Subscription.Filter) }

// gapBefore is the part of the last patch gap that this one can be compared with.
func (r Report) gapBefore() patchgap.Gap {
	all, _ := r.Before.Comparable(r.After)
	return r.Subscription.Filter.Gap(all)
}
