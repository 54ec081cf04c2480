package feeds

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/store"
)

// minInterval is the least time between the last attempt and one right after a start. The regular interval is longer,
// so this only affects starts and changes of the leading process.
const minInterval = 5 * time.Hour

// Job runs one refresh of the job that all replicas share. It returns the delay until a retry, or 0 to wait for the
// regular interval. failures counts how often this job was put off already.
func (r *Refresher) Job(ctx context.Context, failures int) (again time.Duration) {
	if failures == 0 && !r.due(ctx) {
		return 0
	}
	if r.Refresh(ctx) {
		return 0
	}
	pauses := []time.Duration{15 * time.Minute, time.Hour}
	if failures < len(pauses) {
		return pauses[failures]
	}
	return 0 // the next regular run is soon enough
}

// due reports whether a feed failed the last time or was last tried more than minInterval ago.
func (r *Refresher) due(ctx context.Context) bool {
	states, err := r.store.Feeds(ctx)
	if err != nil {
		return true // the refresh itself reports the error
	}
	byName := map[string]store.Feed{}
	for _, f := range states {
		byName[f.Name] = f
	}
	for _, name := range Names() {
		f := byName[name]
		if f.Failure != "" || r.now().Sub(f.Tried) >= minInterval {
			return true
		}
	}
	return false
}
