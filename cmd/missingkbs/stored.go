package main

import (
	"context"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/metrics"
	"github.com/missingkbs/missingkbs/internal/store"
)

// stored reads the figures that the database knows. It reads them at most every few seconds, however many ask.
type stored struct {
	store *store.Store
	queue *store.Queue
	now   func() time.Time // the clock of digests

	mu   sync.Mutex
	last metrics.Stored
	read time.Time
}

// storedAge is how old the figures may be.
const storedAge = 10 * time.Second

func (s *stored) figures(ctx context.Context) (metrics.Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) < storedAge {
		return s.last, nil
	}
	now, err := s.look(ctx)
	if err == nil {
		s.last, s.read = now, time.Now()
	}
	return now, err
}

func (s *stored) look(ctx context.Context) (metrics.Stored, error) {
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
	oldest, newest, err := s.store.Ages(ctx)
	if err != nil {
		return f, err
	}
	for _, sub := range all {
		if sub.Paused {
			f.Paused++
			continue
		}
		f.Active++
		if !sub.NextRun.IsZero() {
			f.Overdue = max(f.Overdue, now.Sub(sub.NextRun)) // nobody has made a job of it
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
