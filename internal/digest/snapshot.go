package digest

import (
	"cmp"
	"slices"
	"time"
)

// Compare orders keys by software, KB and OS build.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Software, other.Software), cmp.Compare(k.KB, other.KB), cmp.Compare(k.OSBuild, other.OSBuild))
}

func compareRows(a, b Row) int { return a.Compare(b.Key) }

// Passes reports whether a row is big enough to tell.
func (f Filter) Passes(r Row) bool { return r.Devices >= f.MinDevices && r.CVEs >= f.MinCVEs }

// Keep is the snapshot without the rows that are too small to tell.
func (s Snapshot) Keep(f Filter) Snapshot {
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool { return !f.Passes(r) })
	return s
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
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r Row) bool { return !wanted(r.Software) })
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
	s = s.with(old.Rows)
	s.Software = slices.Compact(slices.Sorted(slices.Values(append(s.Software, old.Software...))))
	return s
}

// pin is what the next digest compares with after one of which the channel saw no numbers: the rows as they are, with
// the counts that the channel knows. Otherwise a count that moves a little each time would move far without a word.
func (s Snapshot) pin(before Snapshot) Snapshot {
	known := before.rows()
	s.Rows = slices.Clone(s.Rows)
	for i, r := range s.Rows {
		if old, had := known[r.Key]; had {
			s.Rows[i].Devices = old.Devices
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

// Totals are the sums of the snapshot's rows.
func (s Snapshot) Totals() Totals {
	var t Totals
	kbs := map[string]bool{}
	for _, r := range s.Rows {
		kbs[r.KB] = true
		t.Rows++
		t.Worst = max(t.Worst, r.Devices)
		t.Missing += r.Devices
		t.CVEs += r.CVEs
	}
	t.KBs = len(kbs)
	return t
}

// DeliveryKey names the digest of a subscription for a due time. It travels with the message.
func DeliveryKey(subscription string, due time.Time) string {
	return "digest/" + subscription + "/" + due.UTC().Format(time.RFC3339)
}

// failureKey names the message that says that a digest could not be made. The digest itself may still follow.
func failureKey(subscription string, due time.Time) string {
	return DeliveryKey(subscription, due) + "/failed"
}
