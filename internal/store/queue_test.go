package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// patience is how long tests wait for what should come much sooner.
const patience = 60 * time.Second

var monday = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// call is one start of a job.
type call struct {
	digest.Job
	attempt int
}

// caller is work that tells of each call, and returns what answer says.
type caller struct {
	calls  chan call
	answer func(ctx context.Context, c call) error
}

func calls(answer func(context.Context, call) error) caller {
	return caller{make(chan call, 100), answer}
}

func (c caller) work(ctx context.Context, job digest.Job, attempt int) error {
	this := call{job, attempt}
	c.calls <- this
	if c.answer == nil {
		return nil
	}
	return c.answer(ctx, this)
}

func (c caller) next(t *testing.T) call {
	t.Helper()
	select {
	case got := <-c.calls:
		return got
	case <-time.After(patience):
		t.Fatal("no job came")
		return call{}
	}
}

// want takes calls and compares them.
func (c caller) want(t *testing.T, want ...call) {
	t.Helper()
	var got []call
	for range want {
		got = append(got, c.next(t))
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(call{})); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
}

func soon(int) time.Duration { return time.Millisecond }

// started starts a queue that is stopped at the end of the test.
func started(t *testing.T, s *store.Store, work store.Work, o store.QueueOptions) *store.Queue {
	t.Helper()
	if o.Backoff == nil {
		o.Backoff = soon
	}
	q, err := s.Queue(work, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, q) })
	return q
}

func stop(t *testing.T, q *store.Queue) {
	t.Helper()
	if err := q.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func enqueue(t *testing.T, q *store.Queue, jobs ...digest.Job) {
	t.Helper()
	for _, job := range jobs {
		if err := q.Enqueue(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
}

// kept is what the database knows of the jobs, in order: state and attempts.
func kept(t *testing.T, s *store.Store) []string {
	t.Helper()
	rows, err := s.DB().QueryContext(t.Context(), "SELECT state, attempt FROM river_job WHERE kind = 'digest' ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var state string
		var attempt int
		if err := rows.Scan(&state, &attempt); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(state, " ", attempt))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// wantKept waits until the database says so; the outcome of a job is written after its work has returned.
func wantKept(t *testing.T, s *store.Store, want ...string) {
	t.Helper()
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got = kept(t, s); cmp.Equal(want, got) {
			return
		}
	}
	t.Errorf("jobs (-want +got):\n%s", cmp.Diff(want, got))
}

func TestQueueTakesAJobOnce(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s, c := open(t, url, store.Options{}), calls(nil)
		q := started(t, s, c.work, store.QueueOptions{Workers: 1})
		job := digest.Job{Subscription: "a1", Due: monday}
		sameInstant := digest.Job{Subscription: "a1", Due: monday.In(time.FixedZone("", 3600))}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { enqueue(t, q, job, sameInstant) })
		}
		wg.Wait()
		c.want(t, call{job, 1})
		wantKept(t, s, "completed 1")

		enqueue(t, q, job) // done, and not forgotten
		later, other := digest.Job{Subscription: "a1", Due: monday.Add(time.Minute)}, digest.Job{Subscription: "a2", Due: monday}
		enqueue(t, q, later)
		c.want(t, call{later, 1})
		enqueue(t, q, other)
		c.want(t, call{other, 1})
		wantKept(t, s, "completed 1", "completed 1", "completed 1")
	})
}

func TestQueueRetries(t *testing.T) {
	t.Parallel()
	job := digest.Job{Subscription: "a1", Due: monday}
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		c := calls(func(_ context.Context, c call) error {
			switch c.attempt {
			case 1:
				return errors.New("no luck")
			case 2:
				panic("no luck at all")
			}
			return nil
		})
		pauses := make(chan int, 10)
		backoff := func(failures int) time.Duration {
			pauses <- failures
			return time.Millisecond
		}
		enqueue(t, started(t, s, c.work, store.QueueOptions{Backoff: backoff}), job)
		c.want(t, call{job, 1}, call{job, 2}, call{job, 3})
		wantKept(t, s, "completed 3")
		if first, second := <-pauses, <-pauses; first != 1 || second != 2 {
			t.Errorf("paused after %d and %d failures, want 1 and 2", first, second)
		}
	})
}

func TestQueueGivesUp(t *testing.T) {
	t.Parallel()
	job := digest.Job{Subscription: "a1", Due: monday}
	last := job
	last.Last = true // so that the work can tell that it is given up
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		c := calls(func(context.Context, call) error { return errors.New("no luck") })
		told := make(chan digest.Job, 10)
		q := started(t, s, c.work, store.QueueOptions{MaxAttempts: 2, GivenUp: func(_ context.Context, job digest.Job, err error) {
			if err == nil || err.Error() != "no luck" {
				t.Errorf("given up for %v", err)
			}
			told <- job
		}})
		enqueue(t, q, job)
		c.want(t, call{job, 1}, call{last, 2})
		wantKept(t, s, "discarded 2")
		enqueue(t, q, job)
		wantKept(t, s, "discarded 2")
		if got := <-told; got != job || len(told) > 0 {
			t.Errorf("told of %v and %d more, want of %v once", got, len(told), job)
		}
	})
}

// A panic of the last attempt is the end of a job too.
func TestQueueGivesUpAfterPanics(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		told := make(chan error, 1)
		q := started(t, s, func(context.Context, digest.Job, int) error { panic("on purpose") }, store.QueueOptions{
			MaxAttempts: 1, GivenUp: func(_ context.Context, _ digest.Job, err error) { told <- err },
		})
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
		if err := <-told; err.Error() != "panic: on purpose" {
			t.Errorf("told %v", err)
		}
	})
}

// The queue keeps in the database why a job failed, without the secrets that an error or a panic may quote.
func TestQueueKeepsNoSecrets(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-of-the-job"
	eachEngine(t, func(on engine) {
		t, s := on.T, open(on.T, on.url, store.Options{})
		told := make(chan error, 1)
		q := started(t, s, func(_ context.Context, _ digest.Job, attempt int) error {
			if attempt == 1 {
				panic("connect to postgres://bot:" + secret + "@db/x")
			}
			return errors.New("connect to postgres://bot:" + secret + "@db/x")
		}, store.QueueOptions{
			MaxAttempts: 2, Backoff: func(int) time.Duration { return time.Millisecond }, GivenUp: func(_ context.Context, _ digest.Job, err error) { told <- err },
		})
		enqueue(t, q, digest.Job{Subscription: "a1", Due: monday})
		if err := <-told; strings.Contains(err.Error(), secret) {
			t.Errorf("told %v", err)
		}
		wantKept(t, s, "discarded 2")
		column := "json(errors)"
		if strings.HasPrefix(on.url, "postgres") {
			column = "array_to_string(errors, ' ')"
		}
		var kept string
		if err := s.DB().QueryRowContext(t.Context(), "SELECT "+column+" FROM river_job WHERE kind = 'digest'").Scan(&kept); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(kept, secret) || strings.Count(kept, "connect to postgres://bot:(hidden)@db/x") < 2 {
			t.Errorf("the database keeps %s", kept)
		}
	})
}

func TestQueueWaitsWithoutAnAttempt(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		job := digest.Job{Subscription: "a1", Due: monday}
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		c := calls(func(_ context.Context, c call) error {
			if c.attempt < 4 {
				return fmt.Errorf("post: %w", digest.RetryLater{After: time.Duration(c.attempt-2) * time.Millisecond})
			}
			return nil
		})
		enqueue(t, started(t, s, c.work, store.QueueOptions{MaxAttempts: 1}), job)
		var want []call
		for n := range 4 {
			job.PutOff, job.Last = n, true
			want = append(want, call{job, n + 1})
		}
		c.want(t, want...)
		wantKept(t, s, "completed 1")
	})
}

func TestQueueHeedsRetryLater(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		c := calls(func(context.Context, call) error { return digest.RetryLater{After: time.Hour} })
		before := time.Now()
		enqueue(t, started(t, s, c.work, store.QueueOptions{}), digest.Job{Subscription: "a1", Due: monday})
		c.next(t)
		wantKept(t, s, "scheduled 0")
		var at time.Time
		if err := s.DB().QueryRowContext(t.Context(), "SELECT scheduled_at FROM river_job WHERE kind = 'digest'").Scan(&at); err != nil {
			t.Fatal(err)
		}
		if wait := at.Sub(before); wait < time.Hour-time.Second || wait > time.Hour+time.Minute {
			t.Errorf("tried again in %s, want an hour", wait)
		}
	})
}

func TestQueueCancels(t *testing.T) {
	t.Parallel()
	job := digest.Job{Subscription: "a1", Due: monday}
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{})
		c := calls(func(context.Context, call) error { return fmt.Errorf("post: %w: is_archived", digest.ErrChannelGone) })
		q := started(t, s, c.work, store.QueueOptions{})
		enqueue(t, q, job)
		c.want(t, call{job, 1})
		wantKept(t, s, "cancelled 1")
		enqueue(t, q, job)
		wantKept(t, s, "cancelled 1")
	})
}

func TestQueueEndsWorkThatTakesTooLong(t *testing.T) {
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
		enqueue(t, started(t, s, c.work, store.QueueOptions{JobTimeout: 50 * time.Millisecond}), job)
		c.want(t, call{job, 1}, call{job, 2})
		wantKept(t, s, "completed 2")
	})
}

func TestQueueOptions(t *testing.T) {
	t.Parallel()
	s := open(t, engines()["SQLite"](t), store.Options{})
	if _, err := s.Queue(calls(nil).work, store.QueueOptions{JobTimeout: time.Minute, Rescue: time.Second}); err == nil {
		t.Error("a queue that rescues jobs while they run was made")
	}
}

func TestQueueForgets(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s, c := open(t, url, store.Options{}), calls(nil)
		q := started(t, s, c.work, store.QueueOptions{Workers: 1})
		for i := range 3 {
			enqueue(t, q, digest.Job{Subscription: "a1", Due: monday.AddDate(0, 0, i)})
			c.next(t)
		}
		wantKept(t, s, "completed 1", "completed 1", "completed 1")
		stop(t, q)
		for id, days := range map[int]int{1: -15, 2: -13} {
			at := time.Now().UTC().AddDate(0, 0, days).Format("2006-01-02 15:04:05.000")
			first := "(SELECT min(id) FROM river_job WHERE kind = 'digest')"
			statement := fmt.Sprintf("UPDATE river_job SET finalized_at = '%s' WHERE kind = 'digest' AND id = %s + %d", at, first, id-1)
			if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		started(t, s, c.work, store.QueueOptions{})
		wantKept(t, s, "completed 1", "completed 1")
	})
}

func TestQueuePrunes(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(on engine) {
		t, url := on.T, on.url
		s := open(t, url, store.Options{Retention: -1, Audits: 24 * time.Hour})
		for _, age := range []time.Duration{time.Hour, 25 * time.Hour} {
			if err := s.AddAudit(t.Context(), audit.Entry{At: time.Now().Add(-age), Action: age.String()}); err != nil {
				t.Fatal(err)
			}
		}
		started(t, s, calls(nil).work, store.QueueOptions{})
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if left := auditsOf(t, s); len(left) == 1 && left[0].Action == "1h0m0s" {
				return
			}
		}
		t.Error("the old audit was kept")
	})
}
