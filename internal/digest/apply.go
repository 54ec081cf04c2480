package digest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
)

// Applied lists the ids of the subscriptions that [Apply] changed.
type Applied struct{ Added, Changed, Removed []string }

// Apply makes a store match the subscriptions of a file: it adds new ones, changes those that differ and removes those
// that the file no longer has. Subscriptions made in chat are left alone. If one of them has an ID of the file, Apply
// returns a [Mistake] and does nothing. What people did in chat to a subscription of the file, such as a pause, stays.
func Apply(ctx context.Context, store Subscriptions, wanted []Subscription, now time.Time) (Applied, error) {
	var done Applied
	all, err := store.Subscriptions(ctx, SubscriptionFilter{Tenant: DefaultTenant})
	if err != nil {
		return done, fmt.Errorf("read subscriptions: %w", err)
	}
	if err := Taken(all, wanted); err != nil {
		return done, err
	}
	held := map[string]Subscription{}
	for _, s := range all {
		held[s.ID] = s
	}
	for _, s := range wanted {
		old, has := held[s.ID]
		delete(held, s.ID)
		if !has {
			if err := add(ctx, store, s, now); err != nil {
				return done, err
			}
			done.Added = append(done.Added, s.ID)
		} else if changed, differs := old.rewritten(s, now); differs {
			if err := store.UpdateSubscription(ctx, changed, systemActor(s, now, audit.ActionDigestChange, "from the file")); err != nil {
				return done, fmt.Errorf("change digest %s: %w", s.ID, err)
			}
			done.Changed = append(done.Changed, s.ID)
		}
	}
	for id, s := range held {
		if s.Origin != FromFile {
			continue
		}
		err := store.RemoveSubscription(ctx, id, systemActor(s, now, audit.ActionDigestRemove, "no longer in the file"))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return done, fmt.Errorf("remove digest %s: %w", id, err)
		}
		done.Removed = append(done.Removed, id)
	}
	slices.Sort(done.Removed)
	return done, nil
}

// Taken returns a [Mistake] if subscriptions made in chat already have ids of the file: [Apply] would reject the file.
func Taken(held, wanted []Subscription) error {
	inChat := map[string]bool{}
	for _, s := range held {
		inChat[s.ID] = s.Origin != FromFile
	}
	var ids []string
	for _, s := range wanted {
		if inChat[s.ID] {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return mistake("These ids of the file belong to digests that were made in Slack: %s. Remove them there, or choose others.", strings.Join(ids, ", "))
}

// add stores a new subscription of the file.
func add(ctx context.Context, store Subscriptions, s Subscription, now time.Time) error {
	s.Origin, s.Created, s.NextRun = FromFile, now, schedule.Next(s.Schedule, now)
	err := store.AddSubscription(ctx, s, systemActor(s, now, audit.ActionDigestAdd, "from the file"))
	if errors.Is(err, ErrExists) {
		// Replicas that start together apply the same file; another one was faster.
		if other, readErr := store.Subscription(ctx, s.ID); readErr == nil && other.Origin == FromFile {
			return nil
		}
	}
	return wrap(err, "add digest %s", s.ID)
}

// Edit returns the subscription with the settings of to, and whether they differ: what it watches, where, when and how.
// A new schedule moves its next run; a pause stays.
func (s Subscription) Edit(to Subscription, now time.Time) (changed Subscription, differs bool) {
	to.Owner = s.Owner
	return s.rewritten(to, now)
}

// rewritten returns the subscription with the settings of the file, and whether they differ.
func (s Subscription) rewritten(file Subscription, now time.Time) (changed Subscription, differs bool) {
	differs = s.Channel != file.Channel || s.Owner != file.Owner || !slices.Equal(s.Watch, file.Watch) ||
		s.Filter != file.Filter || s.Schedule != file.Schedule || s.Quiet != file.Quiet || s.Report != file.Report || s.Alert != file.Alert
	if s.Channel != file.Channel {
		s.Failures = 0
	}
	if s.Schedule != file.Schedule {
		s.Schedule = file.Schedule
		switch {
		case !s.Paused:
			s.NextRun = schedule.Next(s.Schedule, now)
		case !s.PausedUntil.IsZero():
			s.NextRun = schedule.Next(s.Schedule, s.PausedUntil.Add(-time.Nanosecond))
		}
	}
	s.Channel, s.Owner, s.Watch, s.Filter, s.Quiet, s.Report, s.Alert = file.Channel, file.Owner, file.Watch, file.Filter, file.Quiet, file.Report, file.Alert
	return s, differs
}
