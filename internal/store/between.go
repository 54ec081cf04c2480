package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/between"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Latest returns what the last digest of a subscription saw, and the same updated by newer readings that other digests
// made of that software; found is false without a digest.
func (s *Store) Latest(ctx context.Context, subscription string) (base, latest patchgap.Snapshot, found bool, err error) {
	base, found, err = s.Baseline(ctx, subscription)
	if err != nil || !found {
		return base, latest, found, err
	}
	newest, err := s.queries.Newest(ctx, base.Tenant)
	if err != nil {
		return base, latest, false, s.failed("list the newest readings", err)
	}
	latest = base
	for _, n := range newest {
		if fromMillis(n.ReadMs).After(base.At) && base.WasRead(n.Software) {
			reading, ok, err := s.Reading(ctx, base.Tenant, n.Software)
			if err != nil {
				return base, latest, false, err
			}
			if ok {
				latest = withReading(latest, n.Software, reading)
			}
		}
	}
	return base, latest, true, nil
}

// withReading returns a snapshot with the rows of one software replaced.
func withReading(s patchgap.Snapshot, software string, reading patchgap.Snapshot) patchgap.Snapshot {
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r patchgap.Row) bool { return r.Software == software })
	s.Rows = append(s.Rows, reading.Rows...)
	slices.SortFunc(s.Rows, func(a, b patchgap.Row) int { return a.Compare(b.Key) })
	return s
}

// ClaimAlert records, in one transaction, which items are news for a subscription, or affect at least a quarter more
// devices than before, and inserts the job that reports them. If told is set, and for the first claim of a
// subscription, it records all and inserts none. It returns how many items will be reported.
func (s *Store) ClaimAlert(ctx context.Context, a between.Alert, told bool) (items int, err error) {
	err = s.txWithJobs(ctx, func(q *db.Queries, add addJob) error {
		first, err := q.ClaimAlert(ctx, db.ClaimAlertParams{Subscription: a.Subscription, AtMs: toMillis(a.At)})
		if err != nil {
			return err
		}
		claimed, err := claimItems(ctx, q, a, told || first > 0)
		if items = len(claimed); err != nil || items == 0 {
			return err
		}
		a.Items = claimed
		body, err := json.Marshal(a)
		if err != nil {
			return err
		}
		return add(ctx, alertArgs{ID: a.ID, Body: string(body)})
	})
	if err != nil {
		return 0, s.failedWrite("claim an alert", err)
	}
	return items, nil
}

// claimItems returns the items that this claim is the first to have; none if they count as reported.
func claimItems(ctx context.Context, q *db.Queries, a between.Alert, told bool) ([]between.Item, error) {
	var claimed []between.Item
	// Sorted, because transactions that lock in different orders would deadlock.
	items := slices.SortedFunc(slices.Values(a.Items), func(a, b between.Item) int { return strings.Compare(a.KB, b.KB) })
	won := map[string]bool{}
	for _, i := range items {
		if told {
			err := q.NoteAlerted(ctx, db.NoteAlertedParams{Subscription: a.Subscription, Kb: text(i.KB), Devices: int64(i.Devices), AtMs: toMillis(a.At)})
			if err != nil {
				return nil, err
			}
			continue
		}
		n, err := q.ClaimAlert(ctx, db.ClaimAlertParams{Subscription: a.Subscription, Kb: text(i.KB), Devices: int64(i.Devices), AtMs: toMillis(a.At)})
		if err != nil {
			return nil, err
		}
		won[i.KB] = n > 0
	}
	for _, i := range a.Items {
		if won[i.KB] {
			claimed = append(claimed, i)
		}
	}
	return claimed, nil
}

// checkAlerts inserts, in the transaction that records a delivery, a check of each subscription with alerts: what the
// digest has read may be news for others, and what it reported is no news for its own subscription.
func checkAlerts(ctx context.Context, q *db.Queries, add addJob, d digest.Delivery) error {
	ids, err := q.AlertingSubscriptions(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := add(ctx, checkArgs{Subscription: id, Because: d.Key, Told: id == d.Subscription && d.Message != ""}); err != nil {
			return err
		}
	}
	return nil
}

// EnqueueChecks inserts a check of each subscription with alerts. It is safe to repeat: if several replicas enqueue for
// the same reason, only one takes effect.
func (q *Queue) EnqueueChecks(ctx context.Context, because string) error {
	ids, err := q.store.queries.AlertingSubscriptions(ctx)
	if err != nil {
		return q.store.failed("list subscriptions with alerts", err)
	}
	for _, id := range ids {
		if _, err := q.client.Insert(ctx, checkArgs{Subscription: id, Because: because}, nil); err != nil {
			return q.store.failedWrite("enqueue a check", err)
		}
	}
	return nil
}

// checkArgs is a [between.Check] in River's form.
type checkArgs between.Check

// Kind names the job in River's tables.
func (checkArgs) Kind() string { return "alert_check" }

// InsertOpts makes a check unique while its job is kept.
func (checkArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}}
}

// alertArgs is a [between.Alert] in River's form.
type alertArgs struct {
	ID   string `json:"id" river:"unique"`
	Body string `json:"body"`
}

// Kind names the job in River's tables.
func (alertArgs) Kind() string { return "alert" }

// InsertOpts makes an alert unique by ID while its job is kept.
func (alertArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}}
}

type checkWorker struct {
	river.WorkerDefaults[checkArgs]
	check  func(ctx context.Context, c between.Check) error
	cutOff time.Duration
}

// Work runs a check.
func (w *checkWorker) Work(ctx context.Context, job *river.Job[checkArgs]) error {
	defer hidePanic()
	return riverOutcome(ctx, w.check(ctx, between.Check(job.Args)), w.cutOff)
}

type alertWorker struct {
	river.WorkerDefaults[alertArgs]
	tell   func(ctx context.Context, a between.Alert, attempt int) error
	cutOff time.Duration
}

// Work posts an alert. As for digests each start counts as an attempt, because it may have been interrupted anywhere.
func (w *alertWorker) Work(ctx context.Context, job *river.Job[alertArgs]) error {
	defer hidePanic()
	var a between.Alert
	if err := json.Unmarshal([]byte(job.Args.Body), &a); err != nil {
		return river.JobCancel(fmt.Errorf("read an alert: %w", outlined{err}))
	}
	return riverOutcome(ctx, w.tell(ctx, a, job.Attempt+putOff(job.JobRow)), w.cutOff)
}

// riverOutcome translates an error for River; see [Work].
func riverOutcome(ctx context.Context, err error, cutOff time.Duration) error {
	if err == nil {
		return nil
	}
	if later, ok := errors.AsType[digest.RetryLater](err); ok {
		return river.JobSnooze(max(later.After, 0))
	}
	if errors.Is(err, digest.ErrChannelGone) {
		return river.JobCancel(hiddenError{err})
	}
	// Interrupted by a shutdown: retry soon in the next process. River would do that itself, but without counting the
	// start.
	if errors.Is(ctx.Err(), context.Canceled) {
		return river.JobSnooze(cutOff)
	}
	return hiddenError{err}
}
