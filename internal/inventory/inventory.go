// Package inventory keeps the tenant's software list: in memory for questions, in the database for the next start, and
// renewed in the background when it is used. It knows how old a list may be and what to return if Defender cannot
// provide one. It knows neither how software is found in the list nor what people ask.
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
	// Ask gets the list from Defender or from the client's cache.
	Ask func(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error)
	// Store keeps the list for the next start; nil keeps it in memory only. *store.Store implements it.
	Store Store
	// Prepare is called with each list before any caller gets it, one call at a time; may be nil.
	Prepare func(api.Answer[[]api.Software])
	// Refused reports whether Defender's last definite response was a refusal. Then no old list is returned. May be
	// nil.
	Refused func(ctx context.Context) bool

	Fresh   time.Duration    // an older list is renewed in the background when it is used
	MaxAge  time.Duration    // with an older list the caller waits for Defender
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

// Inventory is the software list of one tenant. It is safe for concurrent use.
type Inventory struct {
	Options
	wanted  chan struct{} // a renewal is wanted
	unsaved chan struct{} // there is a list that may have to be saved
	first   chan struct{} // closed once there is a list
	keeping sync.Mutex    // serialises keep

	mu     sync.Mutex
	list   *api.Answer[[]api.Software] // newest list; nil before the first
	born   time.Time                   // when it was fetched, on this process's clock
	failed error                       // of the last renewal; nil if it succeeded
	tried  time.Time                   // time of the last renewal

	lastSaved fingerprint // of the list last saved or loaded; only used by Run's goroutine
}

// New returns an inventory without a list. [Inventory.Run] loads the saved one.
func New(o Options) *Inventory {
	return &Inventory{Options: o, wanted: make(chan struct{}, 1), unsaved: make(chan struct{}, 1), first: make(chan struct{})}
}

// Catalog returns the list. It returns a list in memory at once and renews it in the background. It waits for Defender
// if there is no list, if the list is too old, or if opts are given. Callers share the list and must not change it.
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

// current returns the list in memory, and the error of the last renewal if it failed.
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

// Use renews the list in the background if it is old. It does not block.
func (i *Inventory) Use() {
	if answer, ok, _ := i.current(); ok && answer.Age <= i.Fresh {
		return
	}
	select {
	case i.wanted <- struct{}{}:
	default: // a renewal is wanted already
	}
}

// AwaitFirst waits until there is a list or ctx is done.
func (i *Inventory) AwaitFirst(ctx context.Context) {
	select {
	case <-i.first:
	case <-ctx.Done():
	}
}

// Run loads the saved list, then renews and saves the list as it is used, until ctx is done.
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

// renew asks Defender for the list, unless the last failure is recent. It uses the background queue, so that questions
// go first. It returns false once Run has to stop.
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

// fetch asks Defender for the list and keeps it.
func (i *Inventory) fetch(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error) {
	answer, err := i.Ask(ctx, opts...)
	if err == nil {
		i.keep(answer)
	}
	return answer, err
}

// keep takes over a list if it is newer than the current one, and wakes AwaitFirst.
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
	answer.Stale = nil // it belongs to the question that this answered
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
