package feeds_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
)

// Of two processes that start one after the other on one database, one fetches, and both know.
func TestTwoReplicasFetchOnce(t *testing.T) {
	t.Parallel()
	eachDatabase(t, fetchTwice)
}

func fetchTwice(t *testing.T, url string) {
	t.Helper()
	w := newWorld(t, url)
	done := make(chan struct{}, 10)
	start := func(database *store.Store) {
		t.Helper()
		r, err := feeds.NewRefresher(database, w.options(), w.clock, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		queue, err := database.Queue(func(context.Context, digest.Job, int) error { return nil }, store.QueueOptions{Feeds: func(ctx context.Context, failures int) time.Duration {
			again := r.Job(ctx, failures)
			done <- struct{}{}
			return again
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := queue.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = queue.Stop(context.WithoutCancel(t.Context())) })
	}
	other := openStore(t, url)
	start(w.store)
	start(other)
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("no process fetches")
	}
	var indexes int
	for _, path := range w.Asked() {
		if path == "/cvrf/v3.0/updates" {
			indexes++
		}
	}
	if indexes != 1 || !slices.Contains(w.Asked(), "/cvrf/v3.0/cvrf/2031-May") {
		t.Errorf("the index was asked %d times, all calls: %q", indexes, w.Asked())
	}
	cache := feeds.NewCache(other, slog.New(slog.DiscardHandler))
	if err := cache.Load(t.Context()); err != nil || cache.Snapshot() == nil {
		t.Errorf("the other process knows nothing: %v", err)
	}
}
