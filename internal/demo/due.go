package demo

import (
	"context"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// dueDigests tells the sandbox's clock what it has to wait for. The zero value waits for nothing until there is a queue.
type dueDigests struct {
	mu    sync.Mutex
	store *store.Store
	queue *store.Queue
	now   func() time.Time
}

func (d *dueDigests) connect(database *store.Store, queue *store.Queue, now func() time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.store, d.queue, d.now = database, queue, now
}

// soonRetried is within what time a digest that waits to be tried again counts as under way: one that a broken Defender
// puts off for half an hour must not stop the clock.
const soonRetried = 10 * time.Second

// pending is a [sandbox.Pending]: when the next digest is due, and how many are due and not done.
func (d *dueDigests) pending(ctx context.Context) (next time.Time, underWay int, err error) {
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
	for _, s := range all {
		switch {
		case s.NextRun.IsZero():
		case !s.NextRun.After(now):
			underWay++
		case next.IsZero() || s.NextRun.Before(next):
			next = s.NextRun
		}
	}
	// After the subscriptions: the scheduler makes a job of a digest before it moves its next run.
	jobs, err := d.queue.Unfinished(ctx, soonRetried)
	return next, underWay + jobs, err
}
