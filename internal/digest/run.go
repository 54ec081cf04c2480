package digest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// Run is a digest in the making: from the first attempt until it is recorded or dropped. A subscription has one at a
// time, so that its digests neither overlap nor overtake each other, however many workers and processes there are. Its
// times are those of the machine: the clock of digests may jump.
type Run struct {
	Job
	Holder  string    // the attempt that is at work, or was last
	Began   time.Time // the first attempt
	Seen    time.Time // the last sign of an attempt
	Until   time.Time // when the attempt is over at the latest; zero between two attempts
	Posting string    // the key of a message that may have been posted; empty for none
	Done    int       // how much software was read
	Total   int       // of how much; 0 where that is not known yet
}

// Goes reports whether the digest is still being made, as far as can be seen at a moment on the clock of the machine.
func (r Run) Goes(now time.Time) bool {
	return r.Subscription != "" && (r.Until.After(now) || now.Sub(r.Seen) < abandonedAfter)
}

// Attempt is one attempt at a run.
type Attempt struct {
	Job
	Holder string // names the attempt among all
	Now    time.Time
	Until  time.Time
}

const (
	// attemptTime is longer than the queue lets an attempt take. A process that died holds the run no longer.
	attemptTime = 75 * time.Second
	// abandonedAfter is how long after its last sign a run is over whose job is gone. It is longer than the pauses
	// between two attempts.
	abandonedAfter = 2 * time.Hour
	// waitForRun is the pause before it is looked again whether the digest before this one is over.
	waitForRun = 5 * time.Second
	// progressEvery is how often progress is written down.
	progressEvery = 3 * time.Second
)

// errRunning is the cause of a [RetryLater] of a digest that waits for the one before it.
var errRunning = errors.New("another digest of the subscription is being made")

// attempting is this attempt as the store knows it.
func (t *task) attempting() Attempt {
	now := time.Now()
	return Attempt{Job: t.job, Holder: fmt.Sprintf("%s#%d", t.key, t.attempt), Now: now, Until: now.Add(attemptTime)}
}

// begin makes this digest the one that is being made of its subscription. A digest that is behind a newer one is not
// wanted; one that is ahead of an older one waits for it, or takes its place if both come as one.
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

// overtaken reports whether the digest of a due time is not to be made any more since the next is due: digests that were
// missed come as one.
func (t *task) overtaken(due time.Time) bool {
	next := schedule.Next(t.subscription.Schedule, due)
	return !next.IsZero() && !next.After(t.now())
}

// end ends the attempt, and the run with it unless the digest is to be tried again. It works after the attempt's time is
// up, too: the next attempt would only wait.
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
		t.log().WarnContext(ctx, "the end of an attempt at a digest could not be recorded; the next digest of the subscription waits longer", "key", t.key, "err", err)
	}
}

// posting notes that a message is about to be posted, so that a retry looks for it. It fails where another attempt
// has taken the run away.
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

// progressKey finds the function in a context that is told of a reading's progress.
type progressKey struct{}

// Progress reports how much of a reading is done. A [Source] calls it; it returns at once if no caller waits for the
// reading.
func Progress(ctx context.Context, done, total int) {
	if tell, ok := ctx.Value(progressKey{}).(func(done, total int)); ok {
		tell(done, total)
	}
}

// withProgress writes the progress of a reading down now and then, and at the end of one that is not whole.
func (t *task) withProgress(ctx context.Context) (reading context.Context, finish func(whole bool)) {
	var mu sync.Mutex
	written := time.Now() // most readings end before the first progress is due
	var done, total int
	write := func() {
		written = time.Now()
		if err := t.Store.SetProgress(context.WithoutCancel(ctx), t.attempting(), done, total); err != nil {
			t.log().WarnContext(ctx, "the progress of a digest could not be recorded", "key", t.key, "err", err)
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
