package store

import (
	"context"
	"time"
)

// Ages tells when the baselines of subscriptions that are not paused were recorded: the oldest and the newest. Both are
// zero when there are none.
func (s *Store) Ages(ctx context.Context) (oldest, newest time.Time, err error) {
	row, err := s.queries.BaselineAges(ctx)
	if err != nil {
		return time.Time{}, time.Time{}, s.failed("read the ages of baselines", err)
	}
	return moment(row.OldestMs), moment(row.NewestMs), nil
}

// AgesBySubscription tells the same of each subscription, paused or not, that has a baseline.
func (s *Store) AgesBySubscription(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.queries.BaselineTimes(ctx)
	if err != nil {
		return nil, s.failed("read the ages of baselines", err)
	}
	recorded := make(map[string]time.Time, len(rows))
	for _, row := range rows {
		recorded[row.Subscription] = moment(row.AtMs)
	}
	return recorded, nil
}
