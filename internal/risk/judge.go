package risk

import (
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Advisories answers what publishers say about updates.
type Advisories interface {
	// Listed returns the CVEs of an update that CISA lists as exploited, sorted.
	Listed(kb string) []string
	// Contains reports whether a row's update contains that of another row of the same software and OS build.
	Contains(newer, older patchgap.Row) bool
}

// pastShown is how long pages and digests mention an ended acceptance. It is longer than the interval of monthly
// digests.
const pastShown = 45 * 24 * time.Hour

// Marks tells which missing rows are accepted. The zero value marks nothing.
type Marks struct {
	covered map[patchgap.Key]Acceptance
	// Over are acceptances that ended in this judgement, because of the rows, the feeds or the clock. Their End says
	// why.
	Over []Acceptance
	// Past are acceptances of updates that are missing here and that ended within [pastShown], latest first. They
	// include those in Over.
	Past []Acceptance
}

// Judge applies acceptances to rows. The list holds open acceptances and recently ended ones. Rows are everything a
// reader sees of the software, before any filter: a filter that drops devices delays noticing growth. published may be
// nil; then no acceptance ends because of CISA.
func Judge(list []Acceptance, rows []patchgap.Row, published Advisories, now time.Time) Marks {
	m := Marks{covered: map[patchgap.Key]Acceptance{}}
	places := byPlace(rows)
	for _, a := range list {
		covered := a.covers(places, published)
		if a.State == Accepted {
			a = a.judged(covered, published, now)
			if a.State == Ended {
				m.Over = append(m.Over, a)
			}
		}
		switch {
		case a.State == Accepted:
			m.cover(a, covered)
		case a.State == Ended && a.End != ByReplaced && a.End != ByExpiry && len(covered) > 0 && now.Sub(a.Ended) < pastShown:
			m.Past = append(m.Past, a)
		}
	}
	m.Past = slices.DeleteFunc(m.Past, m.again)
	slices.SortStableFunc(m.Past, func(a, b Acceptance) int { return b.Ended.Compare(a.Ended) })
	return m
}

// place is one line of OS builds of one software: the scope of one installation.
type place struct{ software, build string }

// placeOf returns the place of a row. The last number of a build changes with every update, so it is left out.
func placeOf(r patchgap.Row) place { return place{r.Software, r.Line()} }

func byPlace(rows []patchgap.Row) map[place][]patchgap.Row {
	places := map[place][]patchgap.Row{}
	for _, r := range rows {
		at := placeOf(r)
		places[at] = append(places[at], r)
	}
	return places
}

// covers returns the rows of the accepted update and of newer updates that contain it, in the places where it was
// missing. Where it is still listed, a newer update that is missing on more devices is not covered: those devices have
// the accepted one.
func (a Acceptance) covers(places map[place][]patchgap.Row, published Advisories) []patchgap.Row {
	was := map[place]int{}
	for _, r := range a.Rows {
		was[placeOf(patchgap.Row{Key: patchgap.Key{Software: r.Software, OSBuild: r.OSBuild}})] += r.Devices
	}
	var covered []patchgap.Row
	for at, rows := range places {
		if !a.concerns(at.software) {
			continue
		}
		listed := slices.ContainsFunc(rows, func(r patchgap.Row) bool { return r.KB == a.KB })
		for _, r := range rows {
			then, missed := was[at]
			follows := missed && published != nil && (!listed || !grown(then, r.Devices)) && published.Contains(r, a.in(r))
			if r.KB == a.KB || follows {
				covered = append(covered, r)
			}
		}
	}
	return covered
}

// in returns the row that the accepted update has, or would have, in the place of r.
func (a Acceptance) in(r patchgap.Row) patchgap.Row {
	return patchgap.Row{Key: patchgap.Key{Software: r.Software, KB: a.KB, OSBuild: r.OSBuild}, Name: a.Name}
}

// judged returns the acceptance, ended if it no longer holds.
func (a Acceptance) judged(covered []patchgap.Row, published Advisories, now time.Time) Acceptance {
	if end, at, over := a.Over(now); over {
		return a.ended(end, at, "")
	}
	for _, kb := range append([]string{a.KB}, kbs(covered)...) {
		for _, cve := range listed(published, kb) {
			if !slices.Contains(a.Listed, cve) {
				return a.ended(ByKEV, now, cve)
			}
		}
	}
	if devices := a.devicesOf(covered); grown(a.Devices(), devices) {
		return a.ended(ByGrowth, now, grownWords(a.Devices(), devices))
	}
	return a
}

func (a Acceptance) ended(end End, at time.Time, detail string) Acceptance {
	a.State, a.End, a.Ended, a.Detail = Ended, end, at, detail
	return a
}

func listed(published Advisories, kb string) []string {
	if published == nil {
		return nil
	}
	return published.Listed(kb)
}

func kbs(rows []patchgap.Row) []string {
	var all []string
	for _, r := range rows {
		all = append(all, r.KB)
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}

// devicesOf returns how many devices miss what is covered. One device may miss several updates of a place: the accepted
// one counts or, if it is not listed, the one with most devices.
func (a Acceptance) devicesOf(covered []patchgap.Row) int {
	listed, places, software := map[place]bool{}, map[place]int{}, map[string]int{}
	for _, r := range covered {
		listed[placeOf(r)] = listed[placeOf(r)] || r.KB == a.KB
	}
	for _, r := range covered {
		at := placeOf(r)
		if more := r.Devices - places[at]; more > 0 && (r.KB == a.KB || !listed[at]) {
			places[at] += more
			software[r.Software] += more
		}
	}
	most := 0
	for _, n := range software {
		most = max(most, n)
	}
	return most
}

// cover marks rows. If several acceptances cover a row, the one that holds longest counts.
func (m Marks) cover(a Acceptance, rows []patchgap.Row) {
	for _, r := range rows {
		if other, has := m.covered[r.Key]; !has || a.Until.After(other.Until) {
			m.covered[r.Key] = a
		}
	}
}

// again reports whether the subject of an ended acceptance has been accepted again.
func (m Marks) again(a Acceptance) bool {
	for key, other := range m.covered {
		if key.KB == a.KB && a.concerns(key.Software) && other.ID != a.ID {
			return true
		}
	}
	return false
}
