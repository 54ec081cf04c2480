package digest

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Compare orders keys by software, KB and OS build.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Software, other.Software), cmp.Compare(k.KB, other.KB), cmp.Compare(k.OSBuild, other.OSBuild))
}

func compareRows(a, b Row) int { return a.Compare(b.Key) }

// Gap is the patch gap of the snapshot, parted by a filter.
func (s Snapshot) Gap(f Filter) Gap { return f.Gap(s.updates()) }

// told are the updates of a snapshot with the counts that the channel was told last.
func (s Snapshot) told() []Update {
	all := s.updates()
	for i, u := range all {
		if devices, ok := s.Told[u.unit()]; ok {
			all[i].Devices = devices
		}
	}
	slices.SortFunc(all, Update.Compare)
	return all
}

// readable is the part of a snapshot whose software a later one knows of too.
func (s Snapshot) readable(after Snapshot) Snapshot {
	return s.only(func(id string) bool { return contains(s.Software, id) && !after.unread(id) })
}

// comparable are the updates of a snapshot that a later one can be compared with, as the channel was told of them.
// partly are those that software has, too, which could not be read now. Of these nothing is known but whether they are
// still there: those that are count as they are, the others are left out.
func (s Snapshot) comparable(after Snapshot) (all []Update, partly map[string]bool) {
	partly = map[string]bool{}
	for _, r := range s.Rows {
		if after.unread(r.Software) {
			partly[r.unit()] = true
		}
	}
	all = s.readable(after).told()
	if len(partly) == 0 {
		return all, partly
	}
	all = slices.DeleteFunc(all, func(u Update) bool { return partly[u.unit()] })
	for _, u := range after.updates() {
		if partly[u.unit()] {
			all = append(all, u)
		}
	}
	return all, partly
}

// missing is the snapshot without updates that no device lacks. Earlier versions kept them, and what they wrote must not
// count as closed now.
func (s Snapshot) missing() Snapshot {
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool { return r.Devices == 0 })
	return s
}

// only is the snapshot without the software that is not wanted.
func (s Snapshot) only(wanted func(software string) bool) Snapshot {
	s.Software = slices.DeleteFunc(slices.Clone(s.Software), func(id string) bool { return !wanted(id) })
	s.Told = maps.Clone(s.Told)
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool {
		if wanted(r.Software) {
			return false
		}
		delete(s.Told, r.unit()) // the channel was told the count of all of its software
		return true
	})
	s.Unread = slices.DeleteFunc(slices.Clone(s.Unread), func(u Unread) bool { return !wanted(u.Software) })
	s.Partial = slices.DeleteFunc(slices.Clone(s.Partial), func(p Partial) bool { return !wanted(p.Software) })
	return s
}

// with is the snapshot with further rows, whose software counts as read.
func (s Snapshot) with(rows []Row) Snapshot {
	s.Rows = append(slices.Clone(s.Rows), rows...)
	slices.SortFunc(s.Rows, compareRows)
	s.Software = slices.Clone(s.Software)
	for _, r := range rows {
		if at, found := slices.BinarySearch(s.Software, r.Software); !found {
			s.Software = slices.Insert(s.Software, at, r.Software)
		}
	}
	return s
}

// carry is what the next digest compares with: a snapshot in which software that could not be read keeps what was known
// of it, so that what happens meanwhile is told when it can be read again. Such software stands under Software and
// under Unread.
func (s Snapshot) carry(before Snapshot) Snapshot {
	old := before.only(func(id string) bool { return s.unread(id) && contains(before.Software, id) })
	s.Told = old.Told
	for _, r := range s.Rows {
		delete(s.Told, r.unit())
	}
	s = s.with(old.Rows)
	s.Software = slices.Compact(slices.Sorted(slices.Values(append(s.Software, old.Software...))))
	return s
}

// remember is a snapshot that the channel saw no numbers of, with those that it was told before, of what its filter lets
// pass. Otherwise a count that moves a little each time would move far without a word.
func (s Snapshot) remember(before Snapshot, f Filter) Snapshot {
	was := byUnit(before.told())
	s.Told = map[string]int{}
	for _, u := range s.updates() {
		if old, had := was[u.unit()]; had && f.Passes(old) && old.Devices != u.Devices {
			s.Told[u.unit()] = old.Devices
		}
	}
	return s
}

func (s Snapshot) read(id string) bool { return contains(s.Software, id) && !s.unread(id) }

func (s Snapshot) unread(id string) bool {
	return slices.ContainsFunc(s.Unread, func(u Unread) bool { return u.Software == id })
}

func (s Snapshot) partial(id string) bool {
	return slices.ContainsFunc(s.Partial, func(p Partial) bool { return p.Software == id })
}

// whole reports whether everything that was to be read was.
func (s Snapshot) whole() bool { return len(s.Unread)+len(s.Partial) == 0 }

// unreadable is how many rows could not be read.
func (s Snapshot) unreadable() int {
	n := 0
	for _, p := range s.Partial {
		n += p.Rows
	}
	return n
}

// rows finds a snapshot's rows by key.
func (s Snapshot) rows() map[Key]Row {
	m := make(map[Key]Row, len(s.Rows))
	for _, r := range s.Rows {
		m[r.Key] = r
	}
	return m
}

func contains(sorted []string, id string) bool {
	_, found := slices.BinarySearch(sorted, id)
	return found
}

// DeliveryKey names the digest of a subscription for a due time. It travels with the message.
func DeliveryKey(subscription string, due time.Time) string {
	return "digest/" + subscription + "/" + due.UTC().Format(time.RFC3339)
}

// failureKey names the message that says that a digest could not be made. The digest itself may still follow.
func failureKey(subscription string, due time.Time) string {
	return DeliveryKey(subscription, due) + "/failed"
}
