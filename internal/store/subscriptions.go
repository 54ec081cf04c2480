package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Subscription returns the subscription with an ID, or [digest.ErrNotFound].
func (s *Store) Subscription(ctx context.Context, id string) (digest.Subscription, error) {
	if id != text(id) { // no subscription has such an ID, and PostgreSQL would reject the query
		return digest.Subscription{}, digest.ErrNotFound
	}
	row, err := s.queries.Subscription(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return digest.Subscription{}, digest.ErrNotFound
	}
	if err != nil {
		return digest.Subscription{}, s.failed("read a subscription", err)
	}
	return subscription(row)
}

// Subscriptions lists the subscriptions that a filter selects, oldest first.
func (s *Store) Subscriptions(ctx context.Context, f digest.SubscriptionFilter) ([]digest.Subscription, error) {
	rows, err := s.queries.Subscriptions(ctx, db.SubscriptionsParams{
		Tenant: f.Tenant, AnyTenant: f.Tenant == "", Channel: f.Channel, AnyChannel: f.Channel == "",
	})
	if err != nil {
		return nil, s.failed("list subscriptions", err)
	}
	return subscriptions(rows)
}

// AddSubscription stores a new subscription, or returns [digest.ErrExists] if its ID is taken.
func (s *Store) AddSubscription(ctx context.Context, sub digest.Subscription, who audit.Entry) error {
	row, err := subscriptionRow(sub)
	if err != nil {
		return err
	}
	return s.change(ctx, "add a subscription", who, digest.ErrExists, func(q *db.Queries) (int64, error) {
		return q.AddSubscription(ctx, db.AddSubscriptionParams(row))
	})
}

// UpdateSubscription overwrites an existing subscription, or returns [digest.ErrNotFound].
func (s *Store) UpdateSubscription(ctx context.Context, sub digest.Subscription, who audit.Entry) error {
	row, err := subscriptionRow(sub)
	if err != nil {
		return err
	}
	return s.change(ctx, "update a subscription", who, digest.ErrNotFound, func(q *db.Queries) (int64, error) {
		return q.UpdateSubscription(ctx, updateParams(row))
	})
}

// EditSubscription stores the settings and next run of a subscription, if these and its pause still equal was. It
// reports whether they did: another request or the scheduler may have changed them in the meantime.
func (s *Store) EditSubscription(ctx context.Context, was, is digest.Subscription, who audit.Entry) (changed bool, err error) {
	old, err := subscriptionRow(was)
	if err != nil {
		return false, err
	}
	row, err := subscriptionRow(is)
	if err != nil {
		return false, err
	}
	err = s.change(ctx, "edit a subscription", who, errChanged, func(q *db.Queries) (int64, error) {
		return q.EditSubscription(ctx, db.EditSubscriptionParams{
			ID: old.ID, Channel: row.Channel, Watch: row.Watch, MinDevices: row.MinDevices, MinCves: row.MinCves, Exploited: row.Exploited,
			Schedule: row.Schedule, Zone: row.Zone, Quiet: row.Quiet, Report: row.Report, Alert: row.Alert, NextMs: row.NextMs, Failures: row.Failures,
			WasChannel: old.Channel, WasWatch: old.Watch, WasMinDevices: old.MinDevices, WasMinCves: old.MinCves, WasExploited: old.Exploited,
			WasSchedule: old.Schedule, WasZone: old.Zone, WasQuiet: old.Quiet, WasReport: old.Report, WasAlert: old.Alert,
			WasNextMs: old.NextMs, WasPaused: old.Paused, WasPausedUntilMs: old.PausedUntilMs,
		})
	})
	if errors.Is(err, errChanged) {
		return false, nil
	}
	return err == nil, err
}

// RemoveSubscription removes a subscription with its history, or returns [digest.ErrNotFound]. The audit stays.
func (s *Store) RemoveSubscription(ctx context.Context, id string, who audit.Entry) error {
	return s.change(ctx, "remove a subscription", who, digest.ErrNotFound, func(q *db.Queries) (int64, error) {
		_, err := q.RemoveDeliveries(ctx, id)
		if err := errors.Join(err, q.RemoveBaseline(ctx, id), q.RemoveThreads(ctx, id), q.RemoveRun(ctx, id), q.RemoveAlerted(ctx, id)); err != nil {
			return 0, err
		}
		return q.RemoveSubscription(ctx, id)
	})
}

// change makes a change and its audit entry in one transaction. It returns none if no row was changed.
func (s *Store) change(ctx context.Context, what string, who audit.Entry, none error, f func(*db.Queries) (int64, error)) error {
	err := s.tx(ctx, func(q *db.Queries) error {
		n, err := f(q)
		if err != nil {
			return err
		}
		if n == 0 {
			return none
		}
		return addAudit(ctx, q, who)
	})
	if err != nil {
		return s.failedWrite(what, err)
	}
	return nil
}

// Due lists subscriptions whose NextRun has been reached, longest waiting first.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]digest.Subscription, error) {
	rows, err := s.queries.DueSubscriptions(ctx, toMillis(now), bound(limit))
	if err != nil {
		return nil, s.failed("list due subscriptions", err)
	}
	return subscriptions(rows)
}

// Advance moves NextRun if it still equals from, and reports whether it did. Of several processes that try, one
// succeeds.
func (s *Store) Advance(ctx context.Context, id string, from, to time.Time) (moved bool, err error) {
	n, err := s.queries.Advance(ctx, toMillis(to), id, toMillis(from))
	if err != nil {
		return false, s.failedWrite("advance a subscription", err)
	}
	return n > 0, nil
}

// SetPause pauses a subscription or ends its pause, if its pause and schedule still equal was, and reports whether it
// did. Other changes that a person made in the meantime stay.
func (s *Store) SetPause(ctx context.Context, was, is digest.Subscription, who audit.Entry) (changed bool, err error) {
	err = s.change(ctx, "set the pause of a subscription", who, errChanged, func(q *db.Queries) (int64, error) {
		return q.SetPause(ctx, db.SetPauseParams{
			ID: was.ID, WasPaused: was.Paused, WasPausedUntilMs: toMillis(was.PausedUntil), WasNextMs: toMillis(was.NextRun),
			Schedule: was.Schedule.Words, Zone: was.Schedule.Zone,
			Paused: is.Paused, PausedUntilMs: toMillis(is.PausedUntil), PauseReason: text(is.PauseReason), NextMs: toMillis(is.NextRun),
		})
	})
	if errors.Is(err, errChanged) {
		return false, nil
	}
	return err == nil, err
}

// errChanged rolls back a decision based on a row that has changed since.
var errChanged = errors.New("the subscription was changed meanwhile")

func subscriptions(rows []db.Subscription) ([]digest.Subscription, error) {
	subs := make([]digest.Subscription, 0, len(rows))
	for _, row := range rows {
		sub, err := subscription(row)
		if err != nil {
			return nil, err
		}
		subs = append(subs, sub)
	}
	return subs, nil
}

// subscription converts a row; subscriptionRow is its inverse.
func subscription(r db.Subscription) (digest.Subscription, error) {
	sub := digest.Subscription{
		ID: r.ID, Tenant: r.Tenant, Channel: r.Channel, Owner: r.Owner,
		Filter:   patchgap.Filter{MinDevices: int(r.MinDevices), MinCVEs: int(r.MinCves), Exploited: r.Exploited},
		Schedule: schedule.Schedule{Words: r.Schedule, Zone: r.Zone},
		Quiet:    digest.Quiet(r.Quiet), Alert: digest.AlertKind(r.Alert), Origin: digest.Origin(r.Origin),
		Created: fromMillis(r.CreatedMs), NextRun: fromMillis(r.NextMs),
		Paused: r.Paused, PausedUntil: fromMillis(r.PausedUntilMs), PauseReason: r.PauseReason,
		Failures: int(r.Failures), Report: r.Report,
	}
	if err := json.Unmarshal([]byte(r.Watch), &sub.Watch); err != nil {
		return digest.Subscription{}, fmt.Errorf("read what a subscription watches: %w", outlined{err})
	}
	return sub, nil
}

func subscriptionRow(sub digest.Subscription) (db.Subscription, error) {
	watch, err := json.Marshal(sub.Watch)
	if err != nil {
		return db.Subscription{}, err
	}
	return db.Subscription{
		ID: sub.ID, Tenant: sub.Tenant, Channel: sub.Channel, Owner: sub.Owner, Watch: string(watch),
		MinDevices: int64(sub.Filter.MinDevices), MinCves: int64(sub.Filter.MinCVEs), Exploited: sub.Filter.Exploited,
		Schedule: sub.Schedule.Words, Zone: sub.Schedule.Zone,
		Quiet: string(sub.Quiet), Alert: string(sub.Alert), Origin: string(sub.Origin),
		CreatedMs: toMillis(sub.Created), NextMs: toMillis(sub.NextRun),
		Paused: sub.Paused, PausedUntilMs: toMillis(sub.PausedUntil), PauseReason: text(sub.PauseReason),
		Failures: int64(sub.Failures), Report: sub.Report,
	}, nil
}

func updateParams(r db.Subscription) db.UpdateSubscriptionParams {
	return db.UpdateSubscriptionParams{
		ID: r.ID, Tenant: r.Tenant, Channel: r.Channel, Owner: r.Owner, Watch: r.Watch,
		MinDevices: r.MinDevices, MinCves: r.MinCves, Exploited: r.Exploited, Schedule: r.Schedule, Zone: r.Zone,
		Quiet: r.Quiet, Origin: r.Origin, CreatedMs: r.CreatedMs, NextMs: r.NextMs,
		Paused: r.Paused, PausedUntilMs: r.PausedUntilMs, PauseReason: r.PauseReason, Failures: r.Failures, Report: r.Report, Alert: r.Alert,
	}
}
