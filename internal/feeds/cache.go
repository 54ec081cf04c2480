package feeds

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
)

// Cache holds a snapshot of the stored documents in memory. It is safe for concurrent use.
type Cache struct {
	store Store
	log   *slog.Logger

	snapshot atomic.Pointer[advisory.Snapshot]

	loading sync.Mutex
	version int64 // of the stored documents that the snapshot was made from
}

// NewCache returns an empty cache. [Cache.Load] or [Cache.Run] fills it.
func NewCache(s Store, log *slog.Logger) *Cache { return &Cache{store: s, log: log} }

// Snapshot returns the current snapshot, or nil while there is no data. It never blocks.
func (c *Cache) Snapshot() *advisory.Snapshot { return c.snapshot.Load() }

// Load builds a new snapshot if the stored documents have changed since the last one.
func (c *Cache) Load(ctx context.Context) error {
	c.loading.Lock()
	defer c.loading.Unlock()
	version, err := c.store.FeedVersion(ctx)
	if err != nil || version == c.version {
		return err
	}
	var documents []advisory.Document
	var list advisory.Catalog
	err = c.store.EachFeedBody(ctx, func(feed, id string, body []byte) error {
		var wrong error
		if feed == KEV {
			wrong = json.Unmarshal(body, &list)
		} else {
			var d advisory.Document
			if wrong = json.Unmarshal(body, &d); wrong == nil {
				documents = append(documents, d)
			}
		}
		if wrong != nil { // a newer version of the program may have written it; the other documents are still good
			c.log.WarnContext(ctx, "left out a stored document of a feed: it cannot be read", "feed", feed, "document", id, "error", wrong)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.snapshot.Store(advisory.NewSnapshot(documents, list))
	c.version = version
	return nil
}

// watchInterval is how often a process checks whether another replica has stored newer documents.
const watchInterval = time.Minute

// Run loads the snapshot and keeps it up to date until ctx ends.
func (c *Cache) Run(ctx context.Context) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		if err := c.Load(ctx); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "could not read the data of MSRC and CISA from the database; answers keep what was read before", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
