package patchgap

import (
	"slices"
	"time"
)

// Changes are the differences between two patch gaps. Each update is in at most one list. The lists are sorted, largest
// update first. After a filter ([Changes.Keep]) they account for every update: those shown before, minus Closed,
// Unlisted and Fell, plus New, Reopened, Added and Rose, are those shown now.
type Changes struct {
	New      []Change // not missing before
	Reopened []Change // not missing before, but missing at some earlier time
	Grew     []Change // missing on more devices
	Shrank   []Change // missing on fewer devices
	Closed   []Change // gone in two readings, and no newer update took its place
	Unlisted []Change // gone in two readings, but a newer update may have taken its place: see [successors]
	// Added updates belong to software without an earlier reading: it was not watched, had no weaknesses or could not
	// be read. Their age is unknown, so they are not called new.
	Added []Change

	// Rose passes the filter now and did not before; Fell is the reverse. Only [Changes.Keep] fills them.
	Rose, Fell []Change

	steady []Change // all others; a filter may turn them into Rose or Fell
}

// Change is one update before and after.
type Change struct {
	Now  Update    // zero if it is gone
	Was  Update    // zero if it was not missing
	Seen time.Time // of a reopened update: when it was last missing
}

// Update is the update as it is now or, if it is gone, as it was.
func (c Change) Update() Update {
	if len(c.Now.Rows) == 0 {
		return c.Was
	}
	return c.Now
}

// News reports whether anything changed.
func (c Changes) News() bool {
	return slices.ContainsFunc(c.told(), func(list *[]Change) bool { return len(*list) > 0 })
}

// Vanished returns the rows that are not in a later snapshot. Defender's lists omit rows now and then, so one reading
// is not enough to call them gone: see [Unconfirmed]. Software that could not be read either time has no vanished rows.
// Software in neither list of the later snapshot is no longer watched, so all of its rows vanished. unsure has the rows
// of partly read software: they may be among its unreadable rows.
func Vanished(before, after Snapshot) (gone, unsure []Row) {
	is := after.rows()
	for _, r := range before.readable(after).Rows {
		if _, still := is[r.Key]; still {
			continue
		}
		if after.IsPartial(r.Software) {
			unsure = append(unsure, r)
		} else {
			gone = append(gone, r)
		}
	}
	return gone, unsure
}

// Unconfirmed returns the vanished rows that a second reading still has, with its counts. It returns rows of software
// that could not be read unchanged.
func Unconfirmed(vanished []Row, second Snapshot) []Row {
	found := second.rows()
	var stay []Row
	for _, r := range vanished {
		if now, there := found[r.Key]; there {
			stay = append(stay, now)
		} else if !second.WasRead(r.Software) || second.IsPartial(r.Software) {
			stay = append(stay, r)
		}
	}
	return stay
}

// Diff compares two patch gaps. Rows that are not in after must be confirmed as gone: see [Vanished]. lastSeen has the
// times at which rows were last missing; an update that it knows from before the first snapshot is reopened rather than
// new.
//
// Software that could not be read either time is not compared. Counts move as devices come and go, so Diff ignores a
// change of fewer than two devices or of less than five per cent.
func Diff(before, after Snapshot, lastSeen map[Key]time.Time) Changes {
	var c Changes
	common, partly := before.Comparable(after)
	was := byUnit(common)
	for _, u := range after.Updates() {
		old, had := was[u.ID()]
		delete(was, u.ID())
		change := Change{Now: u, Was: old}
		switch {
		case had && (partly[u.ID()] || isNoise(old.Devices, u.Devices)):
			c.steady = append(c.steady, change)
		case had && u.Devices > old.Devices:
			c.Grew = append(c.Grew, change)
		case had:
			c.Shrank = append(c.Shrank, change)
		case !slices.ContainsFunc(u.Rows, func(r Row) bool { return contains(before.Software, r.Software) }):
			c.Added = append(c.Added, change)
		default:
			if change.Seen = u.seen(lastSeen, before.At); change.Seen.IsZero() {
				c.New = append(c.New, change)
			} else {
				c.Reopened = append(c.Reopened, change)
			}
		}
	}
	var successors successors
	if len(was) > 0 {
		successors = listed(before, after)
	}
	for _, u := range was { // the rest is gone
		if successors.replaced(u) {
			c.Unlisted = append(c.Unlisted, Change{Was: u})
		} else {
			c.Closed = append(c.Closed, Change{Was: u})
		}
	}
	c.sort()
	return c
}

// seen returns the latest time before another at which a row of the update was missing.
func (u Update) seen(lastSeen map[Key]time.Time, before time.Time) time.Time {
	var last time.Time
	for _, r := range u.Rows {
		if at := lastSeen[r.Key]; at.Before(before) && at.After(last) {
			last = at
		}
	}
	return last
}

func byUnit(all []Update) map[string]Update {
	m := make(map[string]Update, len(all))
	for _, u := range all {
		m[u.ID()] = u
	}
	return m
}

// A change is noise below noiseThreshold devices, or below noisePercent of the count before.
const (
	noiseThreshold = 2
	noisePercent   = 5
)

// isNoise reports whether a count changed too little to mention.
func isNoise(before, after int) bool {
	change := max(before-after, after-before)
	return change < noiseThreshold || change*100 < before*noisePercent
}

// Keep applies a filter. It drops updates that pass neither before nor now. Those that pass once become Rose or Fell,
// so that a filter never makes an update new or closed.
func (c Changes) Keep(f Filter) Changes {
	var kept Changes
	to := kept.lists()
	for i, list := range c.lists() {
		for _, change := range *list {
			had, has := len(change.Was.Rows) > 0, len(change.Now.Rows) > 0
			before, now := had && f.Passes(change.Was), has && f.Passes(change.Now)
			switch {
			case !before && !now:
			case had && now && !before:
				kept.Rose = append(kept.Rose, change)
			case has && before && !now:
				kept.Fell = append(kept.Fell, change)
			default:
				*to[i] = append(*to[i], change)
			}
		}
	}
	kept.sort()
	return kept
}

// told returns the lists that digests show.
func (c *Changes) told() []*[]Change {
	return []*[]Change{&c.New, &c.Reopened, &c.Grew, &c.Shrank, &c.Closed, &c.Unlisted, &c.Added, &c.Rose, &c.Fell}
}

func (c *Changes) lists() []*[]Change { return append(c.told(), &c.steady) }

func (c *Changes) sort() {
	for _, list := range c.lists() {
		slices.SortFunc(*list, func(a, b Change) int { return a.Update().Compare(b.Update()) })
	}
}
