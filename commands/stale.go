package commands

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Readings returns what digests of any process have read. *store.Store implements it.
type Readings interface {
	// Reading returns the newest reading of one software, or false where it was never read.
	Reading(ctx context.Context, tenant, software string) (patchgap.Snapshot, bool, error)
}

// WithStoredAnswers returns d with a fallback: if d cannot read the missing KBs of a software from Defender, the answer is
// the newest reading of a digest. A newer reading also replaces an old answer of d. No old data is returned while
// Defender's last response was a refusal.
func WithStoredAnswers(d Defender, o StoredAnswersOptions) Defender { return storedAnswers{d, o} }

// StoredAnswersOptions are the dependencies of [WithStoredAnswers]. All are required.
type StoredAnswersOptions struct {
	Readings Readings
	Life     time.Duration    // how old a reading may be
	Now      func() time.Time // the clock that dates readings
	// Refused reports whether Defender, or Entra, has refused us in its last definite word to any process.
	Refused func(ctx context.Context) bool
}

type storedAnswers struct {
	Defender
	StoredAnswersOptions
}

// readingTime is how long a reading may take: the time of the question itself may be over.
const readingTime = 2 * time.Second

// MissingKBs is part of [Defender].
func (m storedAnswers) MissingKBs(ctx context.Context, softwareID string, opts ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
	answer, err := m.Defender.MissingKBs(ctx, softwareID, opts...)
	why := err
	if err == nil {
		why = answer.Stale
	}
	if staleness(why) == view.NotStale {
		return answer, err
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), readingTime)
	defer cancel()
	if m.Refused(limited) {
		return api.Answer[[]api.MissingKB]{}, why
	}
	// What cannot be read here either is no news: the failure of Defender is what people are told.
	read, found, readErr := m.Readings.Reading(limited, digest.DefaultTenant, softwareID)
	age := m.Now().Sub(read.At)
	if readErr != nil || !found || age > m.Life || err == nil && !read.At.After(answer.FetchedAt) {
		return answer, err
	}
	return api.Answer[[]api.MissingKB]{Value: missingKBs(read.Rows), FetchedAt: read.At, Age: max(age, 0), Cached: true, Stale: why}, nil
}

// SoftwareByID is part of [Defender].
func (m storedAnswers) SoftwareByID(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[api.Software], error) {
	answer, err := m.Defender.SoftwareByID(ctx, id, opts...)
	return unlessRefused(ctx, m, answer, err)
}

// Catalog is part of [Defender].
func (m storedAnswers) Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error) {
	answer, err := m.Defender.Catalog(ctx, opts...)
	return unlessRefused(ctx, m, answer, err)
}

// unlessRefused is an answer, unless it is an old one that is not to be shown any more: another process may have been
// refused, while this one could not ask.
func unlessRefused[T any](ctx context.Context, m storedAnswers, answer api.Answer[T], err error) (api.Answer[T], error) {
	if err != nil || answer.Stale == nil {
		return answer, err
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), readingTime)
	defer cancel()
	if m.Refused(limited) {
		return api.Answer[T]{}, answer.Stale
	}
	return answer, nil
}

// missingKBs are the rows of a reading as Defender would give them.
func missingKBs(rows []patchgap.Row) []api.MissingKB {
	kbs := make([]api.MissingKB, 0, len(rows))
	for _, r := range rows {
		if r.Devices == 0 { // earlier versions kept updates that no device lacks
			continue
		}
		kb := api.MissingKB{
			ID: r.KB, Name: r.Name, URL: r.URL, OSBuild: r.OSBuild, MachineMissedOn: r.Devices, CVEAddressed: r.CVEs, ProductsNames: []string{},
		}
		if r.Products != "" {
			kb.ProductsNames = strings.Split(r.Products, patchgap.ProductsBetween)
		}
		kbs = append(kbs, kb)
	}
	return kbs
}

// staleness is why an old answer stands in for one that failed; NotStale where a failure is no reason for that.
func staleness(err error) view.Stale {
	switch {
	case err == nil:
		return view.NotStale
	case errors.Is(err, api.ErrThrottled):
		return view.UsedUp
	case errors.Is(err, api.ErrUnavailable), errors.Is(err, api.ErrNotDefender):
		return view.Unreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, api.ErrBusy):
		return view.TooSlow
	}
	return view.NotStale
}

// AsOf is the age of an answer as a page tells it.
func AsOf[T any](a api.Answer[T]) view.AsOf {
	at := view.AsOf{Time: a.FetchedAt, Age: a.Age, Stale: staleness(a.Stale)}
	if e, ok := errors.AsType[*api.Error](a.Stale); ok && e.RetryAfter > 0 {
		at.Again = a.FetchedAt.Add(a.Age + e.RetryAfter)
	}
	return at
}
