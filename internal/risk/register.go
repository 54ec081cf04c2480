package risk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// ErrChanged reports that another person or process has changed the acceptance first.
var ErrChanged = errors.New("the acceptance has changed meanwhile")

// Store keeps acceptances. Each change is written in one transaction with its audit entry.
type Store interface {
	// Acceptances lists those that are open and those that ended after since, oldest first.
	Acceptances(ctx context.Context, tenant string, since time.Time) ([]Acceptance, error)
	// AddAcceptance stores a new one. It ends an open one of the same KB and software as replaced, if the new one holds
	// at once; a request only replaces another request. It returns [digest.ErrExists] if the ID is taken.
	AddAcceptance(ctx context.Context, a Acceptance, who audit.Entry) error
	// ApproveAcceptance makes a request hold and ends what it replaces. It returns [ErrChanged] if the request is no
	// longer open.
	ApproveAcceptance(ctx context.Context, a Acceptance, who audit.Entry) error
	// EndAcceptance stores that an acceptance has ended. It returns [ErrChanged] if it had ended already.
	EndAcceptance(ctx context.Context, a Acceptance, who audit.Entry) error
}

// Register answers what is accepted, and ends what no longer holds. It is safe for concurrent use.
type Register struct {
	Tenant    string
	Store     Store
	Published func() Advisories // the current feeds; may be nil, as may its result
	Now       func() time.Time  // default [time.Now]
	CacheFor  time.Duration     // how long Marks reuses the list it has read; by default it reads each time
	Log       *slog.Logger      // default: discarded

	mu     sync.Mutex
	cached []Acceptance
	err    error     // of the last read
	read   time.Time // on the machine's clock; zero before the first read
}

// Listed returns the CVEs of an update that CISA lists as exploited now.
func (r *Register) Listed(kb string) []string { return listed(r.published(), kb) }

func (r *Register) published() Advisories {
	if r.Published == nil {
		return nil
	}
	return r.Published()
}

func (r *Register) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// Open lists open acceptances and requests, and those that ended within [pastShown]. Expired ones are returned as
// ended.
func (r *Register) Open(ctx context.Context) ([]Acceptance, error) {
	now := r.now()
	all, err := r.Store.Acceptances(ctx, r.Tenant, now.Add(-pastShown))
	if err != nil {
		return nil, fmt.Errorf("read accepted risks: %w", err)
	}
	for i, a := range all {
		if end, at, over := a.Over(now); over && a.State != Ended {
			all[i] = a.ended(end, at, "")
			r.end(ctx, all[i])
		}
	}
	return all, nil
}

// Marks returns what is accepted of rows, and records the acceptances that the rows bring to an end. A nil register
// marks nothing.
func (r *Register) Marks(ctx context.Context, rows []patchgap.Row) (Marks, error) {
	if r == nil {
		return Marks{}, nil
	}
	all, err := r.current(ctx)
	if err != nil || len(all) == 0 {
		return Marks{}, err
	}
	m := Judge(all, rows, r.published(), r.now())
	for _, a := range m.Over {
		r.end(ctx, a)
	}
	if len(m.Over) > 0 {
		r.forget()
	}
	return m, nil
}

// current is Open through the cache. Failures are cached too: a database that hangs must not delay every page.
func (r *Register) current(ctx context.Context) ([]Acceptance, error) {
	if r.CacheFor <= 0 {
		return r.Open(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.read.IsZero() && time.Since(r.read) < r.CacheFor {
		return r.cached, r.err
	}
	reading, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	r.cached, r.err = r.Open(reading)
	r.read = time.Now()
	return r.cached, r.err
}

// readTime bounds how long a page waits for the database.
const readTime = time.Second

// forget makes the next page read the list again.
func (r *Register) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read = time.Time{}
}

// Add stores a new acceptance; see [Store] for its errors.
func (r *Register) Add(ctx context.Context, a Acceptance, who audit.Entry) error {
	defer r.forget()
	return r.Store.AddAcceptance(ctx, a, who)
}

// Approve makes a request hold; see [Store] for its errors.
func (r *Register) Approve(ctx context.Context, a Acceptance, who audit.Entry) error {
	defer r.forget()
	return r.Store.ApproveAcceptance(ctx, a, who)
}

// End records that a person ended an acceptance; see [Store] for its errors.
func (r *Register) End(ctx context.Context, a Acceptance, who audit.Entry) error {
	defer r.forget()
	return r.Store.EndAcceptance(ctx, a, who)
}

// end records an end that the program noticed. It only logs a failure: the next reader notices the same end.
func (r *Register) end(ctx context.Context, a Acceptance) {
	err := r.Store.EndAcceptance(ctx, a, audit.Entry{
		ID: "accept.end/" + a.ID, At: r.now(), Tenant: a.Tenant, Action: audit.ActionAcceptEnd, Subject: a.Subject(), Detail: a.Why(), Result: audit.ResultDone,
	})
	if err != nil && !errors.Is(err, ErrChanged) && r.Log != nil {
		r.Log.WarnContext(ctx, "the end of an accepted risk could not be recorded", "acceptance", a.ID, "end", string(a.End), "error", err)
	}
}
