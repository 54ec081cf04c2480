package kpi

import (
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// builder computes a report.
type builder struct {
	in       Input
	today    deadline.Day
	software []series
}

// series is all readings of one software in order; there is at least one.
type series struct {
	id   string
	days []reading

	known    *advisory.Snapshot
	replaced map[int]map[string]bool // by reading: the updates that newer ones had replaced; computed on demand
}

// reading is what one software was missing on one day.
type reading struct {
	day     deadline.Day
	snap    patchgap.Snapshot
	devices map[string]int // by ID of the update, over all OS builds
}

// newBuilder groups the readings by software and keeps the last one of each day. It drops readings after Now.
func newBuilder(in Input) *builder {
	b := &builder{in: in, today: deadline.DayOf(in.Now)}
	all := slices.Clone(in.Readings)
	slices.SortStableFunc(all, func(x, y patchgap.Snapshot) int {
		if c := strings.Compare(x.Software[0], y.Software[0]); c != 0 {
			return c
		}
		return x.At.Compare(y.At)
	})
	for _, snap := range all {
		if snap.At.After(in.Now) {
			continue
		}
		if n := len(b.software); n == 0 || b.software[n-1].id != snap.Software[0] {
			b.software = append(b.software, series{id: snap.Software[0], known: in.Known, replaced: map[int]map[string]bool{}})
		}
		s := &b.software[len(b.software)-1]
		day := deadline.DayOf(snap.At.In(in.Now.Location()))
		r := reading{day: day, snap: snap, devices: map[string]int{}}
		for _, u := range snap.Updates() {
			if u.Devices > 0 {
				r.devices[u.ID()] = u.Devices
			}
		}
		if n := len(s.days); n > 0 && s.days[n-1].day == day {
			s.days[n-1] = r
		} else {
			s.days = append(s.days, r)
		}
	}
	return b
}

// current reports whether the newest reading of a software is recent enough to say what is missing now.
func (b *builder) current(s series) bool { return s.days[len(s.days)-1].day.DaysTo(b.today) <= silence }

// largest returns how many devices miss the most widely missing update among those in of, or among all if of is nil.
func (r reading) largest(of map[string]bool) int {
	most := 0
	for id, n := range r.devices {
		if of == nil || of[id] {
			most = max(most, n)
		}
	}
	return most
}

// count returns how many updates in of are missing.
func (r reading) count(of map[string]bool) int {
	n := 0
	for id := range r.devices {
		if of[id] {
			n++
		}
	}
	return n
}

// at returns the newest reading on a day or up to within days before it.
func (s series) at(day deadline.Day, within int) (reading, bool) {
	for _, r := range slices.Backward(s.days) {
		if before := r.day.DaysTo(day); before >= 0 {
			return r, before <= within
		}
	}
	return reading{}, false
}

// seen returns when the first of several rows was seen missing: from the stored dates, else from the readings.
func (b *builder) seen(rows []patchgap.Row) patchgap.Seen {
	var first patchgap.Seen
	earlier := func(s patchgap.Seen) {
		if !s.First.IsZero() && (first.First.IsZero() || s.First.Before(first.First)) {
			first = s
		}
	}
	for _, r := range rows {
		earlier(b.in.Seen[r.Key])
		for _, s := range b.software {
			if s.id == r.Software {
				earlier(s.seen(r.Key))
			}
		}
	}
	return first
}

// seen returns when a row first appears in the readings.
func (s series) seen(key patchgap.Key) patchgap.Seen {
	var before time.Time
	for _, d := range s.days {
		if slices.ContainsFunc(d.snap.Rows, func(r patchgap.Row) bool { return r.Key == key }) {
			return patchgap.Seen{First: d.snap.At, Before: before}
		}
		before = d.snap.At
	}
	return patchgap.Seen{}
}

// pauses returns the periods without readings since the oldest cycle, oldest first. Software with the same period
// shares one entry.
func (b *builder) pauses() []Pause {
	var all []Pause
	for _, s := range b.software {
		for i := range s.days[1:] {
			from, to := s.days[i].day, s.days[i+1].day
			if from.DaysTo(to) <= silence {
				continue
			}
			at := slices.IndexFunc(all, func(p Pause) bool { return p.From == from && p.To == to })
			if at < 0 {
				all = append(all, Pause{From: from, To: to})
				at = len(all) - 1
			}
			all[at].Software++
		}
	}
	slices.SortFunc(all, func(x, y Pause) int { return y.From.DaysTo(x.From) })
	return all
}
