package storetest

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

func baselineIsExact(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	if _, found := baseline(t, s, "a1"); found {
		t.Error("a baseline before the first digest")
	}
	want := snapshot(day(1), []string{"a", "b", "c", "u"},
		row("a", "1", 7), row("a", "2", 0), row("c", "1", 1<<40), patchgap.Row{Key: patchgap.Key{Software: "u", KB: "9"}})
	want.Tenant = "other"
	want.Unread = []patchgap.Unread{{Software: "u", Reason: "it is carried on"}, {Software: "z", Reason: "Defender did not answer"}}
	want.Partial = []patchgap.Partial{{Software: "a", Rows: 3}}
	recorded(t, s, "a1", want)
	wantBaseline(t, s, "a1", want)

	want = snapshot(day(2), []string{"a"}) // lacks nothing
	recorded(t, s, "a1", want)
	wantBaseline(t, s, "a1", want)

	want = snapshot(day(3), nil) // watches what is not there
	recorded(t, s, "a1", want)
	wantBaseline(t, s, "a1", want)
}

func baselineOfAnySnapshot(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		snap := anySnapshot(rt, day(n))
		recorded(t, s, "a1", snap)
		wantBaseline(t, s, "a1", snap)
	})
}

// anySnapshot draws from few names, so that snapshots overlap, and from any text.
func anySnapshot(t *rapid.T, at time.Time) patchgap.Snapshot {
	name := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "c"}), rapid.String())
	text := rapid.OneOf(rapid.SampledFrom([]string{"1", "2"}), rapid.String())
	s := snapshot(at, rapid.SliceOfNDistinct(name, 0, 5, rapid.ID[string]).Draw(t, "software"))
	slices.Sort(s.Software)
	for _, software := range s.Software {
		for range rapid.IntRange(0, 4).Draw(t, "rows") {
			s.Rows = append(s.Rows, patchgap.Row{
				Key:  patchgap.Key{Software: software, KB: text.Draw(t, "kb"), OSBuild: text.Draw(t, "build")},
				Name: text.Draw(t, "name"), Products: text.Draw(t, "products"), URL: text.Draw(t, "url"),
				Devices: rapid.Int().Draw(t, "devices"), CVEs: rapid.IntRange(0, 9).Draw(t, "cves"),
			})
		}
	}
	return s
}

func baselineSkipsFailures(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	want := snapshot(day(1), []string{"x"}, row("x", "1", 7))
	recorded(t, s, "a1", want)
	failed := delivered("a1", "k2", day(2))
	failed.Kind = digest.Failed
	empty := snapshot(day(2), nil)
	empty.Unread = []patchgap.Unread{{Software: "x", Reason: "Defender did not answer"}}
	must(t, s.Record(t.Context(), failed, empty, sample("a1"), view.Page{}))
	wantBaseline(t, s, "a1", want)
	if _, found, err := s.Delivery(t.Context(), "k2"); !found || err != nil {
		t.Errorf("the failure: found %t, %v", found, err)
	}
}

func baselineIsNewest(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	want := snapshot(day(2), []string{"x"}, row("x", "2", 7))
	recorded(t, s, "a1", want)
	recorded(t, s, "a1", snapshot(day(1), []string{"x"}, row("x", "1", 7))) // came late
	wantBaseline(t, s, "a1", want)
}

func baselinesAreApart(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"), sample("a3"))
	one := snapshot(day(1), []string{"x", "y"}, row("x", "1", 7), row("y", "1", 7))
	two := snapshot(day(1), []string{"y", "z"}, row("y", "1", 8), row("z", "1", 7)) // the same time, other counts
	three := one
	three.Tenant = "other"
	recorded(t, s, "a1", one)
	recorded(t, s, "a2", two)
	recorded(t, s, "a3", three)
	wantBaseline(t, s, "a1", one)
	wantBaseline(t, s, "a2", two)
	wantBaseline(t, s, "a3", three)
}

func wantSeen(t *testing.T, s *store.Store, since time.Time, want map[patchgap.Key]time.Time, keys ...patchgap.Key) {
	t.Helper()
	got, err := s.SeenBefore(t.Context(), digest.DefaultTenant, keys, since)
	must(t, err)
	diff(t, "seen", want, got)
}

func seenBefore(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	x := []string{"x", "y"}
	stays, goes, back := key("x", "1"), key("x", "2"), key("y", "2")
	recorded(t, s, "a1", snapshot(day(1), x, row("x", "1", 7), row("x", "2", 7), row("y", "2", 7)))
	wantSeen(t, s, day(0), nil, stays, goes, back)
	recorded(t, s, "a1", snapshot(day(2), x, row("x", "1", 7), row("x", "2", 6), row("y", "2", 7)))
	recorded(t, s, "a1", snapshot(day(3), x, row("x", "1", 7)))
	closed := map[patchgap.Key]time.Time{goes: day(2), back: day(2)}
	wantSeen(t, s, day(0), closed, stays, goes, back, key("x", "unknown"), key("unknown", "2"))
	wantSeen(t, s, day(2), closed, goes, back)
	wantSeen(t, s, day(2).Add(time.Millisecond), nil, goes, back)
	wantSeen(t, s, day(0), map[patchgap.Key]time.Time{goes: day(2)}, goes)

	recorded(t, s, "a1", snapshot(day(4), x, row("x", "1", 7), row("y", "2", 1)))
	wantSeen(t, s, day(0), closed, stays, goes, back) // it is back, and was seen before
	recorded(t, s, "a1", snapshot(day(5), x, row("x", "1", 7)))
	wantSeen(t, s, day(0), map[patchgap.Key]time.Time{goes: day(2), back: day(4)}, goes, back)

	got, err := s.SeenBefore(t.Context(), "other", []patchgap.Key{goes}, day(0))
	must(t, err)
	diff(t, "another tenant", nil, got)
}

// A new update that another subscription has just recorded is still new.
func seenBeforeByAnother(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"))
	recorded(t, s, "a1", snapshot(day(1), []string{"x"}))
	recorded(t, s, "a1", snapshot(day(2), []string{"x"}, row("x", "1", 7)))
	wantSeen(t, s, day(0), nil, key("x", "1"))
}

func seenBeforeInDisorder(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"))
	recorded(t, s, "a1", snapshot(day(1), []string{"x"}, row("x", "1", 7)))
	recorded(t, s, "a1", snapshot(day(3), []string{"x"}, row("x", "1", 7)))
	late := snapshot(day(2), []string{"x"}) // says nothing of what is missing now
	recorded(t, s, "a2", late)
	wantBaseline(t, s, "a2", late)
	wantSeen(t, s, day(0), nil, key("x", "1"))
}

// Software that could not be read keeps its old rows in a snapshot; that does not count as seeing them.
func carriedRowsAreNotSeen(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"))
	recorded(t, s, "a1", snapshot(day(1), []string{"x"}, row("x", "1", 7)))
	carried := snapshot(day(5), []string{"x"}, row("x", "1", 7))
	carried.Unread = []patchgap.Unread{{Software: "x", Reason: "Defender did not answer"}}
	recorded(t, s, "a2", carried)
	wantBaseline(t, s, "a2", carried)
	recorded(t, s, "a1", snapshot(day(6), []string{"x"}))
	wantSeen(t, s, day(0), map[patchgap.Key]time.Time{key("x", "1"): day(1)}, key("x", "1"))
}

// A reading with unreadable rows closes nothing, and is not the newest one.
func partialReadingsCloseNothing(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"))
	recorded(t, s, "a1", snapshot(day(1), []string{"x"}, row("x", "1", 7)))
	partial := snapshot(day(5), []string{"x"})
	partial.Partial = []patchgap.Partial{{Software: "x", Rows: 1}}
	recorded(t, s, "a2", partial)
	wantBaseline(t, s, "a2", partial)
	wantSeen(t, s, day(0), nil, key("x", "1"))
	newest, found, err := s.Reading(t.Context(), digest.DefaultTenant, "x")
	if must(t, err); !found || len(newest.Rows) != 1 || !newest.At.Equal(day(1)) {
		t.Errorf("the newest reading is of %v with %d rows", newest.At, len(newest.Rows))
	}
}

func prune(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	for i := range 6 {
		recorded(t, s, "a1", snapshot(day(i), []string{"x"}, row("x", strconv.Itoa(i), 7)))
		must(t, s.AddAudit(t.Context(), by("U01", strconv.Itoa(i), "x")))
	}
	n, err := s.Prune(t.Context(), time.Time{}, day(0))
	if n != 0 || err != nil {
		t.Errorf("nothing is so old: removed %d rows, %v", n, err)
	}
	n, err = s.Prune(t.Context(), day(3), time.Time{})
	must(t, err)
	if n != 12 { // 3 deliveries, 3 readings, 3 days, 3 closed updates
		t.Errorf("removed %d rows of history, want 12", n)
	}
	n, err = s.Prune(t.Context(), time.Time{}, day(3))
	must(t, err)
	if n != 7 { // they are all of the first day
		t.Errorf("removed %d audits, want 7", n)
	}
	list, err := s.Deliveries(t.Context(), "a1", 10)
	must(t, err)
	if len(list) != 3 || list[2].At.Before(day(3)) {
		t.Errorf("deliveries kept: %v", list)
	}
	wantSeen(t, s, time.Time{}, map[patchgap.Key]time.Time{key("x", "3"): day(3), key("x", "4"): day(4)},
		key("x", "2"), key("x", "3"), key("x", "4"), key("x", "5"))
	wantBaseline(t, s, "a1", snapshot(day(5), []string{"x"}, row("x", "5", 7)))
	if n, err = s.Prune(t.Context(), day(3), day(3)); n != 0 || err != nil {
		t.Errorf("again: removed %d rows, %v", n, err)
	}
}

func pruneKeepsBaselines(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"))
	old := snapshot(day(0), []string{"x", "y"}, row("x", "1", 7), row("y", "1", 7))
	recorded(t, s, "a1", old)
	fresh := snapshot(day(100), []string{"x"}, row("x", "1", 7), row("x", "2", 7))
	recorded(t, s, "a2", fresh)
	_, err := s.Prune(t.Context(), day(50), day(50))
	must(t, err)
	wantBaseline(t, s, "a1", old)
	wantBaseline(t, s, "a2", fresh)
	// What was pruned grows again.
	recorded(t, s, "a1", snapshot(day(101), []string{"y"}, row("y", "1", 7)))
	recorded(t, s, "a1", snapshot(day(102), []string{"y"}))
	wantSeen(t, s, day(60), map[patchgap.Key]time.Time{key("y", "1"): day(101)}, key("y", "1"))
}

func newestReading(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("b2"))
	want := func(software string, at time.Time, rows ...patchgap.Row) {
		t.Helper()
		got, found, err := s.Reading(t.Context(), digest.DefaultTenant, software)
		must(t, err)
		if found == at.IsZero() {
			t.Errorf("a reading of %s: %v", software, found)
		}
		if found {
			diff(t, "reading", snapshot(at, []string{software}, rows...), got)
		}
	}
	want("a", time.Time{})
	recorded(t, s, "a1", snapshot(day(1), []string{"a", "b"}, row("a", "1", 7), row("a", "2", 5), row("b", "1", 3)))
	recorded(t, s, "b2", snapshot(day(2), []string{"a"}, row("a", "1", 6)))
	want("a", day(2), row("a", "1", 6))
	want("b", day(1), row("b", "1", 3))
	recorded(t, s, "a1", snapshot(day(3), []string{"a"}))
	want("a", day(3))
	want("c", time.Time{})
	if _, found, err := s.Reading(t.Context(), "other", "a"); found || err != nil {
		t.Errorf("another tenant has a reading: %v, %v", found, err)
	}
}
