package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// quotaSettings are what becomes of questions when Defender's quota is used up.
type quotaSettings struct {
	StaleFor string `name:"stale-for" env:"MISSINGKBS_STALE_FOR" default:"168h" help:"How old an answer may be that is shown, with its age, when Defender cannot be asked; 0 shows none (${default})."`
}

// read puts the settings into those of the client.
func (s quotaSettings) read(m *mistakes, o *api.Options) {
	o.StaleFor = m.duration("MISSINGKBS_STALE_FOR", s.StaleFor, 0)
}

// budget joins the quota in the database to the client, which is made before the database is open.
type budget struct{ quota atomic.Pointer[store.Quota] }

var errNotOpen = errors.New("the database is not open yet")

// newBudget gives a client the quota that all replicas share. Where the database belongs to one process there is none.
func newBudget(o *api.Options, databaseURL string) *budget {
	b := &budget{}
	if store.Shared(databaseURL) {
		o.Budget = b
	}
	return b
}

// open tells where the quota is.
func (b *budget) open(s *store.Store) { b.quota.Store(s.Quota(digest.DefaultTenant)) }

// Book is part of [api.Budget].
func (b *budget) Book(ctx context.Context, want api.Booking) (api.Booked, error) {
	q := b.quota.Load()
	if q == nil {
		return api.Booked{}, errNotOpen
	}
	got, err := q.Book(ctx, store.QuotaBooking{
		Minute: store.QuotaRate(want.Minute), Hour: store.QuotaRate(want.Hour),
		Calls: want.Calls, Background: want.Background, Patience: want.Patience,
	})
	return api.Booked{
		Taken: got.Taken, Wait: got.Wait, Paused: got.Paused, Minute: api.Fill(got.Minute), Hour: api.Fill(got.Hour),
	}, err
}

// Pause is part of [api.Budget].
func (b *budget) Pause(ctx context.Context, d time.Duration) error {
	q := b.quota.Load()
	if q == nil {
		return errNotOpen
	}
	return q.Pause(ctx, d)
}
