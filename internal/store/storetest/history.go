package storetest

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

func anySoftware(string) bool { return true }

func historyOf(in test, since time.Time, wanted func(string) bool) []patchgap.Snapshot {
	in.Helper()
	all, err := in.store.History(in.Context(), digest.DefaultTenant, since, wanted)
	must(in.T, err)
	return all
}

// History has a snapshot for each day on which a software was read, the last one of the day, even if nothing changed.
func history(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("b2"))
	same, changed := row("x", "1", 7), row("x", "1", 4)
	recorded(t, s, "a1", snapshot(day(1), []string{"x", "y"}, same))
	recorded(t, s, "b2", snapshot(day(1).Add(time.Hour), []string{"x"}, changed))
	recorded(t, s, "a1", snapshot(day(2), []string{"x"}, changed))
	recorded(t, s, "a1", snapshot(day(5), []string{"x"}, same))             // as it was before
	recorded(t, s, "b2", snapshot(day(4), []string{"x"}, row("x", "9", 9))) // comes late, and is not the newest
	want := []patchgap.Snapshot{
		snapshot(day(1).Add(time.Hour), []string{"x"}, changed), snapshot(day(2), []string{"x"}, changed), snapshot(day(5), []string{"x"}, same),
		snapshot(day(1), []string{"y"}),
	}
	diff(t, "history", want, historyOf(in, day(0), anySoftware))
	diff(t, "history of one", want[3:], historyOf(in, day(0), func(id string) bool { return id == "y" }))
	diff(t, "later history", want[2:3], historyOf(in, day(3), anySoftware))
	other, err := s.History(t.Context(), "other", day(0), anySoftware)
	must(t, err)
	diff(t, "another tenant", nil, other)
	_, err = s.Prune(t.Context(), day(3), time.Time{})
	must(t, err)
	diff(t, "after pruning", want[2:3], historyOf(in, day(0), anySoftware))
}

// A software that was not read, or only in part, has no snapshot for that day.
func historyOfWhatWasRead(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	carried := snapshot(day(1), []string{"x", "y"}, row("x", "1", 7), row("y", "1", 7))
	carried.Unread = []patchgap.Unread{{Software: "x", Reason: "Defender did not answer"}}
	carried.Partial = []patchgap.Partial{{Software: "y", Rows: 1}}
	recorded(t, s, "a1", carried)
	diff(t, "history", nil, historyOf(in, day(0), anySoftware))
	failed := delivered("a1", "failed", day(2))
	failed.Kind = digest.Failed
	must(t, s.Record(t.Context(), failed, patchgap.Snapshot{}, sample("a1"), view.Page{}))
	diff(t, "history", nil, historyOf(in, day(0), anySoftware))
	for since, want := range map[time.Time]int{day(0): 1, day(3): 0} {
		n, err := s.FailedDigests(t.Context(), digest.DefaultTenant, since)
		if must(t, err); n != want {
			t.Errorf("%d digests failed since %v, want %d", n, since, want)
		}
	}
}

// An update was first seen at the first reading that had it, however often it was closed since.
func firstSeen(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	want := func(seen map[patchgap.Key]patchgap.Seen) {
		t.Helper()
		got, err := s.FirstSeen(t.Context(), digest.DefaultTenant, "x")
		must(t, err)
		diff(t, "first seen", seen, got)
	}
	want(nil)
	recorded(t, s, "a1", snapshot(day(1), []string{"x"}, row("x", "1", 7)))
	recorded(t, s, "a1", snapshot(day(3), []string{"x"}, row("x", "1", 7), row("x", "2", 7)))
	old, fresh := patchgap.Seen{First: day(1)}, patchgap.Seen{First: day(3), Before: day(1)}
	want(map[patchgap.Key]patchgap.Seen{key("x", "1"): old, key("x", "2"): fresh})
	if !old.Lower() || fresh.Lower() {
		t.Error("what was there from the start may be older, what came later may not")
	}
	recorded(t, s, "a1", snapshot(day(4), []string{"x"}))
	recorded(t, s, "a1", snapshot(day(5), []string{"x"}, row("x", "2", 7)))
	want(map[patchgap.Key]patchgap.Seen{key("x", "1"): old, key("x", "2"): fresh})
}
