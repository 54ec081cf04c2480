package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/between"
	"github.com/missingkbs/missingkbs/internal/store"
)

// addAlerts makes a queue run the checks and alerts between digests.
func (a *App) addAlerts(o *store.QueueOptions, poster digest.Poster) {
	checker := &between.Checker{Store: a.Store, Published: func() between.Published { return a.feeds() }, Now: a.Now, DigestsTell: true}
	teller := &between.Teller{Store: a.Store, Poster: poster, Now: a.Now, Log: a.Log}
	o.Check, o.Tell = checker.Check, teller.Tell
}

// feedsEvery is how often the feeds are checked for changes.
const feedsEvery = 15 * time.Second

// watchFeeds enqueues checks of subscriptions when the feeds change, until ctx is done. All replicas do, but only one
// of them takes effect for the same change.
func watchFeeds(ctx context.Context, edition func() string, enqueue func(ctx context.Context, because string) error, log *slog.Logger) {
	tick := time.NewTicker(feedsEvery)
	defer tick.Stop()
	checked := ""
	for {
		if now := edition(); now != "" && now != checked {
			if err := enqueue(ctx, now); err == nil {
				checked = now
			} else if ctx.Err() == nil {
				log.WarnContext(ctx, "could not have digests checked for exploited updates; retrying", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
