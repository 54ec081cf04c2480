package digest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// A digest waits for the one before it, goes in its place where both come as one, and never goes before a newer one.
func TestDigestWaitsForTheOneBefore(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * time.Hour
	for name, tc := range map[string]struct {
		other  time.Duration // due, from the digest's own due time
		run    func(now time.Time) digest.Run
		posted bool
		waits  bool
	}{
		"one by hand, at work":          {-time.Hour, func(now time.Time) digest.Run { return digest.Run{Seen: now, Until: now.Add(time.Minute)} }, false, true},
		"one by hand, between attempts": {-time.Hour, func(now time.Time) digest.Run { return digest.Run{Seen: now.Add(-time.Hour)} }, true, false}, // the schedule's own comes in its place
		"that of last week, at work":    {-week, func(now time.Time) digest.Run { return digest.Run{Seen: now, Until: now.Add(time.Minute)} }, false, true},
		"that of last week, resting":    {-week, func(now time.Time) digest.Run { return digest.Run{Seen: now.Add(-time.Minute)} }, true, false},
		"that of last week, killed": {-week, func(now time.Time) digest.Run {
			return digest.Run{Seen: now.Add(-time.Hour), Until: now.Add(-time.Minute)}
		}, true, false},
		"one that may have been posted":      {-week, func(now time.Time) digest.Run { return digest.Run{Seen: now.Add(-time.Hour), Posting: "k"} }, false, true},
		"one that was posted and is lost":    {-week, func(now time.Time) digest.Run { return digest.Run{Seen: now.Add(-3 * time.Hour), Posting: "k"} }, true, false},
		"a newer one":                        {time.Hour, func(now time.Time) digest.Run { return digest.Run{Seen: now.Add(-time.Hour)} }, false, false},
		"its own, from an attempt that died": {0, func(now time.Time) digest.Run { return digest.Run{Seen: now, Until: now.Add(time.Minute)} }, true, false},
	} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			h.defender.rows = []patchgap.Row{seed()}
			job := h.next()
			run := tc.run(time.Now())
			run.Job, run.Holder = digest.Job{Subscription: "7", Due: job.Due.Add(tc.other)}, "another attempt"
			h.store.runs["7"] = run
			err := h.Work(t.Context(), job, 1)
			if _, waits := errors.AsType[digest.RetryLater](err); waits != tc.waits || err != nil && !waits {
				t.Errorf("%s: %v, want to wait: %t", name, err, tc.waits)
			}
			if posted := len(h.slack.posted) == 1; posted != tc.posted {
				t.Errorf("%s: posted %t, want %t", name, posted, tc.posted)
			}
			if tc.waits && h.outcomes() != "" {
				t.Errorf("%s: observed %q, want nothing of a digest that only waits", name, h.outcomes())
			}
		})
	}
}

// Two digests that a person wants in minutes that follow each other come one after the other.
func TestDigestsByHandComeOneAfterAnother(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		h.next()
		first := digest.Job{Subscription: "7", Due: digest.DueByHand(time.Now())}
		second := digest.Job{Subscription: "7", Due: first.Due.Add(time.Minute)}
		time.Sleep(2 * time.Minute)
		h.defender.broken["Snapshot"] = digest.RetryLater{After: time.Minute, Going: true}
		if err := h.Work(t.Context(), first, 1); err == nil {
			t.Fatal("the first did not have to wait for its reading")
		}
		clear(h.defender.broken)
		if _, waits := errors.AsType[digest.RetryLater](h.Work(t.Context(), second, 1)); !waits {
			t.Error("the second did not wait for the first")
		}
		for _, job := range []digest.Job{first, second, first} {
			if err := h.Work(t.Context(), job, 2); err != nil {
				t.Fatal(err)
			}
		}
		h.wantKinds("first+ same")
	})
}

// An attempt whose run was taken away, because its process stood still for too long, posts nothing.
func TestAttemptThatLostItsRun(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		job := h.next()
		h.Source = stalls{h.defender, func() {
			run := h.store.runs["7"]
			run.Holder = "the next attempt"
			h.store.runs["7"] = run
		}}
		if err := h.Work(t.Context(), job, 1); err == nil || len(h.slack.posted) != 0 {
			t.Errorf("%v, %d messages; want an attempt that ends without one", err, len(h.slack.posted))
		}
		if run := h.store.runs["7"]; run.Holder != "the next attempt" || run.Posting != "" {
			t.Errorf("the run is %+v, want that of the next attempt, untouched", run)
		}
	})
}

// stalls is a source during whose reading something happens.
type stalls struct {
	digest.Source
	meanwhile func()
}

func (s stalls) Snapshot(ctx context.Context, sub digest.Subscription, due time.Time) (patchgap.Snapshot, error) {
	s.meanwhile()
	return s.Source.Snapshot(ctx, sub, due)
}

// slowReadings are readings that take minutes, in attempts of up to fifty seconds, as the quota makes them. They see two
// at once.
type slowReadings struct {
	*defender
	mu       sync.Mutex
	random   *rand.Rand
	reading  bool
	overlaps int
}

func (s *slowReadings) Snapshot(ctx context.Context, _ digest.Subscription, _ time.Time) (patchgap.Snapshot, error) {
	s.mu.Lock()
	if s.reading {
		s.overlaps++
	}
	s.reading = true
	takes, whole := time.Duration(s.random.IntN(50))*time.Second, s.random.IntN(6) == 0
	s.mu.Unlock()
	time.Sleep(takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading = false
	if !whole {
		return patchgap.Snapshot{}, digest.RetryLater{After: time.Duration(1+s.random.IntN(90)) * time.Second, Going: true}
	}
	s.rows[0].Devices += 100 // so that each digest has news
	return s.snapshot(s.rows), ctx.Err()
}

// Whatever becomes due, by schedule and by hand, while digests take minutes and the clock jumps on, those of a subscription
// are made one after another, in order, and only the first is a first one.
func TestDigestsStayInOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			s := weekly()
			s.Quiet = digest.Always
			h := newHouse(s)
			h.defender.rows = []patchgap.Row{row(edge, "1111111", 10, 5)}
			slow := &slowReadings{defender: h.defender, random: rand.New(rand.NewPCG(seed, 2))}
			h.Source, h.Observe = slow, nil
			var mu sync.Mutex
			var jumped time.Duration
			h.Now = func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return time.Now().Add(jumped)
			}
			var wg sync.WaitGroup
			work := func(job digest.Job) {
				wg.Go(func() {
					for attempt := 1; ; attempt++ {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						err := h.Work(ctx, job, attempt)
						cancel()
						if err == nil {
							return
						}
						later, ok := errors.AsType[digest.RetryLater](err)
						if !ok {
							t.Errorf("seed %d: %v", seed, err)
							return
						}
						job.PutOff++
						time.Sleep(later.After)
					}
				})
			}
			taken := map[string]bool{} // as the queue does
			enqueue := func(due time.Time) {
				if key := digest.DeliveryKey("7", due); !taken[key] {
					taken[key] = true
					work(digest.Job{Subscription: "7", Due: due})
				}
			}
			var last time.Time
			for range 12 {
				switch random.IntN(3) {
				case 0:
					mu.Lock()
					jumped += time.Duration(1+random.IntN(8*24)) * time.Hour
					mu.Unlock()
				case 1:
					enqueue(digest.DueByHand(h.Now()))
				case 2:
					time.Sleep(time.Duration(random.IntN(600)) * time.Second)
				}
				for due := schedule.Next(s.Schedule, h.Now().Add(-8*24*time.Hour)); !due.After(h.Now()); due = schedule.Next(s.Schedule, due) {
					last = due
					enqueue(due)
				}
			}
			wg.Wait()
			h.checkOrder(t, fmt.Sprint("seed ", seed), last)
			if slow.overlaps > 0 {
				t.Errorf("seed %d: %d readings overlap", seed, slow.overlaps)
			}
		})
	}
}

// checkOrder checks that digests were posted and recorded once each, in the order of their due times, up to the last that
// was due.
func (h *house) checkOrder(t *testing.T, name string, last time.Time) {
	t.Helper()
	var posted, recorded []string
	for _, m := range h.slack.posted {
		posted = append(posted, m.key)
		if m.thread != threadLength {
			t.Errorf("%s: %s has %d messages in its thread", name, m.key, m.thread)
		}
	}
	for i, d := range h.store.deliveries {
		recorded = append(recorded, d.Key)
		if (d.Kind == digest.First) != (i == 0) {
			t.Errorf("%s: digest %d is a %s one", name, i+1, d.Kind)
		}
		if i > 0 && !d.Due.After(h.store.deliveries[i-1].Due) {
			t.Errorf("%s: the digest due %s comes after that due %s", name, d.Due, h.store.deliveries[i-1].Due)
		}
	}
	if !slices.Equal(posted, recorded) {
		t.Errorf("%s: posted %q, recorded %q", name, posted, recorded)
	}
	if n := len(recorded); !last.IsZero() && (n == 0 || h.store.deliveries[n-1].Due.Before(last)) {
		t.Errorf("%s: the digest due %s is missing: %q", name, last, recorded)
	}
	if len(h.store.runs) != 0 {
		t.Errorf("%s: runs are left: %v", name, h.store.runs)
	}
}
