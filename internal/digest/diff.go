package digest

import (
	"slices"
	"time"
)

// Changes are how two patch gaps differ, each list sorted by key.
type Changes struct {
	New      []Change // rows that were not there before
	Reopened []Change // rows that were not there before, but were once
	Grew     []Change // more devices lack the update
	Shrank   []Change // fewer devices lack it
	Closed   []Change // rows that two readings agree are gone
	Vanished []Change // rows that one reading found gone
	// Added is the rows of software of which nothing was known before, because it is watched or has weaknesses only
	// now. None of them is called new.
	Added []Change
}

// Change is what happened to a row.
type Change struct {
	Row
	Before int       // devices that lacked the update before
	Seen   time.Time // when a reopened row was seen last
}

// News reports whether anything changed.
func (c Changes) News() bool {
	return len(c.New)+len(c.Reopened)+len(c.Grew)+len(c.Shrank)+len(c.Closed)+len(c.Vanished)+len(c.Added) > 0
}

// Diff compares two patch gaps. known says when rows were seen missing last: a row that was not there before, but was
// seen earlier than that, is reopened rather than new.
//
// Software that either could not read is compared in nothing; software that was read before and stands in neither list
// now has left what is watched, and its rows vanished. A row that is gone is never closed at once: see
// [Changes.Confirm]. Counts wobble as devices come and go, so a change of fewer than two devices, or of less than five
// per cent, is no news.
func Diff(before, after Snapshot, known map[Key]time.Time) Changes {
	var c Changes
	was, is := before.rows(), after.rows()
	for _, r := range after.Rows {
		old, had := was[r.Key]
		switch seen, once := known[r.Key]; {
		case !after.read(r.Software) || before.unread(r.Software) && !contains(before.Software, r.Software):
		case !contains(before.Software, r.Software):
			c.Added = append(c.Added, Change{Row: r})
		case had && wobble(old.Devices, r.Devices):
		case had && r.Devices > old.Devices:
			c.Grew = append(c.Grew, Change{Row: r, Before: old.Devices})
		case had:
			c.Shrank = append(c.Shrank, Change{Row: r, Before: old.Devices})
		case once && seen.Before(before.At):
			c.Reopened = append(c.Reopened, Change{Row: r, Seen: seen})
		default:
			c.New = append(c.New, Change{Row: r})
		}
	}
	for _, r := range before.Rows {
		if _, still := is[r.Key]; !still && contains(before.Software, r.Software) && !after.unread(r.Software) {
			c.Vanished = append(c.Vanished, Change{Row: r, Before: r.Devices})
		}
	}
	c.sort()
	return c
}

// wobble reports whether a count changed by less than is worth telling.
func wobble(before, after int) bool {
	change := max(before-after, after-before)
	return change < 2 || change*20 < before
}

// Confirm closes the rows that vanished and that a second reading lacks too. The others stay: it returns their rows, as
// the second reading has them or, where it could not read them either, as they were.
func (c Changes) Confirm(again Snapshot) (confirmed Changes, stay []Row) {
	found := again.rows()
	gone := c.Vanished
	c.Vanished = nil
	for _, change := range gone {
		row, there := found[change.Key]
		switch {
		case there:
			stay = append(stay, row)
		case again.read(change.Software) && !again.partial(change.Software):
			change.Devices = 0
			c.Closed = append(c.Closed, change)
		default:
			stay = append(stay, change.Row)
		}
	}
	c.sort()
	return c, stay
}

// unsure takes the rows out of those that vanished whose software was read but for some rows: they may be among these.
func (c *Changes) unsure(after Snapshot) (rows []Row) {
	c.Vanished = slices.DeleteFunc(c.Vanished, func(change Change) bool {
		if !after.partial(change.Software) {
			return false
		}
		rows = append(rows, change.Row)
		return true
	})
	return rows
}

// Keep is the changes without those of rows that are too small to tell both before and after.
func (c Changes) Keep(f Filter) Changes {
	for _, list := range c.lists() {
		*list = slices.DeleteFunc(slices.Clone(*list), func(change Change) bool {
			old := change.Row
			old.Devices = change.Before
			return !f.Passes(change.Row) && !f.Passes(old)
		})
	}
	return c
}

func (c *Changes) lists() []*[]Change {
	return []*[]Change{&c.New, &c.Reopened, &c.Grew, &c.Shrank, &c.Closed, &c.Vanished, &c.Added}
}

func (c *Changes) sort() {
	for _, list := range c.lists() {
		slices.SortFunc(*list, func(a, b Change) int { return compareRows(a.Row, b.Row) })
	}
}
