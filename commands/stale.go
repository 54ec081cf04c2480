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

// Readings is what digests have read before, in whatever process; *store.Store has it.
type Readings interface {
	// Reading returns the newest reading of one software, or false where it was never read.
	Reading(ctx context.Context, tenant, software string) (patchgap.Snapshot, bool, error)
}

// Remember returns d with a memory beyond its own: when Defender cannot be asked for the missing KBs of a software, the
// answer is what a digest has read last of it. An old answer that d gives gives way to a reading that is newer. Nothing
// old is answered while Defender's last word is that we may not ask.
func Remember(d Defender, o RememberOptions) Defender { return remembering{d, o} }

// RememberOptions are what [Remember] needs. All of them are.
type RememberOptions struct {
	Readings Readings
	Life     time.Duration    // how old a reading may be
	Now      func() time.Time // the clock that dates readings
	// Refused reports whether Defender, or Entra, has refused us in its last definite word to any process.
	Refused func(ctx context.Context) bool
}

type remembering struct {
	Defender
	RememberOptions
}

// readingTime is how long a reading may take: the time of the question itself may be over.
const readingTime = 2 * time.Second

// MissingKBs is part of [Defender].
func (m remembering) MissingKBs(ctx context.Context, softwareID string, opts ...api.CallOption) (api.Answer[[]api.MissingKB], error) {
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
func (m remembering) SoftwareByID(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[api.Software], error) {
	answer, err := m.Defender.SoftwareByID(ctx, id, opts...)
	return unlessRefused(ctx, m, answer, err)
}

// Catalog is part of [Defender].
func (m remembering) Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error) {
	answer, err := m.Defender.Catalog(ctx, opts...)
	return unlessRefused(ctx, m, answer, err)
}

// unlessRefused is an answer, unless it is an old one that is not to be shown any more: another process may have been
// refused, while this one could not ask.
func unlessRefused[T any](ctx context.Context, m remembering, answer api.Answer[T], err error) (api.Answer[T], error) {
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

// asOf is the age of an answer as a page tells it.
func asOf[T any](a api.Answer[T]) view.AsOf {
	at := view.AsOf{Time: a.FetchedAt, Age: a.Age, Stale: staleness(a.Stale)}
	if e, ok := errors.AsType[*api.Error](a.Stale); ok && e.RetryAfter > 0 {
		at.Again = a.FetchedAt.Add(a.Age + e.RetryAfter)
	}
	return at
}
