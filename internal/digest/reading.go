package digest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// unreadable is the error of a reading without any result.
type unreadable struct{ error }

func (u unreadable) Unwrap() error { return u.error }

// report reads the patch gap and compares it with the last one.
func (w *Worker) report(ctx context.Context, s Subscription, due time.Time) (Report, error) {
	r := Report{Subscription: s, Due: due}
	before, recorded, err := w.Store.Baseline(ctx, s.ID)
	if err != nil {
		return r, fmt.Errorf("read the last snapshot of a digest: %w", err)
	}
	if r.History, err = w.Store.Deliveries(ctx, s.ID, historyLength); err != nil {
		return r, fmt.Errorf("read the deliveries of a digest: %w", err)
	}
	r.Before = before.Missing().Only(s.Watches) // software that is no longer watched has not closed
	r.Since = r.toldAt()
	reading, cancel := readingTime(ctx)
	defer cancel()
	r.After, err = w.Source.Snapshot(reading, s, due)
	r.Now, r.Waits = w.now(), isRetryLater(err)
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case err != nil:
		return r, unreadable{err}
	case len(r.After.Software) == 0 && len(r.After.Unread) > 0:
		return r, unreadable{errors.New("nothing of what is watched could be read")}
	}
	w.advise(&r)
	if !recorded {
		r.Kind = First
	} else if err := w.compare(ctx, &r); err != nil {
		return r, err
	}
	if err := w.patching(ctx, &r); err != nil {
		return r, err
	}
	if err := w.markAccepted(ctx, &r); err != nil {
		return r, err
	}
	r.fold()
	w.age(ctx, &r)
	return r, nil
}

// patching adds the patch report if the subscription asks for it.
func (w *Worker) patching(ctx context.Context, r *Report) error {
	if !r.Subscription.Report || w.Patching == nil {
		return nil
	}
	page, err := w.Patching(ctx, r.Subscription, r.After)
	if err != nil {
		return fmt.Errorf("report how patching goes: %w", err)
	}
	r.Patching = &page
	return nil
}

// readingTime reserves the last part of the time for what follows a reading: telling the channel what was read, or why
// nothing was.
func readingTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/6))
}

// toldAt returns when the channel was last told about the patch gap.
func (r Report) toldAt() time.Time {
	for _, d := range r.History {
		if d.Kind != Failed && d.Message != "" {
			return d.At
		}
	}
	return r.Before.At
}

// compare fills in what changed. Rows that vanished are read again before their updates count as closed; while that is
// incomplete it returns a [RetryLater].
func (w *Worker) compare(ctx context.Context, r *Report) error {
	unfinished, err := w.confirm(ctx, r)
	if err != nil {
		return err
	}
	r.Changes = patchgap.Diff(r.Before, r.After, nil)
	known, err := w.seen(ctx, r.Subscription.Tenant, r.Changes.New)
	if err != nil {
		return err
	}
	r.Changes = patchgap.Diff(r.Before, r.After, known)
	r.unlist()
	if r.Kind = Same; r.changes().News() || r.unreadNews() || len(r.turned()) > 0 {
		r.Kind = Changed
	}
	return unfinished
}

// confirm reads vanished rows again, and puts back those that the second reading has.
func (w *Worker) confirm(ctx context.Context, r *Report) (unfinished, err error) {
	vanished, unsure := patchgap.Vanished(r.Before, r.After)
	r.After = r.After.With(unsure)
	if len(vanished) == 0 {
		return nil, nil
	}
	reading, cancel := readingTime(ctx)
	defer cancel()
	confirmed, err := w.Source.Confirm(reading, softwareOf(vanished))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	later, _ := errors.AsType[RetryLater](err)
	switch {
	case later.Going:
		unfinished, confirmed = later, patchgap.Snapshot{}
	case err != nil:
		w.log().WarnContext(ctx, "closed updates could not be confirmed", "subscription", r.Subscription.ID, "error", err)
		confirmed = patchgap.Snapshot{}
	}
	r.After = r.After.With(patchgap.Unconfirmed(vanished, confirmed))
	return unfinished, nil
}

func softwareOf(rows []patchgap.Row) []string {
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.Software)
	}
	return slices.Compact(slices.Sorted(slices.Values(ids)))
}

// seen returns when newly missing updates were missing before, so that they count as reopened.
func (w *Worker) seen(ctx context.Context, tenant string, fresh []patchgap.Change) (map[patchgap.Key]time.Time, error) {
	if len(fresh) == 0 {
		return nil, nil
	}
	var keys []patchgap.Key
	for _, c := range fresh {
		for _, r := range c.Now.Rows {
			keys = append(keys, r.Key)
		}
	}
	known, err := w.Store.SeenBefore(ctx, tenant, keys, w.now().Add(-seenFor))
	if err != nil {
		return nil, fmt.Errorf("read when updates were missing before: %w", err)
	}
	return known, nil
}

// unreadNews reports whether the channel has to be told what could not be read: silence would mean that nothing
// changed.
func (r Report) unreadNews() bool {
	fresh := slices.ContainsFunc(r.After.Unread, func(u patchgap.Unread) bool { return !r.Before.IsUnread(u.Software) }) ||
		slices.ContainsFunc(r.After.Partial, func(p patchgap.Partial) bool { return !r.Before.IsPartial(p.Software) })
	return fresh || !r.After.Whole() && r.Now.Sub(r.Since) >= remindAfter
}
