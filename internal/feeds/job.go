package feeds

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/store"
)

// minInterval is how old the last try must be before a process that has just started tries again. The usual interval is
// longer, so only starts and changes of the leading process come sooner.
const minInterval = 5 * time.Hour

// Job is the work of the job that all processes share. again is how long to wait for another try, 0 for the usual time.
// failures is how often the job was put off already.
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
	return 0 // the next usual time is near enough
}

// due reports whether some feed was not tried for minInterval, or failed the last time.
func (r *Refresher) due(ctx context.Context) bool {
	states, err := r.store.Feeds(ctx)
	if err != nil {
		return true // the try itself says what is wrong
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
