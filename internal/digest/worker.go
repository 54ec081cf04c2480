package digest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Worker makes and delivers digests. It is safe for concurrent use once its fields are set, and keeps no state between
// jobs.
type Worker struct {
	Known

	Store  Records
	Source Source
	Poster Poster
	Now    func() time.Time // the clock; [time.Now] when nil
	Log    *slog.Logger     // for failures that no person can be told; discarded when nil

	// Event returns the event to send to other systems for a digest with changes; nil sends none. It is recorded with
	// the digest and sent later.
	Event func(key string, r Report) (Event, error)

	// Patching returns the patch report for subscriptions with Report, based on what was just read. Without it they get
	// ordinary digests.
	Patching func(ctx context.Context, s Subscription, read patchgap.Snapshot) (view.Page, error)

	// Observe is called after each attempt. It may be nil and must not block.
	Observe func(ctx context.Context, o Observation)
}

const (
	// tellAfter is the attempt from which a failure is reported instead of retried silently. The queue's pauses up to
	// it should add up to some minutes, because most outages are shorter.
	tellAfter = 4
	// MinAttempts is how many attempts the queue has to give a job, so that failures are reported and posted messages
	// are recorded.
	MinAttempts = 2 * tellAfter
	// tryFailedAgain is the delay before a digest that could not be made is retried.
	tryFailedAgain = 30 * time.Minute
	// remindAfter is how long the same failure is not reported again.
	remindAfter = 24 * time.Hour
	// maxRefusals is how many consecutive refusals pause a subscription.
	maxRefusals = 3
	// seenFor is how far back an update may have been missing to count as reopened.
	seenFor = 400 * 24 * time.Hour
	// historyLength is how many deliveries are read, so that a chart has enough points among failures.
	historyLength = 4 * chartPoints
)

// Work makes and delivers the digest of a job. attempt counts from 1; a later one looks for what an earlier one may
// have posted, and completes its thread. It returns nil for a job without a digest: it was delivered, a later one is
// due, or the subscription is paused or gone. It returns a [RetryLater] that says when to retry, or an error that wraps
// [ErrChannelGone] not to retry; any other error should be retried with growing pauses, at least [MinAttempts] times.
func (w *Worker) Work(ctx context.Context, job Job, attempt int) error {
	t := task{Worker: w, job: job, key: DeliveryKey(job.Subscription, job.Due), attempt: attempt}
	began := time.Now()
	err := t.work(ctx)
	if o := t.observed(began, err); o.Outcome != OutcomeWaits {
		w.observe(ctx, o)
	}
	return err
}

// work runs the attempt: it reserves the channel, makes this the running digest, and releases both at the end.
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

// waits records that the attempt ended before the digest was considered.
func (t *task) waits(err error) error {
	if isRetryLater(err) {
		t.seen.Outcome = OutcomeWaits
	}
	return err
}

// make makes the digest if it is still wanted or an earlier attempt has posted it.
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
	// An expired pause has no meaning any more, and recording the delivery must not bring it back.
	s := &t.subscription
	s.Paused, s.PausedUntil, s.PauseReason = false, time.Time{}, ""
	reading, finish := t.withProgress(ctx)
	r, err := t.report(reading, t.subscription, t.job.Due)
	finish(err == nil)
	if posted == "" && (t.overtaken(t.job.Due) || r.behind()) {
		return nil // the next digest became due in the meantime and continues the reading
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

// behind reports whether a digest with a later due time has been delivered.
func (r Report) behind() bool {
	return slices.ContainsFunc(r.History, func(d Delivery) bool { return d.Kind != Failed && d.Due.After(r.Due) })
}

// Preview returns the report of a digest made now, without posting or recording it. If nothing at all can be read it
// returns an error, and the report's [Report.Failure] is the page to show.
func (w *Worker) Preview(ctx context.Context, s Subscription) (Report, error) {
	r, err := w.report(ctx, s, w.now())
	if _, nothing := errors.AsType[unreadable](err); !nothing && isRetryLater(err) {
		return r, nil // what a later reading has to confirm has not closed yet
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

// whole reports whether the channel is told the numbers of a report.
func (r Report) whole() bool { return r.Kind != Same || r.Subscription.Quiet == Always }

// pages returns what is posted of a report and into its thread; posted is false for a silent one.
func (r Report) pages() (digest, details view.Page, posted bool) {
	switch {
	case r.Patching != nil: // always wanted: ages grow even if nothing changes
		return r.Page(), view.Page{}, true
	case r.whole():
		return r.Page(), r.Details(), true
	case r.Subscription.Quiet == Heartbeat:
		return r.Heartbeat(), view.Page{}, true
	}
	return view.Page{}, view.Page{}, false
}
