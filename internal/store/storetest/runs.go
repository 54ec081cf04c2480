package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// page has every kind of part.
func page() view.Page {
	return view.Page{
		Title: "Details: <x> & Ж", Lead: "lead", Note: "note",
		Actions: []view.Action{{Label: "All", Command: "digest details 1", Effect: view.Replace}},
		AsOf:    view.AsOf{Time: day(1), Age: time.Minute},
		Parts: []view.Part{
			view.Facts{{Name: "New", Value: "KB1"}},
			view.List{Name: "Grew", Items: []string{"KB2"}, More: 3},
			view.Table{
				Caption: "Rows", Command: "digest details 1", Columns: []view.Column{{Key: "kb", Title: "KB"}, {Key: "n", Title: "N", Kind: view.Number}},
				Rows: [][]view.Cell{{view.TextCell("KB1"), view.NumberCell(7)}, {{Text: "KB2", Action: &view.Action{Label: "x", URL: "https://x"}}, view.NumberCell(0)}},
			},
			view.Chart{Title: "Progress", Points: []string{"a", "b"}, Series: []view.Series{{Name: "s", Values: []int{1, 2}}}},
		},
	}
}

func owedThread(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	want := page()
	d := delivered("a1", "k1", day(1))
	d.Thread = digest.ThreadOwed
	must(t, s.Record(t.Context(), d, snapshot(day(1), nil), sample("a1"), want))

	lazy := page()
	lazy.Parts = []view.Part{view.Table{Columns: []view.Column{{Key: "kb"}}, More: view.LazyRows{Count: 2, Make: func(i int) []view.Cell {
		return []view.Cell{view.TextCell(strconv.Itoa(i))}
	}}}}
	other := delivered("a1", "k2", day(2))
	other.Thread = digest.ThreadOwed
	must(t, s.Record(t.Context(), other, snapshot(day(2), nil), sample("a1"), lazy))
	got, _, _, err := s.Thread(t.Context(), "k2")
	must(t, err)
	diff(t, "rows that are made when they are looked at", view.Part(view.Table{
		Columns: []view.Column{{Key: "kb"}}, Rows: [][]view.Cell{{view.TextCell("0")}, {view.TextCell("1")}},
	}), got.Parts[0])

	for _, posted := range []int{0, 2, 1} { // never fewer than before
		must(t, s.SetPosted(t.Context(), "k1", posted))
	}
	got, posted, found, err := s.Thread(t.Context(), "k1")
	must(t, err)
	if !found || posted != 2 {
		t.Errorf("found %t with %d messages, want 2", found, posted)
	}
	diff(t, "page", want, got)

	must(t, s.EndThread(t.Context(), "k1", digest.ThreadWhole))
	if _, _, found, err := s.Thread(t.Context(), "k1"); found || err != nil {
		t.Errorf("after its end: found %t, %v", found, err)
	}
	ended, _, err := s.Delivery(t.Context(), "k1")
	must(t, err)
	d.Thread = digest.ThreadWhole
	diff(t, "delivery", d, ended)

	must(t, s.RemoveSubscription(t.Context(), "a1", by("U01", "digest.remove", "a1")))
	if _, _, found, err := s.Thread(t.Context(), "k2"); found || err != nil {
		t.Errorf("after removal: found %t, %v", found, err)
	}
}

func attempt(due time.Time, holder string) digest.Attempt {
	return digest.Attempt{Job: digest.Job{Subscription: "a1", Due: due}, Holder: holder, Now: day(5), Until: day(6)}
}

// A subscription has one run, and one attempt at it.
func runs(in test) {
	t, s := in.T, in.store
	first, second, newer := attempt(day(1), "1#1"), attempt(day(1), "1#2"), attempt(day(2), "2#1")
	begin := func(a digest.Attempt, want bool) digest.Run {
		t.Helper()
		run, begun, err := s.BeginRun(t.Context(), a)
		must(t, err)
		if begun != want {
			t.Errorf("%s: begun %t, want %t; the run is %+v", a.Holder, begun, want, run)
		}
		return run
	}
	posting := func(a digest.Attempt, key string, want bool) {
		t.Helper()
		kept, err := s.SetPosting(t.Context(), a, key)
		must(t, err)
		if kept != want {
			t.Errorf("%s: still has the run: %t, want %t", a.Holder, kept, want)
		}
	}
	begin(first, true)
	posting(first, "k1", true)
	must(t, s.SetProgress(t.Context(), first, 3, 9))
	want := digest.Run{Job: first.Job, Holder: "1#1", Began: day(5), Seen: day(5), Until: day(6), Posting: "k1", Done: 3, Total: 9}
	diff(t, "what another digest sees", want, begin(newer, false))
	want.Holder = "1#2"
	diff(t, "what the next attempt sees", want, begin(second, true))
	posting(first, "", false)
	must(t, s.RestRun(t.Context(), first)) // it has lost the run
	must(t, s.SetProgress(t.Context(), first, 4, 9))
	got, _, err := s.Run(t.Context(), "a1")
	must(t, err)
	diff(t, "after the first attempt", want, got)

	must(t, s.RestRun(t.Context(), second))
	want.Until = time.Time{}
	var found bool
	if got, found, err = s.Run(t.Context(), "a1"); err != nil || !found {
		t.Fatalf("found %t, %v", found, err)
	}
	diff(t, "between attempts", want, got)
	if taken, err := s.TakeRun(t.Context(), begin(newer, false), newer); err != nil || !taken {
		t.Errorf("taken %t, %v", taken, err)
	}
	if taken, err := s.TakeRun(t.Context(), want, attempt(day(3), "3#1")); err != nil || taken {
		t.Errorf("taken %t by what was read before, %v", taken, err)
	}
	must(t, s.EndRun(t.Context(), first.Job)) // its run is over
	all, err := s.Runs(t.Context())
	must(t, err)
	diff(t, "runs", map[string]digest.Run{"a1": {Job: newer.Job, Holder: "2#1", Began: day(5), Seen: day(5), Until: day(6)}}, all)
	must(t, s.EndRun(t.Context(), newer.Job))
	if _, found, err := s.Run(t.Context(), "a1"); found || err != nil {
		t.Errorf("after its end: found %t, %v", found, err)
	}
}

// Of several digests that begin at once, one does.
func runsAtOnce(in test) {
	t, s := in.T, in.store
	var begun atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, ok, err := s.BeginRun(t.Context(), attempt(day(i), fmt.Sprint(i, "#1")))
			if err != nil {
				t.Error(err)
			}
			if ok {
				begun.Add(1)
			}
		})
	}
	wg.Wait()
	if n := begun.Load(); n != 1 {
		t.Errorf("%d digests of one subscription began, want 1", n)
	}
}

// lanes give a channel to one holder at a time.
func lanes(in test) {
	t, s := in.T, in.store
	take := func(channel, holder string, now, until time.Time, want bool) {
		t.Helper()
		free, taken, err := s.TakeLane(t.Context(), channel, holder, now, until)
		must(t, err)
		if taken != want || !taken && !free.After(now) {
			t.Errorf("%s at %s: taken %t, free at %s; want taken %t", holder, now, taken, free, want)
		}
	}
	sec := func(n int) time.Time { return day(0).Add(time.Duration(n) * time.Second) }
	take("C1", "a", sec(0), sec(3), true)
	take("C2", "b", sec(0), sec(3), true)
	take("C1", "b", sec(1), sec(4), false)
	take("C1", "a", sec(2), sec(5), true) // prolonged
	take("C1", "b", sec(4), sec(7), false)
	must(t, s.LeaveLane(t.Context(), "C1", "b", sec(0))) // not its own
	take("C1", "b", sec(4), sec(7), false)
	must(t, s.LeaveLane(t.Context(), "C1", "a", sec(6)))
	take("C1", "b", sec(5), sec(8), false) // the channel rests after a message
	take("C1", "b", sec(6), sec(9), true)
	take("C1", "a", sec(9), sec(12), true) // b never came back
	n, err := s.Prune(t.Context(), sec(10), time.Time{})
	must(t, err)
	if n != 1 {
		t.Errorf("removed %d rows, want the lane of C2", n)
	}
}
