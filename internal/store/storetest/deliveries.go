package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

func deliveryIsKept(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	if _, found, err := s.Delivery(t.Context(), "k1"); found || err != nil {
		t.Errorf("before: found %t, %v", found, err)
	}
	want := delivered("a1", "k1", day(1))
	must(t, s.Record(t.Context(), want, snapshot(day(1), nil), sample("a1"), view.Page{}))
	got, found, err := s.Delivery(t.Context(), "k1")
	must(t, err)
	if !found {
		t.Fatal("not found")
	}
	diff(t, "delivery", want, got)
}

func deliveriesNewestFirst(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"), sample("a2"))
	var want []digest.Delivery
	for i := range 4 {
		d := delivered("a1", fmt.Sprint("k", i), day(i))
		must(t, s.Record(t.Context(), d, snapshot(day(i), nil), sample("a1"), view.Page{}))
		must(t, s.Record(t.Context(), delivered("a2", fmt.Sprint("other", i), day(i)), snapshot(day(i), nil), sample("a2"), view.Page{}))
		want = append([]digest.Delivery{d}, want...)
	}
	for _, limit := range []int{0, 3, 100} {
		got, err := s.Deliveries(t.Context(), "a1", limit)
		must(t, err)
		diff(t, "deliveries", want[:min(limit, len(want))], got)
	}
}

func recordIsIdempotent(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	first := snapshot(day(1), []string{"x"}, row("x", "1", 7))
	first.Told = map[string]int{"1": 6, "another": 5}
	d := delivered("a1", "k1", day(1))
	must(t, s.Record(t.Context(), d, first, sample("a1"), view.Page{}))

	again, other := d, sample("a1")
	again.Message, again.Kind, again.At = "another", digest.Same, day(2)
	other.Failures, other.Paused, other.PauseReason = 3, true, "gone"
	must(t, s.Record(t.Context(), again, snapshot(day(2), []string{"x"}), other, view.Page{}))

	got, _, err := s.Delivery(t.Context(), "k1")
	must(t, err)
	diff(t, "delivery", d, got)
	wantBaseline(t, s, "a1", first)
	sub, err := s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "subscription", sample("a1"), sub)
}

func recordChangesOutcomeOnly(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	now := sample("a1") // as a person has it by now
	now.Watch, now.NextRun, now.Channel = []string{digest.All}, day(9), "C09"
	must(t, s.UpdateSubscription(t.Context(), now, by("U01", "digest.change", "a1")))

	after := sample("a1") // as the digest knows it
	after.Failures = 2
	must(t, s.Record(t.Context(), delivered("a1", "k1", day(1)), snapshot(day(1), nil), after, view.Page{}))
	now.Failures = 2
	got, err := s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "after a failure", now, got)

	after.Failures, after.Paused, after.PauseReason, after.NextRun = 3, true, "its channel is gone", time.Time{}
	must(t, s.Record(t.Context(), delivered("a1", "k2", day(2)), snapshot(day(2), nil), after, view.Page{}))
	now.Failures, now.Paused, now.PauseReason, now.NextRun = 3, true, "its channel is gone", time.Time{}
	got, err = s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "paused by the program", now, got)

	must(t, s.UpdateSubscription(t.Context(), sample("a1"), by("U01", "digest.resume", "a1")))
	after.Failures, after.PausedUntil = 0, day(20) // a person's pause, which has an end, and no business of a delivery
	must(t, s.Record(t.Context(), delivered("a1", "k3", day(3)), snapshot(day(3), nil), after, view.Page{}))
	got, err = s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "resumed", sample("a1"), got)
}

func recordRollsBack(in test) {
	t, s := in.T, in.store
	added(t, s, sample("a1"))
	after := sample("a1")
	after.Failures = 5
	broken := snapshot(day(1), []string{"x"}, row("x", "1", 7), row("y", "1", 7)) // a row of software that was not read
	if err := s.Record(t.Context(), delivered("a1", "k1", day(1)), broken, after, view.Page{}); err == nil {
		t.Error("a broken snapshot was recorded")
	}
	if _, found, err := s.Delivery(t.Context(), "k1"); found || err != nil {
		t.Errorf("delivery: found %t, %v", found, err)
	}
	if _, found := baseline(t, s, "a1"); found {
		t.Error("a baseline was kept")
	}
	got, err := s.Subscription(t.Context(), "a1")
	must(t, err)
	diff(t, "subscription", sample("a1"), got)
}

func recordAfterRemoval(in test) {
	t, s := in.T, in.store
	must(t, s.Record(t.Context(), delivered("zz", "k1", day(1)), snapshot(day(1), []string{"x"}), sample("zz"), view.Page{}))
	if _, found, err := s.Delivery(t.Context(), "k1"); found || err != nil {
		t.Errorf("delivery: found %t, %v", found, err)
	}
	if _, found := baseline(t, s, "zz"); found {
		t.Error("a baseline was kept")
	}
}

// Digests that are due together share software, and record in any order.
func recordsAtOnce(in test) {
	t, s := in.T, in.store
	const subs, software = 8, 12
	var names []string
	for i := range software {
		names = append(names, fmt.Sprintf("s%02d", i))
	}
	var wg sync.WaitGroup
	want := map[string]patchgap.Snapshot{}
	for i := range subs {
		id := fmt.Sprint("a", i)
		added(t, s, sample(id))
		order := slices.Clone(names)
		if i%2 == 0 {
			slices.Reverse(order) // each would lock what the other waits for
		}
		snap := snapshot(day(1).Add(time.Duration(i%3)*time.Second), order)
		for _, name := range order {
			snap.Rows = append(snap.Rows, row(name, strconv.Itoa(i%4), 10+i%2))
		}
		want[id] = snap
		wg.Go(func() {
			if err := s.Record(t.Context(), delivered(id, "k"+id, day(1)), snap, sample(id), view.Page{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for id, snap := range want {
		wantBaseline(t, s, id, snap)
	}
}
