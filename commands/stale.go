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

// Readings returns what digests of all replicas have read. *store.Store implements it.
type Readings interface {
	// Reading returns the newest reading of one software, or false if there is none.
	Reading(ctx context.Context, tenant, software string) (patchgap.Snapshot, bool, error)
}

// WithStoredAnswers returns d with a fallback: if d cannot read the missing KBs of a software from Defender, the answer is
// the newest reading of a digest. A newer reading also replaces an old answer of d. No old data is returned while
// Defender's last response was a refusal.
func WithStoredAnswers(d Defender, o StoredAnswersOptions) Defender { return storedAnswers{d, o} }

// StoredAnswersOptions are the dependencies of [WithStoredAnswers]. All are required.
type StoredAnswersOptions struct {
	Readings Readings
	Life     time.Duration    // greatest age of a reading that is used
	Now      func() time.Time // clock that readings are dated with
	// Refused reports whether the last definite response of Defender or Entra to any replica was a refusal.
	Refused func(ctx context.Context) bool
}

type storedAnswers struct {
	Defender
	StoredAnswersOptions
}

// readingTime bounds the lookup of a reading. The question's own time may be used up.
const readingTime = 2 * time.Second

// MissingKBs implements [Defender].
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
	// If this fails too, users are told about Defender's failure: that is the cause.
	read, found, readErr := m.Readings.Reading(limited, digest.DefaultTenant, softwareID)
	age := m.Now().Sub(read.At)
	if readErr != nil || !found || age > m.Life || err == nil && !read.At.After(answer.FetchedAt) {
		return answer, err
	}
	return api.Answer[[]api.MissingKB]{Value: missingKBs(read.Rows), FetchedAt: read.At, Age: max(age, 0), Cached: true, Stale: why}, nil
}

// SoftwareByID implements [Defender].
func (m storedAnswers) SoftwareByID(ctx context.Context, id string, opts ...api.CallOption) (api.Answer[api.Software], error) {
	answer, err := m.Defender.SoftwareByID(ctx, id, opts...)
	return unlessRefused(ctx, m, answer, err)
}

// Catalog implements [Defender].
func (m storedAnswers) Catalog(ctx context.Context, opts ...api.CallOption) (api.Answer[[]api.Software], error) {
	answer, err := m.Defender.Catalog(ctx, opts...)
	return unlessRefused(ctx, m, answer, err)
}

// unlessRefused returns an answer, unless it is an old one that must no longer be shown: another replica may have been
// refused while this one could not ask.
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

// missingKBs converts the rows of a reading to Defender's form.
func missingKBs(rows []patchgap.Row) []api.MissingKB {
	kbs := make([]api.MissingKB, 0, len(rows))
	for _, r := range rows {
		if r.Devices == 0 { // earlier versions stored updates missing on no device
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

// staleness returns why an old answer replaces a failed one; NotStale if the failure does not justify that.
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

// AsOf returns the age of an answer in the form that pages show.
func AsOf[T any](a api.Answer[T]) view.AsOf {
	at := view.AsOf{Time: a.FetchedAt, Age: a.Age, Stale: staleness(a.Stale)}
	if e, ok := errors.AsType[*api.Error](a.Stale); ok && e.RetryAfter > 0 {
		at.Again = a.FetchedAt.Add(a.Age + e.RetryAfter)
	}
	return at
}
