package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/missingkbs/missingkbs/internal/store"
)

func month(revision, entries int) store.FeedDocument {
	const id = "2026-May"
	return store.FeedDocument{
		Feed: "msrc", ID: id, Released: day(0), Revised: day(revision), Entries: entries, Chained: entries > 1,
		Body: fmt.Appendf(nil, `{"ID":%q,"Updates":%d}`, id, entries),
	}
}

func anyHeld(store.FeedDocument) error { return nil }

func bodies(in test) map[string]string {
	in.Helper()
	all := map[string]string{}
	must(in.T, in.store.EachFeedBody(in.Context(), func(feed, id string, body []byte) error {
		all[feed+" "+id] = string(body)
		return nil
	}))
	return all
}

// A document is replaced whole or not at all, and only a change of it moves the version.
func feedDocuments(in test) {
	t, s := in.T, in.store
	version := func() int64 {
		t.Helper()
		v, err := s.FeedVersion(t.Context())
		must(t, err)
		return v
	}
	replace := func(d store.FeedDocument, want bool) {
		t.Helper()
		changed, err := s.ReplaceFeedDocument(t.Context(), d, anyHeld)
		must(t, err)
		diff(t, "changed", want, changed)
	}
	diff(t, "version at first", 0, version())
	may, list := month(1, 7), store.FeedDocument{Feed: "kev", ID: "list", Revised: day(3), Entries: 2, Body: []byte(`[1,2]`)}
	replace(may, true)
	replace(list, true)
	before := version()
	replace(may, false)
	diff(t, "version after nothing new", before, version())

	no := errors.New("no")
	_, err := s.ReplaceFeedDocument(t.Context(), month(2, 1), func(held store.FeedDocument) error {
		want := may
		want.Body = nil
		diff(t, "held", want, held)
		return no
	})
	if !errors.Is(err, no) || err.Error() != "no" {
		t.Errorf("the refusal came back as %v", err)
	}
	diff(t, "version after a refusal", before, version())
	diff(t, "bodies", map[string]string{"kev list": `[1,2]`, "msrc 2026-May": string(may.Body)}, bodies(in))

	newer := month(2, 9)
	replace(newer, true)
	if version() <= before {
		t.Error("a change does not move the version")
	}
	newer.Body, list.Body = nil, nil
	all, err := s.FeedDocuments(t.Context())
	must(t, err)
	diff(t, "documents", []store.FeedDocument{list, newer}, all)
	diff(t, "bodies", map[string]string{"kev list": `[1,2]`, "msrc 2026-May": string(month(2, 9).Body)}, bodies(in))
}

func feedStates(in test) {
	t, s := in.T, in.store
	want := func(want ...store.Feed) {
		t.Helper()
		got, err := s.Feeds(t.Context())
		must(t, err)
		diff(t, "feeds", want, got)
	}
	want()
	must(t, s.SetFeedFailed(t.Context(), "msrc", "no route", day(1)))
	must(t, s.SetFeedFailed(t.Context(), "msrc", strings.Repeat("x", 900), day(2)))
	want(store.Feed{Name: "msrc", Tried: day(2), Failed: day(2), Failing: day(1), Failure: strings.Repeat("x", 900)})
	must(t, s.SetFeedFresh(t.Context(), "msrc", "api.example", day(3)))
	must(t, s.SetFeedFresh(t.Context(), "kev", "list.json", day(3)))
	want(store.Feed{Name: "kev", Tried: day(3), Fresh: day(3), Origin: "list.json"},
		store.Feed{Name: "msrc", Tried: day(3), Fresh: day(3), Failed: day(2), Origin: "api.example"})
	must(t, s.SetFeedFailed(t.Context(), "msrc", "gone", day(4)))
	want(store.Feed{Name: "kev", Tried: day(3), Fresh: day(3), Origin: "list.json"},
		store.Feed{Name: "msrc", Tried: day(4), Fresh: day(3), Failed: day(4), Failing: day(4), Failure: "gone", Origin: "api.example"})
}

// Of two processes that replace a document at once, the second one sees what the first one has stored.
func feedDocumentsAtOnce(in test) {
	t, s := in.T, in.store
	older := errors.New("older")
	var stored atomic.Int32
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			_, err := s.ReplaceFeedDocument(t.Context(), month(n, n), func(held store.FeedDocument) error {
				if day(n).Before(held.Revised) {
					return older
				}
				return nil
			})
			switch {
			case err == nil:
				stored.Add(1)
			case !errors.Is(err, older):
				t.Error(err)
			}
		})
	}
	all.Wait()
	documents, err := s.FeedDocuments(t.Context())
	must(t, err)
	if len(documents) != 1 || documents[0].Entries != 7 {
		t.Errorf("%d stored, and at last %+v", stored.Load(), documents)
	}
}
