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
	// Cycles is how many earlier cycles the current one is compared with.
	Cycles = 6
	// oldest is the greatest age in days outside the last bucket. An update of uncertain age falls in a bucket of its
	// own, unless it is older than this.
	oldest = 60
	// oldAfter is the age in days above which a gap counts as old.
	oldAfter = 30
	// silence is the longest gap in days between two readings of a software that is not reported as a pause.
	silence = 8
)

// Since returns the start of the oldest cycle in a report at now: earlier readings do not matter.
func Since(now time.Time) time.Time {
	start := deadline.CycleOf(deadline.DayOf(now)).Add(-Cycles).Start()
	return start.Add(-silence).Time(now.Location())
}

// Input is the data for a report.
type Input struct {
	Now      time.Time           // its time zone defines where days begin
	Readings []patchgap.Snapshot // each of one software on one day; of several on one day the last counts
	Seen     map[patchgap.Key]patchgap.Seen
	Known    *advisory.Snapshot // may be nil
	Policy   deadline.Policy
}

// Report is the state of patching on one day.
type Report struct {
	Day      deadline.Day
	Cycle    deadline.Cycle
	Read     []string  // IDs of the software reported on, sorted
	From, To time.Time // oldest and newest reading
	Stale    int       // software whose newest reading is older than [silence]: its current gap is unknown and not counted
	Unread   []Pause

	Updates  []Update // missing now; most overdue first, then oldest
	Buckets  []Bucket // by age
	Policy   bool     // whether there are deadlines
	Overdue  int
	Attacked bool // whether it is known which updates are exploited

	Fresh    Share
	Ninety   Ninety
	Progress []Progress // by cycle, the oldest first
}

// Update is a missing update with its age and deadline.
type Update struct {
	patchgap.Update
	deadline.Status

	Exploited bool
	Known     bool // whether the feeds list it
}

// Bucket counts the updates within a range of ages.
type Bucket struct {
	Name      string
	From, To  int // days; To is -1 for "and older", and both are -1 for unknown ages
	KBs       int
	Devices   int // devices that miss at least one of them, as a lower bound
	Installs  int // sum of devices over the updates
	Exploited int
}

// Share is an upper bound of the devices that have no gap older than [oldAfter] days: devices that miss different old
// updates cannot be told from devices that miss several.
type Share struct {
	Devices int // all devices: those that missed some update at the same time since From, by software
	Without int
	From    deadline.Day
	Exact   bool // true if no software has several old updates
	Unknown int  // updates that may be older than known, which would lower the share
}

// Percent returns the share in whole per cent, rounded down; -1 if there are no devices.
func (s Share) Percent() int {
	if s.Devices == 0 {
		return -1
	}
	return 100 * s.Without / s.Devices
}

// Pause is a period without readings of some software. Its days are those of the readings around it.
type Pause struct {
	From, To deadline.Day
	Software int // how many software ids had no reading
}

// New computes a report. It does not change the input.
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

// Oldest returns the oldest missing update, and false if none is missing.
func (r Report) Oldest() (Update, bool) {
	if len(r.Updates) == 0 {
		return Update{}, false
	}
	return slices.MaxFunc(r.Updates, func(a, b Update) int { return cmp.Compare(a.Age, b.Age) }), true
}

// missing judges the updates that are missing by the newest readings.
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

// late returns by how many days an update is overdue, 0 if it is not.
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

// fresh estimates how many devices have no old gap. Defender does not report how many devices have a software, so a
// software counts as many devices as missed one of its updates at the same time since the start of the previous cycle.
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
