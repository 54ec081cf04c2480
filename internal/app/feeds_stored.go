package app

import (
	"context"
	"log/slog"
	"sync"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/feeds"
)

// StoredAdvisories returns what a bot has stored of the feeds, read once when it is asked for. It is nil where the database is
// missing, slow or of another version: the question is answered without it.
func StoredAdvisories(ctx context.Context, address string, log *slog.Logger) func() *advisory.Snapshot {
	return sync.OnceValue(func() *advisory.Snapshot {
		database := OpenIfCurrent(ctx, address, log)
		if database == nil {
			return nil
		}
		defer closeDatabase(database)
		ctx, cancel := context.WithTimeout(ctx, openTimeout)
		defer cancel()
		cache := feeds.NewCache(database, log)
		if err := cache.Load(ctx); err != nil {
			log.DebugContext(ctx, "asking without the feeds: they cannot be read", "error", err)
		}
		return cache.Snapshot()
	})
}
