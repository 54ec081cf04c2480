package digest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Worker makes digests and delivers them. It is safe for concurrent use once its fields are set, and keeps nothing
// between jobs.
type Worker struct {
	Known

	Store  Records
	Source Source
	Poster Poster
	Now    func() time.Time // the clock; [time.Now] when nil
	Log    *slog.Logger     // of what a person cannot be told; discarded when nil

	// Event makes what other systems are told of a digest that found a change; nil tells them nothing. It is recorded with
	// the digest, to be sent later.
	Event func(key string, r Report) (Event, error)

	// Patching makes the page that says how patching goes, of what was just read, for subscriptions with Report. Without it
	// these get digests like others.
	Patching func(ctx context.Context, s Subscription, read patchgap.Snapshot) (view.Page, error)

	// Observe is called after each attempt; may be nil. It must not block.
	Observe func(ctx context.Context, o Observation)
}

const (
	// tellAfter is the attempt at which a failure is told instead of tried again in silence. The queue's pauses up to
	// it should make some minutes: most outages are shorter.
	tellAfter = 4
	// MinAttempts is how many attempts the queue must give a job, so that failures are told and what was posted is
	// recorded.
	MinAttempts = 2 * tellAfter
	// tryFailedAgain is when a digest that could not be made is tried again.
	tryFailedAgain = 30 * time.Minute
	// remindAfter is how long the same failure is not told again.
	remindAfter = 24 * time.Hour
	// maxRefusals in a row pause a subscription.
	maxRefusals = 3
	// seenFor is how far back an update may have been missing to count as reopened.
	seenFor = 400 * 24 * time.Hour
	// historyLength finds the digests of a chart among failures.
	historyLength = 4 * chartPoints
)

// Work makes the digest of a job and delivers it. attempt counts from 1; where an earlier one may have posted something, it
// looks for that, and it posts what a thread still lacks. It returns nil for a job that needs no digest: it was delivered,
// a later one is due, the subscription is paused or gone. A [RetryLater] says when to try again, an error that wraps [ErrChannelGone] not to
// try again; any other should be tried again with growing pauses, at least [MinAttempts] times.
func (w *Worker) Work(ctx context.Context, job Job, attempt int) error {
	t := task{Worker: w, job: job, key: DeliveryKey(job.Subscription, job.Due), attempt: attempt}
	began := time.Now()
	err := t.work(ctx)
	if o := t.observed(began, err); o.Outcome != OutcomeWaits {
		w.observe(ctx, o)
	}
	return err
}

func (t *task) work(ctx context.Context) (err error) {
	t.seen.Outcome = OutcomeSkipped
	if open, err := t.load(ctx); err != nil || !open {
		return err
	}
	if err := t.enter(ctx); err != nil {
		return t.waits(err)
	}
	defer t.Poster.Leave(context.WithoutCancel(ctx), t.subscription.Channel, t.key)
	if t.delivered.Thread == ThreadOwed {
		return t.complete(ctx)
	}
	if wanted, err := t.begin(ctx); err != nil || !wanted {
		return t.waits(err)
	}
	defer func() { t.end(ctx, err) }()
	return t.make(ctx)
}

// waits notes that the attempt ended before the digest was looked at.
func (t *task) waits(err error) error {
	if isRetryLater(err) {
		t.seen.Outcome = OutcomeWaits
	}
	return err
}

// make makes the digest, if it is still wanted or an earlier attempt has posted it.
func (t *task) make(ctx context.Context) error {
	wanted := t.wanted()
	if !wanted && t.run.Posting != t.key {
		return nil
	}
	posted, err := t.find(ctx, t.key)
	if err != nil {
		return t.failed(ctx, "look for the digest", err)
	}
	if !wanted && posted == "" {
		return nil
	}
	// A pause that ended says nothing any more, and what is recorded of the subscription must not bring it back.
	s := &t.subscription
	s.Paused, s.PausedUntil, s.PauseReason = false, time.Time{}, ""
	reading, finish := t.withProgress(ctx)
	r, err := t.report(reading, t.subscription, t.job.Due)
	finish(err == nil)
	if posted == "" && (t.overtaken(t.job.Due) || r.behind()) {
		return nil // the next digest came due meanwhile, and goes on with what was read
	}
	t.seen.Kind, t.seen.Late, t.seen.AsOf = r.Kind, r.late(), r.After.At
	if _, ok := errors.AsType[unreadable](err); ok && posted == "" {
		return t.tellFailure(ctx, r, err)
	}
	if err != nil {
		return err
	}
	return t.deliver(ctx, r, posted)
}

// behind reports whether a digest of a later due time has been delivered.
func (r Report) behind() bool {
	return slices.ContainsFunc(r.History, func(d Delivery) bool { return d.Kind != Failed && d.Due.After(r.Due) })
}

// Preview is the report that a digest would be made of now. Nothing is posted and nothing recorded. Where nothing at all
// can be read its error says so, and the report's [Report.Failure] is what to show.
func (w *Worker) Preview(ctx context.Context, s Subscription) (Report, error) {
	r, err := w.report(ctx, s, w.now())
	if _, nothing := errors.AsType[unreadable](err); !nothing && isRetryLater(err) {
		return r, nil // what a later reading must confirm has not closed yet
	}
	return r, err
}

func (w *Worker) now() time.Time {
	if w.Now == nil {
		return time.Now()
	}
	return w.Now()
}

func (w *Worker) log() *slog.Logger {
	if w.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return w.Log
}

// unreadable is the failure of a reading that read nothing.
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
	r.Before = before.Missing().Only(s.Watches) // what is no longer watched has not closed
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

// patching adds the page that says how patching goes, where the subscription asks for it.
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

// readingTime leaves the last part of the time that there is to what comes after a reading: what was read can be told,
// or why there is nothing.
func readingTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/6))
}

// toldAt is when the channel was told of the patch gap last.
func (r Report) toldAt() time.Time {
	for _, d := range r.History {
		if d.Kind != Failed && d.Message != "" {
			return d.At
		}
	}
	return r.Before.At
}

// compare fills in what changed. Rows that vanished are read again before their updates are called closed; while that
// gets on but is not whole it returns a [RetryLater].
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

// confirm reads again what vanished, and puts back what a second reading does not lack.
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
		w.log().WarnContext(ctx, "closed updates could not be confirmed", "subscription", r.Subscription.ID, "err", err)
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

// unreadNews reports whether the channel has to be told what could not be read: silence would say that nothing changed.
func (r Report) unreadNews() bool {
	fresh := slices.ContainsFunc(r.After.Unread, func(u patchgap.Unread) bool { return !r.Before.IsUnread(u.Software) }) ||
		slices.ContainsFunc(r.After.Partial, func(p patchgap.Partial) bool { return !r.Before.IsPartial(p.Software) })
	return fresh || !r.After.Whole() && r.Now.Sub(r.Since) >= remindAfter
}

// whole reports whether the channel is told the numbers of a report.
func (r Report) whole() bool { return r.Kind != Same || r.Subscription.Quiet == Always }

// pages are what is posted of a report and into its thread; nothing for a silent one.
func (r Report) pages() (digest, details view.Page, posted bool) {
	switch {
	case r.Patching != nil: // it is wanted every time: time passes also where nothing changes
		return r.Page(), view.Page{}, true
	case r.whole():
		return r.Page(), r.Details(), true
	case r.Subscription.Quiet == Heartbeat:
		return r.Heartbeat(), view.Page{}, true
	}
	return view.Page{}, view.Page{}, false
}
