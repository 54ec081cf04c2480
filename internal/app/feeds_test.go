package app

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
)

// A feed that fails is told once it lasts, naming the feed; so is data that is old; and the end of each. Processes share it.
func TestAlertsOfFeeds(t *testing.T) {
	t.Parallel()
	c, p := &clock{}, &posts{}
	o := testAlerts(t, "host-1", c, p)
	database := o.store
	a := newAlerts(o)
	hours := func(n int) {
		for range n {
			a.notifier.Check(t.Context())
			c.advance(time.Hour)
		}
	}
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, page := range p.pages {
			got = append(got, page.Title)
		}
		if !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
		p.pages = nil
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	hours(10) // nothing was fetched yet, which may be meant
	told()
	do(storeList(t.Context(), database, c.now()))
	do(database.SetFeedFresh(t.Context(), feeds.KEV, "cisa.example", c.now()))
	hours(10)
	told()
	do(database.SetFeedFailed(t.Context(), feeds.KEV, "cisa.example: answers 403", c.now()))
	hours(3)
	told() // it may pass
	hours(6)
	told("What MSRC or CISA publishes cannot be brought up to date")
	a = newAlerts(o) // another process goes on
	do(database.SetFeedFresh(t.Context(), feeds.KEV, "cisa.example", c.now()))
	hours(3)
	told("What MSRC and CISA publish is up to date again")
	c.advance(7 * 24 * time.Hour)
	hours(3)
	told("What is stored of MSRC or CISA is old")
	do(storeList(t.Context(), database, c.now()))
	hours(3)
	told("What is stored of MSRC and CISA is new again")
}

// storeList stores a list of CISA's of a moment.
func storeList(ctx context.Context, s *store.Store, at time.Time) error {
	_, err := s.ReplaceFeedDocument(ctx, store.FeedDocument{Feed: feeds.KEV, ID: "list", Released: at, Revised: at, Entries: 1, Body: []byte(at.String())}, func(store.FeedDocument) error { return nil })
	return err
}
