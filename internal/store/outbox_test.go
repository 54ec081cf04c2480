package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// subscribed adds a subscription.
func subscribed(t *testing.T, s *store.Store) digest.Subscription {
	t.Helper()
	sub := digest.Subscription{
		ID: "a1", Tenant: digest.DefaultTenant, Channel: "C01", Owner: "U01", Watch: []string{"x"},
		Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Silent, Origin: digest.FromChat, Created: monday,
	}
	if err := s.AddSubscription(t.Context(), sub, audit.Entry{At: monday, Action: "digest.add"}); err != nil {
		t.Fatal(err)
	}
	return sub
}

// eventOf has a body that JSON would change: the order of its keys, and characters that are escaped.
func eventOf(id string) digest.Event {
	return digest.Event{ID: id, Body: `{"z": 1,"a":"<é\u003c\u0000>"}`}
}

// recordEvent records a digest with an event.
func recordEvent(t *testing.T, s *store.Store, sub digest.Subscription, key string, e digest.Event, rows ...patchgap.Row) error {
	t.Helper()
	d := digest.Delivery{Key: key, Subscription: sub.ID, Tenant: sub.Tenant, Due: monday, Kind: digest.Changed, At: monday, Event: e}
	return s.Record(t.Context(), d, patchgap.Snapshot{Tenant: sub.Tenant, At: monday, Software: []string{"x"}, Rows: rows}, sub, view.Page{})
}

// keptEvents are the jobs of events in the database, in order.
func keptEvents(t *testing.T, s *store.Store) []string {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), "SELECT state, attempt, queue FROM river_job WHERE kind = 'event' ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var state, queue string
		var attempt int
		if err := rows.Scan(&state, &attempt, &queue); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(state, " ", attempt, " ", queue))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func wantEvents(t *testing.T, s *store.Store, want ...string) {
	t.Helper()
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got = keptEvents(t, s); cmp.Equal(want, got) {
			return
		}
	}
	t.Errorf("events (-want +got):\n%s", cmp.Diff(want, got))
}

// The job that sends an event is there exactly when the digest's record is.
func TestEventIsRecordedWithItsDigest(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		sub := subscribed(t, s)
		stranger := patchgap.Row{Key: patchgap.Key{Software: "unlisted", KB: "1"}, Devices: 1} // fails after the event was added
		if err := recordEvent(t, s, sub, "k1", eventOf("e1"), stranger); err == nil {
			t.Fatal("a snapshot that contradicts itself was recorded")
		}
		if _, found, err := s.Delivery(t.Context(), "k1"); err != nil || found {
			t.Errorf("the delivery is there: %v, %v", found, err)
		}
		if got := keptEvents(t, s); len(got) > 0 {
			t.Errorf("the failed transaction has left %q", got)
		}
		removed := sub
		removed.ID = "gone"
		for key, c := range map[string]struct {
			sub   digest.Subscription
			event digest.Event
		}{"removed": {removed, eventOf("e2")}, "no event": {sub, digest.Event{}}} {
			if err := recordEvent(t, s, c.sub, key, c.event); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
		for range 2 {
			if err := recordEvent(t, s, sub, "k1", eventOf("e1")); err != nil {
				t.Fatal(err)
			}
		}
		wantEvents(t, s, "available 0 events")
	})
}

// An event waits in the database until a process can send it, and is sent as it was written.
func TestEventsAreSent(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		if err := recordEvent(t, s, subscribed(t, s), "k1", eventOf("e1")); err != nil {
			t.Fatal(err)
		}
		without := calls(nil)
		q := started(t, s, without.work, store.QueueOptions{})
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
		without.next(t)
		stop(t, q)
		wantEvents(t, s, "available 0 events")

		sent := make(chan digest.Event, 10)
		started(t, s, calls(nil).work, store.QueueOptions{SendBackoff: soon, Send: func(_ context.Context, e digest.Event, last bool) error {
			sent <- e
			if last {
				t.Error("the last attempt")
			}
			if len(sent) < 2 {
				return errors.New("no luck")
			}
			return nil
		}})
		wantEvents(t, s, "completed 2 events")
		for range 2 {
			if d := cmp.Diff(eventOf("e1"), <-sent); d != "" {
				t.Errorf("event (-want +got):\n%s", d)
			}
		}
	})
}

func TestEventsAreGivenUp(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		sub := subscribed(t, s)
		for _, id := range []string{"refused", "lost"} {
			if err := recordEvent(t, s, sub, id, eventOf(id)); err != nil {
				t.Fatal(err)
			}
		}
		attempts := make(chan bool, 20)
		started(t, s, calls(nil).work, store.QueueOptions{SendBackoff: soon, Send: func(_ context.Context, e digest.Event, last bool) error {
			if e.ID == "refused" {
				return fmt.Errorf("%w: gone", store.ErrNoRetry)
			}
			attempts <- last
			return errors.New("no luck")
		}})
		wantEvents(t, s, "cancelled 1 events", "discarded 9 events")
		for n := range 9 {
			if last := <-attempts; last != (n == 8) {
				t.Errorf("attempt %d is the last: %v", n+1, last)
			}
		}
	})
}

// A stop that cuts off an attempt loses nothing.
func TestStopCutsOffAnEvent(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		if err := recordEvent(t, s, subscribed(t, s), "k1", eventOf("e1")); err != nil {
			t.Fatal(err)
		}
		began := make(chan struct{}, 1)
		q := started(t, s, calls(nil).work, store.QueueOptions{CutOff: time.Millisecond, Send: func(ctx context.Context, _ digest.Event, _ bool) error {
			began <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}})
		<-began
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.Stop(over); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, s, "available 0 events")
	})
}

// A receiver that is away for some hours loses nothing; one that is away for days is given up.
func TestEventPausesMakeADay(t *testing.T) {
	t.Parallel()
	var all time.Duration
	for _, pause := range store.EventPauses() {
		all += pause
	}
	if all < 22*time.Hour || all > 26*time.Hour {
		t.Errorf("events are sent again for %v, want about a day", all)
	}
}
