package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

func TestQueueTellsWhatWaits(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		held := make(chan struct{})
		s, c := open(t, url, store.Options{}), calls(func(_ context.Context, c call) error {
			switch c.Subscription {
			case "held":
				<-held
			case "broken":
				return errors.New("broken")
			}
			return nil
		})
		q := started(t, s, c.work, store.QueueOptions{Backoff: func(int) time.Duration { return time.Hour }})
		want := []digest.Job{{Subscription: "broken", Due: monday}, {Subscription: "held", Due: monday.Add(time.Hour)}}
		enqueue(t, q, want[0])
		c.next(t)
		enqueue(t, q, digest.Job{Subscription: "done", Due: monday})
		c.next(t)
		enqueue(t, q, want[1])
		c.next(t)
		defer close(held)
		var got []digest.Job
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
			var err error
			if got, err = q.Waiting(on.Context()); err != nil {
				t.Fatal(err)
			}
			if len(got) == len(want) { // the one that is done may still be written down
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("waiting (-want +got):\n%s", diff)
		}
		for within, want := range map[time.Duration]int{time.Minute: 1, 2 * time.Hour: 2} { // broken is put off for an hour
			if got, err := q.Unfinished(on.Context(), within); err != nil || got != want {
				t.Errorf("unfinished within %v: got %d, %v, want %d", within, got, err, want)
			}
		}
	})
}

func TestAges(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t := on.T
		s := open(t, on.url, store.Options{})
		ages := func() [2]time.Time {
			oldest, newest, err := s.BaselineTimes(on.Context())
			if err != nil {
				t.Fatal(err)
			}
			return [2]time.Time{oldest, newest}
		}
		if got := ages(); got != [2]time.Time{} {
			t.Errorf("without a baseline: %v", got)
		}
		for id, days := range map[string]int{"1": 1, "2": 5, "3": 9} {
			sub := digest.Subscription{ID: id, Tenant: digest.DefaultTenant, Channel: "C", Watch: []string{"a"}, Paused: id == "3", PauseReason: "so"}
			if err := s.AddSubscription(on.Context(), sub, audit.Entry{Action: "digest.add"}); err != nil {
				t.Fatal(err)
			}
			d := digest.Delivery{Key: id, Subscription: id, Tenant: sub.Tenant, Due: monday, Kind: digest.First, At: monday.AddDate(0, 0, -days)}
			if err := s.Record(on.Context(), d, patchgap.Snapshot{Tenant: sub.Tenant, At: d.At}, sub, view.Page{}); err != nil {
				t.Fatal(err)
			}
		}
		if want, got := [2]time.Time{monday.AddDate(0, 0, -5), monday.AddDate(0, 0, -1)}, ages(); got != want {
			t.Errorf("got %v, want %v: paused ones do not count", got, want)
		}
		each, err := s.BaselineTimesBySubscription(on.Context())
		want := map[string]time.Time{"1": monday.AddDate(0, 0, -1), "2": monday.AddDate(0, 0, -5), "3": monday.AddDate(0, 0, -9)}
		if diff := cmp.Diff(want, each); diff != "" || err != nil {
			t.Errorf("of each (-want +got), %v:\n%s", err, diff)
		}
	})
}
