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

// Latest returns what the last digest of a subscription saw, and the same with newer readings of that software, which other
// digests have made; false where there was no digest.
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

// withReading is a snapshot with other rows of one software.
func withReading(s patchgap.Snapshot, software string, reading patchgap.Snapshot) patchgap.Snapshot {
	s.Rows = slices.DeleteFunc(slices.Clone(s.Rows), func(r patchgap.Row) bool { return r.Software == software })
	s.Rows = append(s.Rows, reading.Rows...)
	slices.SortFunc(s.Rows, func(a, b patchgap.Row) int { return a.Compare(b.Key) })
	return s
}

// ClaimAlert remembers which items a subscription had not been told of, or of at least a quarter fewer devices, and inserts the
// job that tells them, in one transaction. With told, and for the first claim of a subscription, it remembers all and inserts
// none. It returns how many are to be told.
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

// claimItems returns the items that this claim is the first of; none where they count as told.
func claimItems(ctx context.Context, q *db.Queries, a between.Alert, told bool) ([]between.Item, error) {
	var claimed []between.Item
	// Sorted, since two transactions that lock in different orders would wait for each other.
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

// checkAlerts inserts a check of each subscription that is told something between digests, in the transaction that records a
// delivery: what it has read may be news for others, and what it told is none for its own subscription.
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

// EnqueueChecks has each subscription checked that is told something between digests. It is safe to repeat: of several
// processes that say the same change, one does it.
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

// checkArgs are a [between.Check] as River keeps it.
type checkArgs between.Check

// Kind names the job in River's tables.
func (checkArgs) Kind() string { return "alert_check" }

// InsertOpts makes a check unique for as long as it is kept.
func (checkArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}}
}

// alertArgs are a [between.Alert] as River keeps it.
type alertArgs struct {
	ID   string `json:"id" river:"unique"`
	Body string `json:"body"`
}

// Kind names the job in River's tables.
func (alertArgs) Kind() string { return "alert" }

// InsertOpts makes an alert unique by its ID for as long as its job is kept.
func (alertArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}}
}

type checkWorker struct {
	river.WorkerDefaults[checkArgs]
	check  func(ctx context.Context, c between.Check) error
	cutOff time.Duration
}

// Work does a check.
func (w *checkWorker) Work(ctx context.Context, job *river.Job[checkArgs]) error {
	defer hidePanic()
	return riverOutcome(ctx, w.check(ctx, between.Check(job.Args)), w.cutOff)
}

type alertWorker struct {
	river.WorkerDefaults[alertArgs]
	tell   func(ctx context.Context, a between.Alert, attempt int) error
	cutOff time.Duration
}

// Work tells an alert. As for digests each start counts as an attempt, since it may have been cut off anywhere.
func (w *alertWorker) Work(ctx context.Context, job *river.Job[alertArgs]) error {
	defer hidePanic()
	var a between.Alert
	if err := json.Unmarshal([]byte(job.Args.Body), &a); err != nil {
		return river.JobCancel(fmt.Errorf("read an alert: %w", outlined{err}))
	}
	return riverOutcome(ctx, w.tell(ctx, a, job.Attempt+putOff(job.JobRow)), w.cutOff)
}

// riverOutcome tells River what to make of an error; see [Work].
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
	// Cut off by a stop: for the next process soon. River would do so itself, but not count the start.
	if errors.Is(ctx.Err(), context.Canceled) {
		return river.JobSnooze(cutOff)
	}
	return hiddenError{err}
}
