package demo

import (
	"context"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// dueWork tells the sandbox's clock what to wait for. Without a queue there is nothing.
type dueWork struct {
	store *store.Store
	feeds *travellingFeeds
	now   func() time.Time

	mu      sync.Mutex
	queue   *store.Queue
	checked [2]int // updates and exploited CVEs in the feeds when subscriptions were last checked
}

func (d *dueWork) connect(queue *store.Queue) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = queue
}

// soonRetried is the longest delay of a retry that still counts as under way: a digest that a broken Defender delays
// for half an hour must not stop the clock.
const soonRetried = 10 * time.Second

// pending is a [sandbox.Pending]: when something is due next, and how much is due but not done. That is digests and,
// for subscriptions with alerts, publications between two of them.
func (d *dueWork) pending(ctx context.Context) (next time.Time, underWay int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.queue == nil {
		return time.Time{}, 0, nil
	}
	all, err := d.store.Subscriptions(ctx, digest.SubscriptionFilter{})
	if err != nil {
		return time.Time{}, 0, err
	}
	now := d.now()
	alerts := false
	for _, s := range all {
		alerts = alerts || s.Alert != digest.NoAlert && !s.Paused
		switch {
		case s.NextRun.IsZero():
		case !s.NextRun.After(now):
			underWay++
		default:
			next = earlier(next, s.NextRun)
		}
	}
	if alerts {
		next = earlier(next, nextPublication(now))
		if err := d.check(ctx); err != nil {
			return time.Time{}, 0, err
		}
	}
	// After the subscriptions: the scheduler makes a job of a digest before it moves its next run.
	jobs, err := d.queue.Unfinished(ctx, soonRetried)
	return next, underWay + jobs, err
}

// check has subscriptions checked if the feeds have more. The app does so too, but by the real clock, while weeks of
// this one pass.
func (d *dueWork) check(ctx context.Context) error {
	snapshot := d.feeds.snapshot()
	updates, exploited := snapshot.Len()
	if has := [2]int{updates, exploited}; has != d.checked {
		if err := d.queue.EnqueueChecks(ctx, app.FeedEdition(snapshot)); err != nil {
			return err
		}
		d.checked = has
	}
	return nil
}

// earlier returns the earlier of two times; the first may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
