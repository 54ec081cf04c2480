package digest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// task is one attempt at a job.
type task struct {
	*Worker
	subscription Subscription
	key          string
	job          Job
	attempt      int
	delivered    Delivery    // the recorded delivery of the digest, if any
	run          Run         // as it was at the start of this attempt
	recorded     bool        // by this attempt
	seen         Observation // filled in during the attempt
}

// load reads the digest and its subscription from the store, and reports whether there is anything to do.
func (t *task) load(ctx context.Context) (open bool, err error) {
	var done bool
	if t.delivered, done, err = t.Store.Delivery(ctx, t.key); err != nil || done && t.delivered.Thread != ThreadOwed {
		return false, wrap(err, "look up delivery %s", t.key)
	}
	t.subscription, err = t.Store.Subscription(ctx, t.job.Subscription)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read digest %s: %w", t.job.Subscription, err)
	}
	return true, nil
}

// wanted reports whether the digest still has to be made.
func (t *task) wanted() bool {
	return !t.subscription.pausedAt(t.now()) && !t.overtaken(t.job.Due)
}

// tries counts attempts from 1, without those that were put off: these may follow each other within seconds, while
// failures are retried after pauses that outlast most outages.
func (t *task) tries() int { return t.attempt - t.job.PutOff }

// find looks for a message that an earlier attempt may have posted. An attempt that only waited has posted nothing, and
// Slack only allows about fifty reads of a channel a minute.
func (t *task) find(ctx context.Context, key string) (message string, err error) {
	if t.run.Posting != key && t.tries() < 2 {
		return "", nil
	}
	message, _, err = t.Poster.Find(ctx, t.subscription.Channel, key, t.job.Due)
	if err == nil || ctx.Err() != nil || isChannelGone(err) || isRetryLater(err) || t.tries() < tellAfter {
		return message, err
	}
	// A digest that may come twice is better than one that never comes.
	t.log().WarnContext(ctx, "posting without searching for an earlier message", "key", key, "error", err)
	return "", nil
}

// enter reserves the channel for posting, or prolongs the reservation.
func (t *task) enter(ctx context.Context) error {
	return wrap(t.Poster.Enter(ctx, t.subscription.Channel, t.key), "wait for the channel of digest %s", t.key)
}

// post posts a page with a key. A crash from here on leaves a record of it.
func (t *task) post(ctx context.Context, key string, page view.Page) (message string, err error) {
	if err := t.enter(ctx); err != nil { // the reservation may have expired during the reading
		return "", err
	}
	if err := t.posting(ctx, key); err != nil {
		return "", err
	}
	message, err = t.Poster.Post(ctx, t.subscription.Channel, key, page)
	if isRetryLater(err) && ctx.Err() == nil {
		err = errors.Join(err, t.posting(ctx, "")) // nothing was posted
	}
	return message, err
}

// deliver posts a report unless an earlier attempt did, records it, and posts its thread.
func (t *task) deliver(ctx context.Context, r Report, posted string) error {
	digest, details, toPost := r.pages()
	failures := t.subscription.Failures
	switch {
	case posted != "" && !toPost: // it was posted when there was still something to tell
		details = r.Details()
	case toPost && posted == "":
		var err error
		if posted, err = t.post(ctx, t.key, digest); err != nil {
			return t.failed(ctx, "post digest", err)
		}
	}
	if t.seen.Outcome = OutcomeSilent; posted != "" {
		t.seen.Outcome, failures = OutcomeSent, 0
	}
	d := t.delivery(t.key, r.Kind, posted)
	d.Totals, d.Read = r.Totals(), r.After.At
	if posted != "" && len(details.Parts) > 0 {
		d.Thread = ThreadOwed
	}
	if t.Event != nil && r.Kind == Changed {
		var err error
		if d.Event, err = t.Event(t.key, r); err != nil {
			return fmt.Errorf("make the event of digest %s: %w", t.key, err)
		}
	}
	if err := t.record(ctx, d, r.baseline(r.whole()), failures, details); err != nil {
		return err
	}
	t.recorded = true
	if d.Thread != ThreadOwed {
		return nil
	}
	return t.thread(ctx, d, details, 0, false)
}

func (t *task) delivery(key string, kind Kind, message string) Delivery {
	s := t.subscription
	d := Delivery{Key: key, Subscription: s.ID, Tenant: s.Tenant, Due: t.job.Due, Message: message, Kind: kind, At: t.now()}
	if message != "" {
		d.Channel = s.Channel
	}
	return d
}

func (t *task) record(ctx context.Context, d Delivery, baseline patchgap.Snapshot, failures int, details view.Page) error {
	baseline.Tenant = t.subscription.Tenant
	t.subscription.Failures = failures
	return wrap(t.Store.Record(ctx, d, baseline, t.subscription, details), "record delivery %s", d.Key)
}

// failed ends an attempt because of a failure of the chat system.
func (t *task) failed(ctx context.Context, doing string, err error) error {
	if isChannelGone(err) {
		return t.channelRefused(ctx, err)
	}
	return fmt.Errorf("%s %s: %w", doing, t.key, err)
}

// tellFailure tells the channel once that nothing could be read, and has the digest retried. A reading that makes
// progress is not reported, however long it takes: its digest says that it is late.
func (t *task) tellFailure(ctx context.Context, r Report, cause error) error {
	retry, waits := errors.AsType[RetryLater](cause)
	switch {
	case waits && (retry.Going || !r.late()): // the queue does not count attempts that ask to wait
		return retry
	case !waits && t.tries() < tellAfter:
		return fmt.Errorf("read the patch gap of digest %s: %w", t.job.Subscription, cause)
	case !waits:
		retry = RetryLater{After: tryFailedAgain, Err: cause}
	}
	key := failureKey(t.job.Subscription, t.job.Due)
	if _, told, err := t.Store.Delivery(ctx, key); err != nil || told {
		return or(wrap(err, "look up delivery %s", key), retry)
	}
	if last := lastPosted(r.History); last.Kind == Failed && r.Now.Sub(last.At) < remindAfter {
		return retry
	}
	message, err := t.find(ctx, key)
	if err == nil && message == "" {
		message, err = t.post(ctx, key, r.Failure())
	}
	if err != nil {
		return t.failed(ctx, "post failure", err)
	}
	t.seen.Kind, t.seen.Told = Failed, true
	if err := t.record(ctx, t.delivery(key, Failed, message), r.Before, 0, view.Page{}); err != nil {
		return err
	}
	return or(t.posting(ctx, ""), retry)
}

func lastPosted(history []Delivery) Delivery {
	for _, d := range history {
		if d.Message != "" {
			return d
		}
	}
	return Delivery{}
}

// channelRefused tells the owner that the channel accepted no digest, and pauses the subscription after several.
func (t *task) channelRefused(ctx context.Context, cause error) error {
	failures := t.subscription.Failures + 1
	t.subscription.Failures = failures
	if failures >= maxRefusals {
		t.subscription = t.subscription.Pause(time.Time{}, fmt.Sprintf("Its channel refused %d digests in a row.", failures))
	}
	if err := t.tellOwner(ctx); err != nil {
		return err
	}
	if s := t.subscription; s.Paused {
		who := systemActor(s, t.now(), audit.ActionDigestPause, s.PauseReason)
		who.ID = "pause/" + t.key // one entry per digest, however often it is retried
		if err := t.Store.AddAudit(ctx, who); err != nil {
			return fmt.Errorf("record the pause of digest %s: %w", s.ID, err)
		}
	}
	before, _, err := t.Store.Baseline(ctx, t.job.Subscription)
	if err != nil {
		return fmt.Errorf("read the last snapshot of digest %s: %w", t.job.Subscription, err)
	}
	if err := t.record(ctx, t.delivery(t.key, Failed, ""), before, failures, view.Page{}); err != nil {
		return err
	}
	return fmt.Errorf("post digest %s: %w", t.key, cause)
}

// tellOwner sends the owner the notice of a refusal.
func (t *task) tellOwner(ctx context.Context) error {
	s := t.subscription
	if s.Owner == "" {
		return nil
	}
	err := t.Poster.Tell(ctx, s.Owner, refusalNotice(s, t.job.Due))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil || isRetryLater(err) || !isChannelGone(err) && t.tries() < tellAfter {
		return fmt.Errorf("tell the owner of digest %s: %w", s.ID, err)
	}
	// An owner who left cannot be told; the refusal must still be counted.
	t.log().WarnContext(ctx, "the owner of a digest could not be told", "subscription", s.ID, "error", err)
	return nil
}

func isChannelGone(err error) bool { return errors.Is(err, ErrChannelGone) }

func isRetryLater(err error) bool {
	_, ok := errors.AsType[RetryLater](err)
	return ok
}

// wrap adds what was being done to an error; nil stays nil.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}

// or returns err, or otherwise if err is nil.
func or(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
