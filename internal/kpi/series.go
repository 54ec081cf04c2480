package kpi

import (
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// builder works out a report.
type builder struct {
	in       Input
	today    deadline.Day
	software []series
}

// series are the readings of one software, in order; at least one.
type series struct {
	id   string
	days []reading

	replaced map[int]map[string]bool // by reading: the updates that had made room for newer ones, once they were asked for
}

// reading is what a software lacked on a day.
type reading struct {
	day     deadline.Day
	snap    patchgap.Snapshot
	devices map[string]int // by ID of the update: those of all its OS builds
}

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
			b.software = append(b.software, series{id: snap.Software[0], replaced: map[int]map[string]bool{}})
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

// current reports whether the newest reading of a software tells what it lacks now.
func (b *builder) current(s series) bool { return s.days[len(s.days)-1].day.DaysTo(b.today) <= silence }

// largest is how many devices lack the most widely missing update, of those with an ID or, for nil, of all.
func (r reading) largest(of map[string]bool) int {
	most := 0
	for id, n := range r.devices {
		if of == nil || of[id] {
			most = max(most, n)
		}
	}
	return most
}

// count counts the updates with an ID.
func (r reading) count(of map[string]bool) int {
	n := 0
	for id := range r.devices {
		if of[id] {
			n++
		}
	}
	return n
}

// at is the newest reading on a day or within some days before it.
func (s series) at(day deadline.Day, within int) (reading, bool) {
	for _, r := range slices.Backward(s.days) {
		if before := r.day.DaysTo(day); before >= 0 {
			return r, before <= within
		}
	}
	return reading{}, false
}

// seen is when one of several rows was seen first: by what is kept of each row, or by the readings.
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

// seen is when a row was seen first among the readings.
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

// pauses are the times in which software was not read since the oldest cycle, the oldest first. Those of several software that
// begin and end alike are one.
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
