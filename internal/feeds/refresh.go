package feeds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/store"
)

// DefaultMonths is how many months back documents of MSRC are fetched.
const DefaultMonths = 24

// Options are what a [Refresher] works with.
type Options struct {
	advisory.FetchOptions
	Months int           // how many months back MSRC documents are fetched; default [DefaultMonths]
	Pause  time.Duration // between two documents, to spare the publisher; default 2 seconds, negative for none
}

// Refresher fetches documents that are newer than the stored ones.
type Refresher struct {
	fetcher *advisory.Fetcher
	store   Store
	months  int
	pause   time.Duration
	origin  string // MSRC's host
	now     func() time.Time
	log     *slog.Logger
}

// NewRefresher returns a refresher. It returns an error for an address that is not https.
func NewRefresher(s Store, o Options, now func() time.Time, log *slog.Logger) (*Refresher, error) {
	fetcher, err := advisory.NewFetcher(o.FetchOptions)
	if err != nil {
		return nil, err
	}
	r := &Refresher{fetcher: fetcher, store: s, months: o.Months, pause: o.Pause, origin: hostOf(fetcher.MSRC()), now: now, log: log}
	if r.months == 0 {
		r.months = DefaultMonths
	}
	if r.pause == 0 {
		r.pause = 2 * time.Second
	}
	return r, nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// How long one document and the list may take to download.
const (
	documentTimeout = 4 * time.Minute
	listTimeout     = 2 * time.Minute
)

// Refresh fetches both feeds. It logs failures and stores them in the state of their feed; ok is false if there were
// any.
func (r *Refresher) Refresh(ctx context.Context) (ok bool) {
	// The list comes first: it is small and matters most.
	kev := r.finish(ctx, KEV, r.refreshCatalog)
	msrc := r.finish(ctx, MSRC, r.refreshDocuments)
	return kev && msrc
}

// finish refreshes one feed and records the result. A refresh interrupted by a shutdown does not count as failed.
func (r *Refresher) finish(ctx context.Context, feed string, refresh func(context.Context) (origin string, changed int, failures []error)) (ok bool) {
	origin, changed, failures := refresh(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	// Record the result even if the job's time is used up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var err error
	if text := words(failures); text != "" {
		r.log.WarnContext(ctx, "could not bring a feed up to date; answers keep what was accepted before", "feed", feed, "changed", changed, "error", text)
		err = r.store.SetFeedFailed(ctx, feed, text, r.now())
	} else {
		r.log.InfoContext(ctx, "feed is up to date", "feed", feed, "changed", changed, "from", origin)
		err = r.store.SetFeedFresh(ctx, feed, origin, r.now())
	}
	if err != nil {
		r.log.WarnContext(ctx, "could not record how fetching a feed ended", "feed", feed, "error", err)
	}
	return len(failures) == 0 && err == nil
}

// refreshCatalog tries the addresses in turn until one serves a list that passes the checks.
func (r *Refresher) refreshCatalog(ctx context.Context) (origin string, changed int, failures []error) {
	for _, address := range r.fetcher.KEV() {
		got, err := r.tryCatalog(ctx, address)
		if err == nil {
			if got {
				changed = 1
			}
			return hostOf(address), changed, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", hostOf(address), err))
		if ctx.Err() != nil {
			break
		}
	}
	return "", 0, failures
}

// tryCatalog downloads the list from one address and stores it.
func (r *Refresher) tryCatalog(ctx context.Context, address string) (changed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := r.fetcher.CatalogAt(ctx, address)
	if err != nil {
		return false, err
	}
	return storeCatalog(ctx, r.store, list, r.now())
}

// refreshDocuments downloads the MSRC documents that changed since they were stored. One failed month does not stop the
// others.
func (r *Refresher) refreshDocuments(ctx context.Context) (origin string, changed int, failures []error) {
	held, err := r.held(ctx)
	if err != nil {
		return r.origin, 0, []error{err}
	}
	months, err := r.listMonths(ctx)
	if err != nil { // the newest months have known addresses
		failures = append(failures, err)
		months = advisory.RecentMonths(r.now())
	}
	fetched := 0
	for _, m := range months {
		if d, ok := held[m.ID]; ok && !m.Revised.IsZero() && !m.Revised.Truncate(time.Millisecond).After(d.Revised) {
			continue
		}
		if fetched > 0 && !r.wait(ctx) {
			return r.origin, changed, append(failures, ctx.Err())
		}
		fetched++
		switch got, err := r.tryDocument(ctx, m.ID); {
		case errors.Is(err, advisory.ErrNotThere) && m.Revised.IsZero(): // not published yet
		case err != nil:
			failures = append(failures, fmt.Errorf("%s: %w", m.ID, err))
		case got:
			changed++
		}
	}
	return r.origin, changed, failures
}

func (r *Refresher) listMonths(ctx context.Context) ([]advisory.Month, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return r.fetcher.Months(ctx, r.now(), r.months)
}

// tryDocument downloads the document of one month and stores it.
func (r *Refresher) tryDocument(ctx context.Context, month string) (changed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, documentTimeout)
	defer cancel()
	d, err := r.fetcher.Document(ctx, month)
	if err != nil {
		return false, err
	}
	return storeDocument(ctx, r.store, month, d, r.now())
}

// held returns the stored documents of MSRC by month.
func (r *Refresher) held(ctx context.Context) (map[string]store.FeedDocument, error) {
	all, err := r.store.FeedDocuments(ctx)
	if err != nil {
		return nil, err
	}
	held := map[string]store.FeedDocument{}
	for _, d := range all {
		if d.Feed == MSRC {
			held[d.ID] = d
		}
	}
	return held, nil
}

// wait pauses between two documents. It returns false if ctx is done.
func (r *Refresher) wait(ctx context.Context) bool {
	if r.pause < 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(r.pause):
		return true
	}
}
