package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

func TestStopWaits(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s, release := open(t, url, store.Options{}), make(chan struct{})
		c := calls(func(ctx context.Context, _ call) error {
			<-release
			return ctx.Err()
		})
		q := started(t, s, c.work, store.QueueOptions{})
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
		c.next(t)
		stopped := make(chan error, 1)
		go func() { stopped <- q.Stop(context.WithoutCancel(t.Context())) }()
		select {
		case err := <-stopped:
			t.Errorf("stopped while a job ran: %v", err)
		case <-time.After(300 * time.Millisecond):
		}
		close(release)
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		wantKept(t, s, "completed 1")
		stop(t, q) // once more
	})
}

// A job that a stop cuts off is the next process's soon, and it knows that it was started before.
func TestStopCutsOff(t *testing.T) {
	t.Parallel()
	job := digest.Job{Subscription: "a1", Due: monday}
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		c := calls(func(ctx context.Context, c call) error {
			if c.attempt > 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		q := started(t, s, c.work, store.QueueOptions{MaxAttempts: 1, CutOff: time.Millisecond})
		enqueue(t, q, job)
		first := job
		first.Last = true
		c.want(t, call{first, 1})
		short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := q.Stop(short); err != nil {
			t.Fatal(err)
		}
		wantKept(t, s, "available 0")
		started(t, s, c.work, store.QueueOptions{})
		again := job
		again.PutOff, again.Last = 1, true
		c.want(t, call{again, 2})
		wantKept(t, s, "completed 1")
	})
}

// Nobody takes a job that a stop has cut off before what it may have posted can be found. River counts those that are put
// off by five seconds or more as scheduled.
func TestStopLeavesTimeToFind(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		c := calls(func(ctx context.Context, _ call) error {
			<-ctx.Done()
			return ctx.Err()
		})
		q := started(t, s, c.work, store.QueueOptions{})
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
		c.next(t)
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := q.Stop(over); err != nil {
			t.Fatal(err)
		}
		wantKept(t, s, "scheduled 0")
	})
}

func TestStopOfStubbornWork(t *testing.T) {
	t.Parallel()
	s, release := open(t, engines()["SQLite"](t), store.Options{}), make(chan struct{})
	c := calls(func(context.Context, call) error {
		<-release
		return nil
	})
	q := started(t, s, c.work, store.QueueOptions{})
	enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
	c.next(t)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Stop(over); err == nil {
		t.Error("stopped while a job ran on")
	}
	close(release)
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		q, err := s.Queue(calls(nil).work, store.QueueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday}) // that works without a start
		stop(t, q)
		wantKept(t, s, "available 0")
	})
}

// The context of Start ends before jobs do: they are finished all the same.
func TestStartOutlivesItsContext(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s, c := open(t, url, store.Options{}), calls(nil)
		q, err := s.Queue(c.work, store.QueueOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if err := q.Start(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
		c.next(t)
		stop(t, q)
		wantKept(t, s, "completed 1")
	})
}
