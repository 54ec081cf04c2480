package kpi

import (
	"slices"

	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/month"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
)

// Ninety is how long updates took until nine of ten of the devices that missed them at the peak had them.
type Ninety struct {
	Days     int // median, rounded up
	Updates  int // updates behind the median, counted once per software; 0 means that there is no median
	Open     int // updates not there yet
	Replaced int // updates that newer ones replaced first
	Undated  int // updates missing before the first reading, so that their start is unknown
}

// Progress is how far a cycle had come on the same day of the cycle as today.
type Progress struct {
	Cycle   deadline.Cycle
	Updates int    // of the cycle, but those that newer ones had replaced
	Missing int    // devices that missed them at the peak, summed over updates
	Open    int    // of those, still missing on that day
	Why     string // why the progress is unknown; "" otherwise
}

// Percent returns how much was closed, rounded down; -1 if unknown.
func (p Progress) Percent() int {
	if p.Why != "" || p.Missing == 0 {
		return -1
	}
	return 100 * (p.Missing - p.Open) / p.Missing
}

// life is one update of one software over its readings.
type life struct {
	first  int // index of its first reading
	update patchgap.Update
}

// lives returns all updates that a software was ever missing, by first reading.
func (s series) lives() []life {
	var all []life
	known := map[string]bool{}
	for i, d := range s.days {
		for _, u := range d.snap.Updates() {
			if u.Devices > 0 && !known[u.ID()] {
				known[u.ID()] = true
				all = append(all, life{i, u})
			}
		}
	}
	return all
}

// ninety works out the median time until nine of ten devices have an update.
func (b *builder) ninety() Ninety {
	var n Ninety
	var took []int
	for _, s := range b.software {
		for _, l := range s.lives() {
			began, dated := b.began(s, l)
			days, end := s.until90(l)
			switch {
			case end == replaced:
				n.Replaced++
			case end == open:
				n.Open++
			case !dated:
				n.Undated++
			default:
				took = append(took, max(0, began.DaysTo(days)))
			}
		}
	}
	if n.Updates = len(took); n.Updates > 0 {
		slices.Sort(took)
		n.Days = (took[(n.Updates-1)/2] + took[n.Updates/2] + 1) / 2
	}
	return n
}

// began returns the day on which an update was published or first seen, and whether that is known.
func (b *builder) began(s series, l life) (deadline.Day, bool) {
	seen := b.seen(l.update.Rows)
	if seen.First.IsZero() {
		seen.First = s.days[l.first].snap.At
	}
	day := deadline.DayOf(seen.First.In(b.in.Now.Location()))
	if facts, known := b.in.Known.Update(l.update.KB()); known && !facts.Released.IsZero() {
		if released := deadline.DayOf(facts.Released.In(b.in.Now.Location())); released.Before(day) {
			return released, true
		}
	}
	return day, !seen.Lower()
}

// How the life of an update ends.
const (
	open = iota
	closed
	replaced
)

// until90 returns the day of the reading at which at most a tenth of the devices that missed the update at the peak
// still miss it.
func (s series) until90(l life) (day deadline.Day, end int) {
	worst := 0
	for i := l.first; i < len(s.days); i++ {
		d := s.days[i]
		n := d.devices[l.update.ID()]
		worst = max(worst, n)
		switch {
		case n == 0 && s.wasReplaced(i, l.update.ID()):
			return d.day, replaced
		case 10*n <= worst:
			return d.day, closed
		}
	}
	return deadline.Day{}, open
}

// wasReplaced reports whether a newer update replaced one that is no longer in a reading.
func (s series) wasReplaced(at int, id string) bool {
	gone, known := s.replaced[at]
	if !known {
		gone = map[string]bool{}
		changes := patchgap.Diff(s.days[at-1].snap, s.days[at].snap, nil)
		changes.Unlist(s.days[at].snap, func(gone patchgap.Row, listed []patchgap.Row) int { return triage.In(s.known, gone, listed) })
		for _, c := range changes.Unlisted {
			gone[c.Was.ID()] = true
		}
		s.replaced[at] = gone
	}
	return gone[id]
}

// progress works out how far a cycle had come on today's day of the cycle.
func (b *builder) progress(c deadline.Cycle) Progress {
	p := Progress{Cycle: c}
	day, found := c.Start().Add(deadline.CycleOf(b.today).Day(b.today)), false
	for _, s := range b.software {
		var ids []string
		for _, l := range s.lives() {
			if b.cycleOf(s, l) == c {
				ids = append(ids, l.update.ID())
			}
		}
		if len(ids) == 0 {
			continue
		}
		found = true
		last, read := s.at(day, silence)
		first := s.days[0].day
		switch {
		case c.Start().Add(silence).Before(first):
			p.Why = "read only from " + first.String() + " on"
		case !read:
			p.Why = "not read around " + day.String()
		}
		for _, id := range ids {
			worst, replaced := s.worst(id, day)
			if replaced {
				continue
			}
			p.Updates++
			p.Missing += worst
			p.Open += last.devices[id]
		}
	}
	switch {
	case !found:
		p.Why = "no updates known"
	case p.Updates == 0 && p.Why == "":
		p.Why = "newer updates replaced them"
	}
	return p
}

// worst returns how many devices missed an update at the peak up to a day, and whether a newer update had replaced it by
// then: what is only no longer listed was not closed.
func (s series) worst(id string, day deadline.Day) (devices int, replaced bool) {
	for i, d := range s.days {
		if d.day.DaysTo(day) < 0 {
			break
		}
		n := d.devices[id]
		replaced = n == 0 && (replaced || i > 0 && s.days[i-1].devices[id] > 0 && s.wasReplaced(i, id))
		devices = max(devices, n)
	}
	return devices, replaced
}

// cycleOf returns the cycle that an update belongs to: by its publication, else by the month in its name, else by when
// it was first seen.
func (b *builder) cycleOf(s series, l life) deadline.Cycle {
	if facts, known := b.in.Known.Update(l.update.KB()); known && !facts.Released.IsZero() {
		return deadline.CycleOf(deadline.DayOf(facts.Released))
	}
	if m, ok := month.Of(l.update.Name()); ok {
		return deadline.Cycle{Year: m.Year(), Month: m.Month()}
	}
	if l.first == 0 {
		return deadline.Cycle{} // older than the first reading
	}
	return deadline.CycleOf(s.days[l.first].day)
}
