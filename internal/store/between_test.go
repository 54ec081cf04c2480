package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/between"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// alerting adds a subscription that is told of exploited updates.
func alerting(t *testing.T, s *store.Store, id string) digest.Subscription {
	t.Helper()
	sub := digest.Subscription{
		ID: id, Tenant: digest.DefaultTenant, Channel: "C01", Owner: "U01", Watch: []string{"x", "y"}, Alert: digest.AlertExploited,
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Silent, Origin: digest.FromChat, Created: monday,
	}
	if err := s.AddSubscription(t.Context(), sub, audit.Entry{At: monday, Action: "digest.add"}); err != nil {
		t.Fatal(err)
	}
	return sub
}

// queueOf starts a queue that works until the end of the test.
func queueOf(t *testing.T, s *store.Store, o store.QueueOptions) *store.Queue {
	t.Helper()
	return started(t, s, func(context.Context, digest.Job, int) error { return nil }, o)
}

// eventually fails the test with the last difference if there is one for too long.
func eventually(t *testing.T, diff func() string) {
	t.Helper()
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if last = diff(); last == "" {
			return
		}
	}
	t.Errorf("(-want +got):\n%s", last)
}

func alertOf(sub string, n int, items ...between.Item) between.Alert {
	return between.Alert{ID: fmt.Sprintf("%s/%d", sub, n), Subscription: sub, At: monday, Thread: "1700000000.000100", Items: items}
}

func item(kb string, devices int) between.Item {
	return between.Item{KB: kb, Name: "Update " + kb, Software: []string{"x"}, Devices: devices, Exploit: between.Exploit{By: "CISA", CVEs: []string{"CVE-2026-1"}}}
}

// An update is claimed once, and again when its devices have grown by a quarter. The first claim, and what a digest has told,
// tell nothing.
func TestAlertsAreClaimedOnce(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		alerting(t, s, "a1")
		alerting(t, s, "a2")
		for n, c := range []struct {
			items []between.Item
			told  bool
			want  int
		}{
			{[]between.Item{item("1", 40)}, false, 0}, // the first look
			{[]between.Item{item("1", 40)}, false, 0},
			{[]between.Item{item("1", 40), item("2", 7), item("3", 1)}, false, 2},
			{[]between.Item{item("1", 49), item("2", 7), item("3", 1)}, false, 0},
			{[]between.Item{item("1", 50), item("2", 6), item("3", 2)}, false, 2},
			{[]between.Item{item("1", 60), item("4", 9)}, true, 0}, // a digest told it
			{[]between.Item{item("1", 61), item("4", 9), item("5", 1)}, false, 1},
			{nil, false, 0},
		} {
			got, err := s.ClaimAlert(t.Context(), alertOf("a1", n, c.items...), c.told)
			if err != nil || got != c.want {
				t.Errorf("claim %d: %d, %v, want %d", n, got, err, c.want)
			}
		}
		if got, err := s.ClaimAlert(t.Context(), alertOf("a2", 0), false); err != nil || got != 0 { // a first look at nothing
			t.Errorf("the first claim of another: %d, %v", got, err)
		}
		if got, err := s.ClaimAlert(t.Context(), alertOf("a2", 1, item("1", 1)), false); err != nil || got != 1 {
			t.Errorf("another subscription is told by itself: %d, %v", got, err)
		}
	})
}

// Of several processes that find the same news, one tells it.
func TestAlertsHaveOneWinner(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		alerting(t, s, "a1")
		if _, err := s.ClaimAlert(t.Context(), alertOf("a1", 0), false); err != nil {
			t.Fatal(err)
		}
		var won atomic.Int64
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				got, err := s.ClaimAlert(t.Context(), alertOf("a1", n+1, item("2", 9), item("1", 40)), false)
				if err != nil {
					t.Error(err)
				}
				won.Add(int64(got))
			})
		}
		all.Wait()
		if n := won.Load(); n != 2 {
			t.Errorf("%d items were claimed, want each of 2 once", n)
		}
	})
}

// The check of a digest's news is there exactly when its record is, for every subscription with alerts; and what other digests
// have read since counts.
func TestDigestsAreChecked(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		own, other := alerting(t, s, "a1"), alerting(t, s, "a2")
		row := func(kb string, devices int) patchgap.Row {
			return patchgap.Row{Key: patchgap.Key{Software: "x", KB: kb}, Devices: devices}
		}
		record := func(sub digest.Subscription, key, message string, at time.Time, rows ...patchgap.Row) {
			t.Helper()
			d := digest.Delivery{Key: key, Subscription: sub.ID, Tenant: sub.Tenant, Due: at, Kind: digest.Changed, At: at, Message: message}
			if err := s.Record(t.Context(), d, patchgap.Snapshot{Tenant: sub.Tenant, At: at, Software: []string{"x"}, Rows: rows}, sub, view.Page{}); err != nil {
				t.Fatal(err)
			}
		}
		record(own, "k1", "1.1", monday, row("1", 5))
		record(other, "k2", "", monday.Add(time.Hour), row("1", 6), row("2", 7))
		var mu sync.Mutex
		checks := map[between.Check]int{}
		q := queueOf(t, s, store.QueueOptions{
			Check: func(_ context.Context, c between.Check) error {
				mu.Lock()
				defer mu.Unlock()
				checks[c]++
				return nil
			},
			Tell: func(context.Context, between.Alert, int) error { return nil },
		})
		for range 2 {
			if err := q.EnqueueChecks(t.Context(), "feeds/1"); err != nil {
				t.Fatal(err)
			}
		}
		want := map[between.Check]int{
			{Subscription: "a1", Because: "k1", Told: true}: 1, {Subscription: "a2", Because: "k1"}: 1,
			{Subscription: "a1", Because: "k2"}: 1, {Subscription: "a2", Because: "k2"}: 1, // it was silent, so it told nothing
			{Subscription: "a1", Because: "feeds/1"}: 1, {Subscription: "a2", Because: "feeds/1"}: 1,
		}
		eventually(t, func() string {
			mu.Lock()
			defer mu.Unlock()
			return cmp.Diff(want, checks)
		})
		base, latest, found, err := s.Latest(t.Context(), "a1")
		if err != nil || !found || len(base.Rows) != 1 || len(latest.Rows) != 2 || latest.Rows[0].Devices != 6 {
			t.Errorf("latest: %v, %v\n%+v\n%+v", found, err, base.Rows, latest.Rows)
		}
	})
}

// An alert waits in the database until a process can tell it, and is tried again with a count of its attempts.
func TestAlertsAreTold(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		alerting(t, s, "a1")
		for n := range 2 {
			if _, err := s.ClaimAlert(t.Context(), alertOf("a1", n, item("1", 40)), false); err != nil {
				t.Fatal(err)
			}
			if _, err := s.ClaimAlert(t.Context(), alertOf("a1", 10+n, item("2", 7)), false); err != nil {
				t.Fatal(err)
			}
		}
		var mu sync.Mutex
		var told []string
		queueOf(t, s, store.QueueOptions{
			Backoff: func(int) time.Duration { return 0 },
			Check:   func(context.Context, between.Check) error { return nil },
			Tell: func(_ context.Context, a between.Alert, attempt int) error {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, fmt.Sprint(a.ID, " ", attempt, " ", len(a.Items), " ", a.Items[0].KB, " ", a.Thread))
				if attempt < 2 {
					return errors.New("Slack is away")
				}
				return nil
			},
		})
		want := []string{"a1/10 1 1 2 1700000000.000100", "a1/10 2 1 2 1700000000.000100"}
		eventually(t, func() string {
			mu.Lock()
			defer mu.Unlock()
			return cmp.Diff(want, told)
		})
	})
}
