package kpi

import (
	"cmp"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

const (
	// Cycles is how many cycles before this one it is compared with.
	Cycles = 6
	// oldest is how many days old an update is at the most that is not in the last bucket. One that may be older is in no other.
	oldest = 60
	// oldAfter is how many days old a gap may be.
	oldAfter = 30
	// silence is how many days may lie between two readings of a software before the time between them is told as unread.
	silence = 8
)

// Since is how far back readings matter at a time: to the beginning of the oldest cycle.
func Since(now time.Time) time.Time {
	start := deadline.CycleOf(deadline.DayOf(now)).Add(-Cycles).Start()
	return start.Add(-silence).Time(now.Location())
}

// Input is what is known.
type Input struct {
	Now      time.Time           // its zone tells where days begin
	Readings []patchgap.Snapshot // each of one software on one day; of several on a day the last counts
	Seen     map[patchgap.Key]patchgap.Seen
	Known    *advisory.Snapshot // may be nil
	Policy   deadline.Policy
}

// Report is how patching goes on a day.
type Report struct {
	Day      deadline.Day
	Cycle    deadline.Cycle
	Read     []string  // the software that is reported on, sorted
	From, To time.Time // the oldest and the newest reading
	Stale    int       // software whose newest reading is older than [silence]: what it lacks now is unknown, and not counted
	Unread   []Pause

	Updates  []Update // missing now, the most overdue first, then the oldest
	Buckets  []Bucket // by age
	Policy   bool     // there are deadlines
	Overdue  int
	Attacked bool // which updates are exploited is known

	Fresh    Share
	Ninety   Ninety
	Progress []Progress // the cycles from the oldest to this one
}

// Update is a missing update with its age and deadline.
type Update struct {
	patchgap.Update
	deadline.Status

	Exploited bool
	Known     bool // whether the feeds list it
}

// Bucket counts the updates of an age.
type Bucket struct {
	Name      string
	From, To  int // days; To is -1 without an end, and both are -1 for ages that are not known
	KBs       int
	Devices   int // how many lack one of them, at least
	Installs  int // devices of all of them: one for each device and update
	Exploited int
}

// Share is how many devices have no gap older than [oldAfter] days, at most: devices that lack different old updates cannot be
// told from those that lack several.
type Share struct {
	Devices int // of how many: those that lacked some update at the same time, by software, since From
	Without int
	From    deadline.Day
	Exact   bool // no software has several old updates
	Unknown int  // updates that may be older than is known, and then leave fewer devices
}

// Percent is the share in whole per cent, rounded down; -1 where there is none.
func (s Share) Percent() int {
	if s.Devices == 0 {
		return -1
	}
	return 100 * s.Without / s.Devices
}

// Pause is a time in which a software was not read. The days are those of the readings around it.
type Pause struct {
	From, To deadline.Day
	Software int // how many were not read
}

// New works out a report.
func New(in Input) Report {
	b := newBuilder(in)
	r := Report{
		Day: b.today, Cycle: deadline.CycleOf(b.today), Policy: in.Policy.On(), Unread: b.pauses(),
		Buckets: []Bucket{{Name: "14 days or less", To: 14}, {Name: "15–30 days", From: 15, To: 30}, {Name: "31–60 days", From: 31, To: 60}, {Name: "over 60 days", From: 61, To: -1}, {Name: "not known", From: -1, To: -1}},
	}
	updates, _ := in.Known.Len()
	r.Attacked = updates > 0
	for _, s := range b.software {
		r.Read = append(r.Read, s.id)
		first, last := s.days[0].snap.At, s.days[len(s.days)-1].snap.At
		if r.From.IsZero() || first.Before(r.From) {
			r.From = first
		}
		if last.After(r.To) {
			r.To = last
		}
		if !b.current(s) {
			r.Stale++
		}
	}
	r.Updates = b.missing()
	for _, u := range r.Updates {
		r.count(u)
	}
	r.Fresh = b.fresh(r.Updates)
	r.Ninety = b.ninety()
	for n := Cycles; n >= 0; n-- {
		r.Progress = append(r.Progress, b.progress(r.Cycle.Add(-n)))
	}
	return r
}

// count adds an update to its bucket.
func (r *Report) count(u Update) {
	if u.Late() {
		r.Overdue++
	}
	for i := range r.Buckets {
		b := &r.Buckets[i]
		if unknown := u.AtLeast && u.Age <= oldest; unknown != (b.From < 0) || u.Age < b.From || b.To >= 0 && u.Age > b.To {
			continue
		}
		b.KBs++
		b.Installs += u.Devices
		b.Devices = max(b.Devices, u.Devices)
		if u.Exploited {
			b.Exploited++
		}
	}
}

// Oldest is the oldest missing update; false if none is missing.
func (r Report) Oldest() (Update, bool) {
	if len(r.Updates) == 0 {
		return Update{}, false
	}
	return slices.MaxFunc(r.Updates, func(a, b Update) int { return cmp.Compare(a.Age, b.Age) }), true
}

// missing judges what is missing by the newest readings.
func (b *builder) missing() []Update {
	var rows []patchgap.Row
	for _, s := range b.software {
		if !b.current(s) {
			continue
		}
		for _, r := range s.days[len(s.days)-1].snap.Rows {
			if r.Devices > 0 {
				rows = append(rows, r)
			}
		}
	}
	var all []Update
	for _, u := range patchgap.Updates(rows) {
		all = append(all, b.judge(u))
	}
	slices.SortStableFunc(all, func(x, y Update) int {
		return cmp.Or(cmp.Compare(late(y), late(x)), cmp.Compare(y.Age, x.Age), x.Compare(y.Update))
	})
	return all
}

// late is by how many days an update is overdue, 0 for one that is not.
func late(u Update) int {
	if !u.Late() {
		return 0
	}
	return u.Overdue
}

func (b *builder) judge(u patchgap.Update) Update {
	facts, known := b.in.Known.Update(u.KB())
	ages := aging.Facts{Now: b.in.Now, Known: b.in.Known, Policy: b.in.Policy}
	return Update{Update: u, Status: ages.StatusSeen(u, b.seen(u.Rows)), Exploited: facts.Exploited(), Known: known}
}

// fresh is how many devices have no old gap. Nothing tells how many devices a software has, so those count that lacked one of
// its updates at the same time since the cycle before the last began.
func (b *builder) fresh(updates []Update) Share {
	from := deadline.CycleOf(b.today).Add(-2).Start()
	share := Share{From: from, Exact: true}
	old := map[string]bool{}
	for _, u := range updates {
		switch {
		case u.Age > oldAfter:
			old[u.ID()] = true
		case u.AtLeast:
			share.Unknown++
		}
	}
	for _, s := range b.software {
		if !b.current(s) {
			continue
		}
		have := 0
		for _, d := range s.days {
			if !d.day.Before(from) {
				have = max(have, d.largest(nil))
			}
		}
		last := s.days[len(s.days)-1]
		stale := last.largest(old)
		share.Devices += have
		share.Without += max(0, have-stale)
		if last.count(old) > 1 {
			share.Exact = false
		}
	}
	return share
}
