package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// channel is a chat system of one channel, and a Defender whose readings take several attempts. It sees what digests do at
// the same time.
type channel struct {
	mu       sync.Mutex
	reading  map[string]bool // by subscription
	attempts map[string]int  // of the reading that goes on, by subscription
	posted   []string        // keys
	overlaps []string
	devices  int // that lack an update; more at each whole reading, so that each digest has news
	now      time.Time
}

func (c *channel) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *channel) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Snapshot reads in three attempts.
func (c *channel) Snapshot(ctx context.Context, s digest.Subscription, due time.Time) (patchgap.Snapshot, error) {
	c.mu.Lock()
	if c.reading[s.ID] {
		c.overlaps = append(c.overlaps, fmt.Sprintf("%s due %s begins while another reads", s.ID, due))
	}
	c.reading[s.ID] = true
	c.mu.Unlock()
	time.Sleep(30 * time.Millisecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading[s.ID] = false
	c.attempts[s.ID]++
	digest.Progress(ctx, c.attempts[s.ID], 3)
	if c.attempts[s.ID]%3 != 0 {
		return patchgap.Snapshot{}, digest.RetryLater{After: 10 * time.Millisecond, Going: true}
	}
	c.devices += 100
	return patchgap.Snapshot{
		Tenant: digest.DefaultTenant, At: c.now, Software: []string{"x"},
		Rows: []patchgap.Row{{Key: patchgap.Key{Software: "x", KB: "1"}, Devices: c.devices, CVEs: 1}},
	}, nil
}

func (c *channel) Confirm(ctx context.Context, _ []string) (patchgap.Snapshot, error) {
	return patchgap.Snapshot{}, ctx.Err()
}

func (c *channel) Enter(context.Context, string, string) error { return nil }

func (c *channel) Leave(context.Context, string, string) {}

func (c *channel) Post(_ context.Context, _, key string, _ view.Page) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posted = append(c.posted, key)
	return strconv.Itoa(len(c.posted)), nil
}

func (c *channel) Reply(context.Context, digest.Reply, func(int) error) error { return nil }

func (c *channel) Find(context.Context, string, string, time.Time) (string, bool, error) {
	return "", false, nil
}

func (c *channel) Tell(context.Context, string, view.Page) error { return nil }

// The digests of a subscription neither overlap nor overtake each other, whatever is due while one is being made, on whose
// behalf, and however many workers and processes there are: the clock jumps on by weeks, and people run digests meanwhile.
// Only the first digest is a first one.
func TestDigestsOfASubscriptionStayInOrder(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("digests wait for each other by the clock of the machine")
	}
	for name, processes := range map[string]int{"SQLite": 1, "PostgreSQL": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := engines()[name](t)
			c := &channel{reading: map[string]bool{}, attempts: map[string]int{}, now: monday}
			s := open(t, url, store.Options{})
			var queue *store.Queue
			for i := range processes {
				own := s
				if i > 0 {
					own = connect(t, url, store.Options{})
				}
				w := &digest.Worker{Store: own, Source: c, Poster: c, Now: c.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
				queue = started(t, own, w.Work, store.QueueOptions{})
			}
			subs := []string{"a1", "a2"}
			for _, id := range subs {
				sub := digest.Subscription{
					ID: id, Tenant: digest.DefaultTenant, Channel: "C01", Watch: []string{"x"}, Quiet: digest.Silent, Origin: digest.FromChat,
					Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Created: monday, NextRun: monday,
				}
				if err := s.AddSubscription(t.Context(), sub, audit.Entry{Action: "digest.add"}); err != nil {
					t.Fatal(err)
				}
			}
			scheduler := &digest.Scheduler{Store: s, Queue: queue}
			for week := range 5 {
				if err := scheduler.Tick(t.Context(), c.Now()); err != nil {
					t.Fatal(err)
				}
				for n := range 3 { // by hand, in minutes that follow each other
					for _, id := range subs {
						enqueue(t, queue, digest.Job{Subscription: id, Due: c.Now().Add(time.Duration(n)*time.Minute + time.Second)})
					}
				}
				time.Sleep(time.Duration(week*week) * 50 * time.Millisecond) // jumps come soon and late
				c.advance(7 * 24 * time.Hour)
			}
			if err := scheduler.Tick(t.Context(), c.Now()); err != nil {
				t.Fatal(err)
			}
			states := wantOver(t, s, patience)
			c.mu.Lock()
			defer c.mu.Unlock()
			if len(c.overlaps) > 0 {
				t.Errorf("overlaps: %q", c.overlaps)
			}
			for _, id := range subs {
				checkOrder(t, s, id, c.posted)
			}
			t.Logf("%d digests posted, jobs %v", len(c.posted), states)
		})
	}
}

// wantOver waits until no job is left to do, and returns how many ended in which state.
func wantOver(t *testing.T, s *store.Store, most time.Duration) map[string]int {
	t.Helper()
	var states map[string]int
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		states = map[string]int{}
		for _, job := range kept(t, s) {
			var state string
			var attempt int
			if _, err := fmt.Sscan(job, &state, &attempt); err != nil {
				t.Fatal(err)
			}
			states[state]++
		}
		if slices.Equal(slices.Collect(maps.Keys(states)), []string{"completed"}) {
			return states
		}
	}
	t.Fatalf("the jobs are %v, want all completed", states)
	return nil
}

// checkOrder checks what became of the digests of a subscription: posted and recorded once each, in the order of their due
// times, one after another, the last one too.
func checkOrder(t *testing.T, s *store.Store, id string, posted []string) {
	t.Helper()
	list, err := s.Deliveries(t.Context(), id, 100)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(list)
	var keys, own []string
	for i, d := range list {
		keys = append(keys, d.Key)
		if (d.Kind == digest.First) != (i == 0) {
			t.Errorf("%s: delivery %d is a %s digest", id, i+1, d.Kind)
		}
		if i > 0 && !d.Due.After(list[i-1].Due) {
			t.Errorf("%s: the digest due %s is recorded after that due %s", id, d.Due, list[i-1].Due)
		}
	}
	for _, key := range posted {
		if strings.HasPrefix(key, "digest/"+id+"/") {
			own = append(own, key)
		}
	}
	if !slices.Equal(own, keys) {
		t.Errorf("%s: posted %q, recorded %q", id, own, keys)
	}
	if last := monday.AddDate(0, 0, 35); len(list) == 0 || !list[len(list)-1].Due.Equal(last) {
		t.Errorf("%s: the last digest is not that due %s: %q", id, last, keys)
	}
	if _, found, err := s.Run(t.Context(), id); found || err != nil {
		t.Errorf("%s: a run is left (%v)", id, err)
	}
}
