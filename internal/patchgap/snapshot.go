package patchgap

import (
	"cmp"
	"maps"
	"slices"
)

// Compare orders keys by software, KB and OS build.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Software, other.Software), cmp.Compare(k.KB, other.KB), cmp.Compare(k.OSBuild, other.OSBuild))
}

func compareRows(a, b Row) int { return a.Compare(b.Key) }

// Gap splits the updates of the snapshot by a filter.
func (s Snapshot) Gap(f Filter) Gap { return f.Gap(s.Updates()) }

// AsTold returns the updates with the counts that the channel saw last.
func (s Snapshot) AsTold() []Update {
	all := s.Updates()
	for i, u := range all {
		if devices, ok := s.Told[u.ID()]; ok {
			all[i].Devices = devices
		}
	}
	slices.SortFunc(all, Update.Compare)
	return all
}

// readable returns the part of a snapshot whose software could be read both times.
func (s Snapshot) readable(after Snapshot) Snapshot {
	return s.Only(func(id string) bool { return contains(s.Software, id) && !after.IsUnread(id) })
}

// Comparable returns the updates that can be compared with a later snapshot, with the counts that the channel saw.
// partly has those that unreadable software lists too: of these only their presence is known. A present one counts as
// it is now, an absent one is left out.
func (s Snapshot) Comparable(after Snapshot) (all []Update, partly map[string]bool) {
	partly = map[string]bool{}
	for _, r := range s.Rows {
		if after.IsUnread(r.Software) {
			partly[r.unit()] = true
		}
	}
	all = s.readable(after).AsTold()
	if len(partly) == 0 {
		return all, partly
	}
	all = slices.DeleteFunc(all, func(u Update) bool { return partly[u.ID()] })
	for _, u := range after.Updates() {
		if partly[u.ID()] {
			all = append(all, u)
		}
	}
	return all, partly
}

// Missing returns the snapshot without rows that are missing on no device. Earlier versions stored such rows, which
// must not count as closed now.
func (s Snapshot) Missing() Snapshot {
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool { return r.Devices == 0 })
	return s
}

// Only returns the snapshot of the wanted software.
func (s Snapshot) Only(wanted func(software string) bool) Snapshot {
	s.Software = slices.DeleteFunc(slices.Clone(s.Software), func(id string) bool { return !wanted(id) })
	s.Told = maps.Clone(s.Told)
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool {
		if wanted(r.Software) {
			return false
		}
		delete(s.Told, r.unit()) // the count covered all of its software
		return true
	})
	s.Unread = slices.DeleteFunc(slices.Clone(s.Unread), func(u Unread) bool { return !wanted(u.Software) })
	s.Partial = slices.DeleteFunc(slices.Clone(s.Partial), func(p Partial) bool { return !wanted(p.Software) })
	return s
}

// With returns the snapshot with rows added. Their software counts as read.
func (s Snapshot) With(rows []Row) Snapshot {
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

// Carry returns the snapshot that the next digest compares with. Software that could not be read keeps its earlier
// rows, so that its changes are reported once it can be read again. It is listed in both Software and Unread.
func (s Snapshot) Carry(before Snapshot) Snapshot {
	old := before.Only(func(id string) bool { return s.IsUnread(id) && contains(before.Software, id) })
	s.Told = old.Told
	for _, r := range s.Rows {
		delete(s.Told, r.unit())
	}
	s = s.With(old.Rows)
	s.Software = slices.Compact(slices.Sorted(slices.Values(append(s.Software, old.Software...))))
	return s
}

// KeepTold keeps the counts that the channel saw before, for a digest that showed none. Otherwise a count that moves a
// little each time would move far unnoticed.
func (s Snapshot) KeepTold(before Snapshot, f Filter) Snapshot {
	was := byUnit(before.AsTold())
	s.Told = map[string]int{}
	for _, u := range s.Updates() {
		if old, had := was[u.ID()]; had && f.Passes(old) && old.Devices != u.Devices {
			s.Told[u.ID()] = old.Devices
		}
	}
	return s
}

// WasRead reports whether a software could be read.
func (s Snapshot) WasRead(id string) bool { return contains(s.Software, id) && !s.IsUnread(id) }

// IsUnread reports whether a software could not be read.
func (s Snapshot) IsUnread(id string) bool {
	return slices.ContainsFunc(s.Unread, func(u Unread) bool { return u.Software == id })
}

// IsPartial reports whether some rows of a software could not be read.
func (s Snapshot) IsPartial(id string) bool {
	return slices.ContainsFunc(s.Partial, func(p Partial) bool { return p.Software == id })
}

// Whole reports whether everything could be read.
func (s Snapshot) Whole() bool { return len(s.Unread)+len(s.Partial) == 0 }

// UnreadableRows counts the rows that could not be read.
func (s Snapshot) UnreadableRows() int {
	n := 0
	for _, p := range s.Partial {
		n += p.Rows
	}
	return n
}

// rows indexes the rows by key.
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
