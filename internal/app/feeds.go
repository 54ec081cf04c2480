package app

import (
	"context"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/feeds"
)

// newFeedJob returns the job that fetches feeds, or nil if nothing is fetched. No answer waits for it.
func (a *App) newFeedJob() (func(ctx context.Context, failures int) (again time.Duration), error) {
	if a.Feeds == nil {
		return nil, nil //nolint:nilnil // no job is not an error
	}
	refresher, err := feeds.NewRefresher(a.Store, *a.Feeds, a.Now, a.Log)
	if err != nil {
		return nil, fmt.Errorf("fetch feeds: %w", err)
	}
	return func(ctx context.Context, failures int) time.Duration {
		again := refresher.Job(ctx, failures)
		if err := a.feedCache.Load(ctx); err != nil && ctx.Err() == nil {
			a.Log.WarnContext(ctx, "could not read the data of MSRC and CISA from the database; answers keep what was read before", "error", err)
		}
		return again
	}, nil
}

// checkFeeds observes which feeds fail or are old. The sources are the same for all replicas, which share the feeds.
func (a *alerts) checkFeeds(notifier *alert.Notifier) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	states, err := feeds.States(ctx, a.store)
	if err != nil {
		return // trouble with the database has its own alerts
	}
	observe := func(condition, source string, met bool) {
		if met {
			notifier.Failing(condition, source)
		} else {
			notifier.Working(source, condition)
		}
	}
	for _, f := range states {
		observe(alert.FeedsFailing, f.Name, f.Failure != "")
		observe(alert.FeedsStale, f.Name, f.Stale(a.now()))
	}
}
