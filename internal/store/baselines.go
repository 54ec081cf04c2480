package store

import (
	"context"
	"time"
)

// BaselineTimes returns when the oldest and the newest baseline of active subscriptions were recorded. Both are zero if
// there are none.
func (s *Store) BaselineTimes(ctx context.Context) (oldest, newest time.Time, err error) {
	row, err := s.queries.BaselineAges(ctx)
	if err != nil {
		return time.Time{}, time.Time{}, s.failed("read the times of baselines", err)
	}
	return fromMillis(row.OldestMs), fromMillis(row.NewestMs), nil
}

// BaselineTimesBySubscription returns when the baseline of each subscription was recorded, of paused ones too.
func (s *Store) BaselineTimesBySubscription(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.queries.BaselineTimes(ctx)
	if err != nil {
		return nil, s.failed("read the times of baselines", err)
	}
	recorded := make(map[string]time.Time, len(rows))
	for _, row := range rows {
		recorded[row.Subscription] = fromMillis(row.AtMs)
	}
	return recorded, nil
}
