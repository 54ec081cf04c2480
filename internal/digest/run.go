package digest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// Run is a digest being made: from the first attempt until it is recorded or dropped. A subscription has one at a time,
// so that its digests neither overlap nor overtake each other, regardless of the number of workers and replicas. Its
// times are the machine's: the clock of digests may jump.
type Run struct {
	Job
	Holder  string    // the current or last attempt
	Began   time.Time // start of the first attempt
	Seen    time.Time // the last sign of an attempt
	Until   time.Time // latest end of the attempt; zero between two attempts
	Posting string    // key of a message that may have been posted; empty for none
	Done    int       // software ids read
	Total   int       // software ids to read; 0 if not known yet
}

// Goes reports whether the digest is still being made, judged at now on the machine's clock.
func (r Run) Goes(now time.Time) bool {
	return r.Subscription != "" && (r.Until.After(now) || now.Sub(r.Seen) < abandonedAfter)
}

// Attempt is one attempt at a run.
type Attempt struct {
	Job
	Holder string // unique name of the attempt
	Now    time.Time
	Until  time.Time
}

const (
	// attemptTime exceeds the time the queue allows an attempt. After it, a process that died no longer holds the run.
	attemptTime = 75 * time.Second
	// abandonedAfter is how long after its last sign a run without a job has ended. It exceeds the pauses between two
	// attempts.
	abandonedAfter = 2 * time.Hour
	// waitForRun is the pause before checking again whether the previous digest has ended.
	waitForRun = 5 * time.Second
	// progressEvery is how often progress is written to the store.
	progressEvery = 3 * time.Second
)

// errRunning is the cause of a [RetryLater] for a digest that waits for the previous one.
var errRunning = errors.New("another digest of the subscription is being made")

// attempting returns this attempt as the store knows it.
func (t *task) attempting() Attempt {
	now := time.Now()
	return Attempt{Job: t.job, Holder: fmt.Sprintf("%s#%d", t.key, t.attempt), Now: now, Until: now.Add(attemptTime)}
}

// begin makes this the running digest of its subscription. A digest behind a newer one is not wanted; one ahead of an
// older one waits for it, or replaces it if both come as one.
func (t *task) begin(ctx context.Context) (wanted bool, err error) {
	attempt := t.attempting()
	run, begun, err := t.Store.BeginRun(ctx, attempt)
	switch {
	case err != nil:
		return false, fmt.Errorf("begin digest %s: %w", t.key, err)
	case begun:
		t.run = run
		return true, nil
	case run.Due.After(t.job.Due):
		return false, nil
	}
	working := run.Until.After(attempt.Now)
	merges := run.Posting == "" && t.overtaken(run.Due)
	if working || !merges && attempt.Now.Sub(run.Seen) < abandonedAfter {
		return false, RetryLater{After: waitForRun, Err: errRunning}
	}
	taken, err := t.Store.TakeRun(ctx, run, attempt)
	switch {
	case err != nil:
		return false, fmt.Errorf("begin digest %s in place of another: %w", t.key, err)
	case !taken:
		return false, RetryLater{After: waitForRun, Err: errRunning}
	}
	t.run = Run{Job: t.job, Holder: attempt.Holder, Began: attempt.Now, Seen: attempt.Now, Until: attempt.Until}
	return true, nil
}

// overtaken reports whether the digest of a due time is superseded because the next one is due: missed digests come as
// one.
func (t *task) overtaken(due time.Time) bool {
	next := schedule.Next(t.subscription.Schedule, due)
	return !next.IsZero() && !next.After(t.now())
}

// end ends the attempt, and the run with it unless the digest will be retried. It also works after the attempt's time
// is up, because otherwise the next attempt would have to wait.
func (t *task) end(ctx context.Context, err error) {
	const enough = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enough)
	defer cancel()
	if err == nil || isChannelGone(err) || t.recorded {
		err = t.Store.EndRun(ctx, t.job)
	} else {
		err = t.Store.RestRun(ctx, t.attempting())
	}
	if err != nil {
		t.log().WarnContext(ctx, "the end of an attempt at a digest could not be recorded; the next digest of the subscription waits longer", "key", t.key, "error", err)
	}
}

// posting records that a message is about to be posted, so that a retry looks for it. It fails if another attempt has
// taken over the run.
func (t *task) posting(ctx context.Context, key string) error {
	kept, err := t.Store.SetPosting(ctx, t.attempting(), key)
	if err != nil {
		return fmt.Errorf("note that %s is about to be posted: %w", key, err)
	}
	if !kept {
		return RetryLater{After: waitForRun, Err: errRunning}
	}
	t.run.Posting = key
	return nil
}

// progressKey is the context key of the function that receives a reading's progress.
type progressKey struct{}

// Progress reports how much of a reading is done. A [Source] calls it. Without a receiver it does nothing.
func Progress(ctx context.Context, done, total int) {
	if tell, ok := ctx.Value(progressKey{}).(func(done, total int)); ok {
		tell(done, total)
	}
}

// withProgress stores the progress of a reading now and then, and at the end if it is incomplete.
func (t *task) withProgress(ctx context.Context) (reading context.Context, finish func(whole bool)) {
	var mu sync.Mutex
	written := time.Now() // most readings end before the first progress is due
	var done, total int
	write := func() {
		written = time.Now()
		if err := t.Store.SetProgress(context.WithoutCancel(ctx), t.attempting(), done, total); err != nil {
			t.log().WarnContext(ctx, "the progress of a digest could not be recorded", "key", t.key, "error", err)
		}
	}
	tell := func(d, of int) {
		mu.Lock()
		defer mu.Unlock()
		if of != total {
			done = 0
		}
		if done, total = max(done, d), of; time.Since(written) >= progressEvery {
			write()
		}
	}
	return context.WithValue(ctx, progressKey{}, tell), func(whole bool) {
		mu.Lock()
		defer mu.Unlock()
		if !whole && total > 0 {
			write()
		}
	}
}
