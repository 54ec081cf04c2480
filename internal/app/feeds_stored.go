package app

import (
	"context"
	"log/slog"
	"sync"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/feeds"
)

// StoredAdvisories returns the feeds that a bot has stored, read once on demand. They are nil if the database is
// missing, slow or of another version: the question is answered without them.
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
