package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/store"
)

// storedFigures reads the metrics that are in the database. It queries at most every few seconds, regardless of the
// number of scrapes.
type storedFigures struct {
	store *store.Store
	queue *store.Queue
	now   func() time.Time // the clock of digests

	mu   sync.Mutex
	last metrics.Stored
	at   time.Time
}

// maxStoredAge is how long figures are reused.
const maxStoredAge = 10 * time.Second

// read returns cached figures, or reads them.
func (s *storedFigures) read(ctx context.Context) (metrics.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.at) < maxStoredAge {
		return s.last, nil
	}
	figures, err := s.query(ctx)
	if err == nil {
		s.last, s.at = figures, time.Now()
	}
	return figures, err
}

// query reads what is due, waiting and overdue.
func (s *storedFigures) query(ctx context.Context) (metrics.Stored, error) {
	var f metrics.Stored
	now := s.now()
	all, err := s.store.Subscriptions(ctx, digest.SubscriptionFilter{})
	if err != nil {
		return f, err
	}
	jobs, err := s.queue.Waiting(ctx)
	if err != nil {
		return f, err
	}
	oldest, newest, err := s.store.BaselineTimes(ctx)
	if err != nil {
		return f, err
	}
	known, err := feeds.States(ctx, s.store)
	if err != nil {
		return f, err
	}
	for _, feed := range known {
		f.Feeds = append(f.Feeds, metrics.Feed{
			Name: feed.Name, HasData: !feed.Data.IsZero(), Age: max(now.Sub(feed.Data), 0), Entries: feed.Entries, Failing: feed.Failure != "", Failed: feed.Failed,
		})
	}
	for _, sub := range all {
		if sub.Paused {
			f.Paused++
			continue
		}
		f.Active++
		if !sub.NextRun.IsZero() {
			f.Overdue = max(f.Overdue, now.Sub(sub.NextRun)) // no scheduler has enqueued it
		}
	}
	for _, job := range jobs {
		f.Overdue = max(f.Overdue, now.Sub(job.Due))
	}
	if f.HasData = !newest.IsZero(); f.HasData {
		f.Oldest, f.Newest = max(now.Sub(oldest), 0), max(now.Sub(newest), 0)
	}
	return f, nil
}
