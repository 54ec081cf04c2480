// Package inventory keeps the tenant's software list: in memory for questions, in the database for the next start, and renewed
// in the background when it is used. It knows how old a list may be and what stands in for one that cannot be had. It does not
// know how software is found in the list, nor what people ask.
package inventory

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/wait"
)

// Options are the dependencies of an [Inventory]. Ask, Now and Log are required.
type Options struct {
	// Ask asks Defender, or the memory of its client, for the list.
	Ask func(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error)
	// Store keeps the list for the next start; nil keeps it in memory only. *store.Store is one.
	Store Store
	// Prepare is called with each list before any caller gets it, one call at a time; may be nil.
	Prepare func(api.Answer[[]api.Software])
	// Refused reports whether Defender's last definite response was a refusal: then no old list is given out. May be nil.
	Refused func(ctx context.Context) bool

	Fresh   time.Duration    // a list that is older is renewed in the background when it is used
	MaxAge  time.Duration    // a list that is older waits for Defender
	Timeout time.Duration    // of one renewal
	Now     func() time.Time // the clock that dates lists
	Log     *slog.Logger
}

// Store keeps the list between two starts.
type Store interface {
	SoftwareList(ctx context.Context, tenant string) (store.SoftwareList, bool, error)
	SaveSoftwareList(ctx context.Context, tenant string, list store.SoftwareList) error
}

// retryAfter is the pause after a renewal that failed.
const retryAfter = time.Minute

// Inventory is the software list of a tenant. It is safe for concurrent use.
type Inventory struct {
	Options
	wanted  chan struct{} // a renewal is wanted
	unsaved chan struct{} // there is a list that may have to be saved
	first   chan struct{} // closed once there is a list
	keeping sync.Mutex    // held while a list is taken over

	mu     sync.Mutex
	list   *api.Answer[[]api.Software] // the newest; nil for none yet
	born   time.Time                   // when it was fetched, on the clock of this process
	failed error                       // of the last renewal; nil where it succeeded
	tried  time.Time                   // the last renewal

	lastSaved fingerprint // of the list that was saved or loaded last; used by the goroutine of Run only
}

// New returns an inventory without a list. [Inventory.Run] loads the saved one.
func New(o Options) *Inventory {
	return &Inventory{Options: o, wanted: make(chan struct{}, 1), unsaved: make(chan struct{}, 1), first: make(chan struct{})}
}

// Catalog returns the list. A list in memory is returned at once and renewed in the background; without one, with an option,
// and where the list is too old, the caller waits for Defender. Callers share the list and must not change it.
func (i *Inventory) Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error) {
	answer, ok, failed := i.current()
	switch {
	case !ok || len(opts) > 0 || answer.Age > max(i.MaxAge, i.Fresh):
		return i.fetch(ctx, opts...)
	case answer.Age <= i.Fresh:
		return answer, nil
	case i.Refused != nil && i.Refused(ctx):
		return i.fetch(ctx)
	}
	answer.Stale = failed
	i.Use()
	return answer, nil
}

// current returns the list as it is now, and the error of the last renewal if it failed.
func (i *Inventory) current() (answer api.Answer[[]api.Software], ok bool, failed error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.list == nil {
		return answer, false, i.failed
	}
	answer = *i.list
	answer.Age, answer.Cached = max(time.Since(i.born), 0), true
	return answer, true, i.failed
}

// Use renews the list in the background, if it is old. It does not wait.
func (i *Inventory) Use() {
	if answer, ok, _ := i.current(); ok && answer.Age <= i.Fresh {
		return
	}
	select {
	case i.wanted <- struct{}{}:
	default: // a renewal is wanted already
	}
}

// AwaitFirst waits until there is a list, or for the end of ctx.
func (i *Inventory) AwaitFirst(ctx context.Context) {
	select {
	case <-i.first:
	case <-ctx.Done():
	}
}

// Run loads the saved list, renews the list when it is used, and saves it, until ctx ends.
func (i *Inventory) Run(ctx context.Context) {
	i.load(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-i.unsaved:
		case <-i.wanted:
			if !i.renew(ctx) {
				return
			}
		}
		i.save(ctx)
	}
}

// renew asks Defender for the list, not long after a failure before. It leaves calls that people wait for the first turn. It
// reports whether Run goes on.
func (i *Inventory) renew(ctx context.Context) bool {
	i.mu.Lock()
	pause, before := retryAfter-time.Since(i.tried), i.failed
	i.mu.Unlock()
	if before != nil && pause > 0 && !wait.For(ctx, pause) {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, i.Timeout)
	defer cancel()
	_, err := i.fetch(limited, api.Background(), api.MaxAge(i.Fresh))
	if ctx.Err() != nil {
		return false
	}
	i.mu.Lock()
	i.failed, i.tried = err, time.Now()
	i.mu.Unlock()
	if err != nil && before == nil {
		i.Log.WarnContext(ctx, "could not renew the software list; searches use the one before", "error", err)
	}
	return true
}

// fetch asks Defender, and keeps the list.
func (i *Inventory) fetch(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error) {
	answer, err := i.Ask(ctx, opts...)
	if err == nil {
		i.keep(answer)
	}
	return answer, err
}

// keep takes over a list that is newer than the one before.
func (i *Inventory) keep(answer api.Answer[[]api.Software]) {
	i.keeping.Lock()
	defer i.keeping.Unlock()
	before, ok, _ := i.current()
	if ok && !answer.FetchedAt.After(before.FetchedAt) {
		return
	}
	if i.Prepare != nil {
		i.Prepare(answer)
	}
	i.mu.Lock()
	born := time.Now().Add(-answer.Age)
	answer.Stale = nil // that is told with the question which it answers
	i.list, i.born = &answer, born
	i.mu.Unlock()
	if !ok {
		close(i.first)
	}
	select {
	case i.unsaved <- struct{}{}:
	default:
	}
}
