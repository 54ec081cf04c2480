package digest

import (
	"slices"
	"time"
)

// Changes are how two patch gaps differ, in updates. Each update stands in one list at most; the lists are sorted, the
// largest update first. With a filter ([Changes.Keep]) they account for every update that came or went: those told
// before, without Closed, Unlisted and Fell, with New, Reopened, Added and Rose, are those told now.
type Changes struct {
	New      []Change // that were not missing before
	Reopened []Change // that were not missing before, but were once
	Grew     []Change // more devices lack the update
	Shrank   []Change // fewer devices lack it
	Closed   []Change // two readings agree that it is gone, and no newer one took its place
	Unlisted []Change // two readings agree that it is gone, but a newer one may have taken its place: see [successors]
	// Added are those of software of which nothing was known before, because it is watched, has weaknesses or could be
	// read only now. None of them is called new.
	Added []Change

	// Rose and Fell passed the filter now, or before, but not both times. Only [Changes.Keep] fills them.
	Rose, Fell []Change

	steady []Change // all others: they may pass a filter now that they did not before
}

// Change is what happened to an update.
type Change struct {
	Now  Update    // as it is; nothing for one that is gone
	Was  Update    // as it was; nothing for one that was not missing
	Seen time.Time // when a reopened update was seen last
}

// Update is the update as it is or, where it is gone, as it was.
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

// Vanished are the rows of a snapshot that a later one lacks. One reading is not enough to call them gone, because
// Defender's lists leave out rows now and then: see [Unconfirmed]. Software that either could not read has no such rows;
// software that was read before and stands in neither list now has left what is watched, and all of its rows vanished.
// unsure are those of software that was read but for some rows: they may be among these.
func Vanished(before, after Snapshot) (gone, unsure []Row) {
	is := after.rows()
	for _, r := range before.readable(after).Rows {
		if _, still := is[r.Key]; still {
			continue
		}
		if after.partial(r.Software) {
			unsure = append(unsure, r)
		} else {
			gone = append(gone, r)
		}
	}
	return gone, unsure
}

// Unconfirmed are the vanished rows that a second reading does not lack: as it has them or, where it could not read them
// either, as they were.
func Unconfirmed(vanished []Row, again Snapshot) []Row {
	found := again.rows()
	var stay []Row
	for _, r := range vanished {
		if now, there := found[r.Key]; there {
			stay = append(stay, now)
		} else if !again.read(r.Software) || again.partial(r.Software) {
			stay = append(stay, r)
		}
	}
	return stay
}

// Diff compares two patch gaps in updates. What after lacks must be gone: see [Vanished]. known says when rows were seen
// missing last: an update that was not there before, but was seen earlier than that, is reopened rather than new.
//
// Software that either could not read is compared in nothing. Counts wobble as devices come and go, so a change of fewer
// than two devices, or of less than five per cent, is no news.
func Diff(before, after Snapshot, known map[Key]time.Time) Changes {
	var c Changes
	common, partly := before.comparable(after)
	was := byUnit(common)
	for _, u := range after.updates() {
		old, had := was[u.unit()]
		delete(was, u.unit())
		change := Change{Now: u, Was: old}
		switch {
		case had && (partly[u.unit()] || wobble(old.Devices, u.Devices)):
			c.steady = append(c.steady, change)
		case had && u.Devices > old.Devices:
			c.Grew = append(c.Grew, change)
		case had:
			c.Shrank = append(c.Shrank, change)
		case !slices.ContainsFunc(u.Rows, func(r Row) bool { return contains(before.Software, r.Software) }):
			c.Added = append(c.Added, change)
		default:
			if change.Seen = u.seen(known, before.At); change.Seen.IsZero() {
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
	for _, u := range was { // what is left of it is gone
		if successors.replaced(u) {
			c.Unlisted = append(c.Unlisted, Change{Was: u})
		} else {
			c.Closed = append(c.Closed, Change{Was: u})
		}
	}
	c.sort()
	return c
}

// seen is when the newest of an update's rows was seen, where that was before a time.
func (u Update) seen(known map[Key]time.Time, before time.Time) time.Time {
	var last time.Time
	for _, r := range u.Rows {
		if at := known[r.Key]; at.Before(before) && at.After(last) {
			last = at
		}
	}
	return last
}

func byUnit(all []Update) map[string]Update {
	m := make(map[string]Update, len(all))
	for _, u := range all {
		m[u.unit()] = u
	}
	return m
}

// wobble reports whether a count changed by less than is worth telling.
func wobble(before, after int) bool {
	change := max(before-after, after-before)
	return change < 2 || change*20 < before
}

// Keep is the changes that a filter lets pass: what passes neither before nor now is left out, and what passes only one
// of the two times rose or fell, so that a filter never makes an update new or closed.
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

// told are the lists that people are told of.
func (c *Changes) told() []*[]Change {
	return []*[]Change{&c.New, &c.Reopened, &c.Grew, &c.Shrank, &c.Closed, &c.Unlisted, &c.Added, &c.Rose, &c.Fell}
}

func (c *Changes) lists() []*[]Change { return append(c.told(), &c.steady) }

func (c *Changes) sort() {
	for _, list := range c.lists() {
		slices.SortFunc(*list, func(a, b Change) int { return a.Update().Compare(b.Update()) })
	}
}
