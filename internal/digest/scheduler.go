package digest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// Scheduler turns due subscriptions into jobs. Any number of schedulers may share a store: the queue accepts a job
// once, and the next run is moved by compare-and-set.
//
// A digest is delivered at least once, and in practice once. The job is inserted before the next run is moved, so a
// crash between the two repeats a job that the queue drops. A delivery is recorded after it was posted, so a crash
// between the two leaves a message without a record: the next attempt looks for the message by its key before it posts.
// Only if the bot may not read the channel's messages can a digest come twice.
type Scheduler struct {
	Store Timetable
	Queue Queue
	Every time.Duration    // between two ticks; 10 seconds when zero
	Now   func() time.Time // the clock; [time.Now] when nil
	Log   *slog.Logger     // discarded when nil

	// Paused is called for each subscription that was paused because its schedule has no next run; may be nil.
	Paused func(ctx context.Context, s Subscription)
}

// tickTimeout limits one tick, so that a database connection that hangs does not stop the scheduler. Subscriptions that a tick did not
// reach are due at the next one.
const tickTimeout = time.Minute

// batch is how many due subscriptions are read at once.
const batch = 500

// Run calls Tick at once and then regularly, until ctx is done. It logs failures; the next tick retries them.
func (s *Scheduler) Run(ctx context.Context) error {
	every, now, log := s.Every, s.Now, s.Log
	if every <= 0 {
		every = 10 * time.Second
	}
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := s.enqueueDue(ctx, now()); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "could not enqueue the digests that are due", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// enqueueDue is [Scheduler.Tick] with a time limit, so that a database that hangs does not stop the scheduler.
func (s *Scheduler) enqueueDue(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	return s.Tick(ctx, now)
}

// Tick enqueues a job for each subscription that is due. It enqueues the job before it moves the next run: after a crash
// between the two the job is enqueued again, and the queue drops it. All runs missed during a downtime become one job with
// the last due time. If one subscription fails, Tick continues with the others and joins the errors.
func (s *Scheduler) Tick(ctx context.Context, now time.Time) error {
	for {
		due, err := s.Store.Due(ctx, now, batch)
		if err != nil {
			return fmt.Errorf("read what is due: %w", err)
		}
		var failures []error
		for _, sub := range due {
			if err := s.schedule(ctx, sub, now); err != nil {
				failures = append(failures, fmt.Errorf("schedule digest %s: %w", sub.ID, err))
			}
		}
		// What failed stays due and sorts first, so it is in the next batch too.
		if len(due) < batch || len(failures) == len(due) {
			return errors.Join(failures...)
		}
	}
}

// schedule enqueues the digest of one subscription and moves its next run.
func (s *Scheduler) schedule(ctx context.Context, sub Subscription, now time.Time) error {
	if sub.pausedAt(now) || sub.NextRun.IsZero() || sub.NextRun.After(now) {
		return nil
	}
	if sub.Paused {
		was := sub
		sub.Paused, sub.PausedUntil, sub.PauseReason = false, time.Time{}, ""
		changed, err := s.Store.SetPause(ctx, was, sub, systemActor(sub, now, audit.ActionDigestResume, "its pause ended"))
		if err != nil || !changed { // the next tick sees what a person changed
			return wrap(err, "resume")
		}
	}
	next := schedule.Next(sub.Schedule, now)
	if next.IsZero() {
		const reason = "Its schedule can no longer be read."
		was := sub
		sub = sub.Pause(time.Time{}, reason)
		changed, err := s.Store.SetPause(ctx, was, sub, systemActor(sub, now, audit.ActionDigestPause, reason))
		if err != nil || !changed {
			return wrap(err, "pause")
		}
		if s.Paused != nil {
			s.Paused(ctx, sub)
		}
		return nil
	}
	if err := s.Queue.Enqueue(ctx, Job{Subscription: sub.ID, Due: lastDue(sub, now)}); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	_, err := s.Store.Advance(ctx, sub.ID, sub.NextRun, next)
	return err // another scheduler may have moved it already
}

// systemActor returns the audit entry of a change made by the program itself.
func systemActor(s Subscription, now time.Time, action, detail string) audit.Entry {
	return audit.Entry{
		At: now, Tenant: s.Tenant, Channel: s.Channel, Action: action, Subject: s.ID, Detail: detail, Result: audit.ResultDone,
	}
}

// lastDue returns the last due time up to now: missed digests come as one.
func lastDue(s Subscription, now time.Time) time.Time {
	last := s.NextRun
	// A year of quarter hours would be slow to walk, so search nearby first.
	for _, back := range []time.Duration{time.Hour, 25 * time.Hour, 8 * 24 * time.Hour, 63 * 24 * time.Hour} {
		if t := schedule.Next(s.Schedule, now.Add(-back)); t.After(last) && !t.After(now) {
			last = t
			break
		}
	}
	for t := schedule.Next(s.Schedule, last); !t.IsZero() && !t.After(now); t = schedule.Next(s.Schedule, last) {
		last = t
	}
	return last
}
