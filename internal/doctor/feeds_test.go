package doctor

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
)

// feedWorld is a checker between invented feeds and a database, by a clock of their own.
type feedWorld struct {
	*Checker
	*advisorytest.Server
	t  *testing.T
	at time.Time
}

func newFeedWorld(t *testing.T) *feedWorld {
	t.Helper()
	w := &feedWorld{t: t, at: time.Date(2031, 5, 21, 9, 0, 0, 0, time.UTC)}
	w.Server = advisorytest.Start(advisorytest.Options{
		Now: func() time.Time { return w.at },
		Updates: func() []advisorytest.Update {
			return []advisorytest.Update{{KB: "5090001", Product: "9001", Released: time.Date(2031, 5, 13, 18, 0, 0, 0, time.UTC), CVEs: []string{"CVE-2031-10001"}}}
		},
		Listed: func() []advisorytest.Exploited { return []advisorytest.Exploited{{CVE: "CVE-2031-10001", Added: w.at}} },
	})
	t.Cleanup(w.Server.Close)
	w.Checker = &Checker{}
	w.now = func() time.Time { return w.at }
	w.values.Feeds = &feeds.Options{Pause: -1, FetchOptions: advisory.FetchOptions{MSRC: w.MSRC(), KEV: w.KEV(), Transport: w.Client()}}
	s, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "missingkbs.db")), store.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.store.Store(s)
	w.ready.Store(true)
	t.Cleanup(w.Close)
	return w
}

// finds checks the findings of a check, as "status: text" and a part of the cure.
func (w *feedWorld) finds(check func(context.Context) []Finding, want ...string) {
	w.t.Helper()
	got := check(w.t.Context())
	for i, f := range got {
		if f.Status != OK && f.Status != Skip && f.Cure == "" {
			w.t.Errorf("no cure: %+v", f)
		}
		if i >= len(want) || !strings.HasPrefix(string(f.Status)+": "+f.Found, strings.TrimSuffix(want[i], "…")) {
			w.t.Errorf("finding %d is %s: %s", i, f.Status, f.Found)
		}
	}
	if len(got) != len(want) {
		w.t.Errorf("%d findings, want %d", len(got), len(want))
	}
}

func (w *feedWorld) fetch() {
	w.t.Helper()
	r, err := feeds.NewRefresher(w.store.Load(), *w.values.Feeds, func() time.Time { return w.at }, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Refresh(w.t.Context())
}

// Each way in which the feeds are out of reach is a warning that names the host, and one address of the list is enough.
func TestFeedsReached(t *testing.T) {
	t.Parallel()
	w := newFeedWorld(t)
	host := feedHost(w.MSRC())
	answers := "ok: MSRC's documents: " + host + " answers in"
	list := "CISA's KEV list: " + host
	w.finds(w.feedsReached, answers, "ok: "+list+" answers in")
	for fault, want := range map[advisorytest.Fault][2]string{
		advisorytest.Forbidden:    {answers, "ok: " + list + ": " + host + " answers 403"},
		advisorytest.AllForbidden: {"warn: MSRC's documents: " + host + ": " + host + " answers 403", "warn: " + list + ": " + host + " answers 403"},
		advisorytest.Down:         {"warn: MSRC's documents: " + host, "warn: " + list},
		advisorytest.WebPage:      {"warn: MSRC's documents: " + host + ": " + host + " answers with a web page", "warn: " + list},
		advisorytest.ToHTTP:       {"warn: MSRC's documents: " + host, "warn: " + list},
	} {
		w.Set(fault, true)
		w.finds(w.feedsReached, want[:]...)
		w.Set(fault, false)
	}
	w.values.Feeds.Transport = &http.Client{Transport: http.DefaultTransport} // it does not trust the server
	w.finds(w.feedsReached, "warn: MSRC's documents: "+host+": tls: ", "warn: "+list+": tls: ")
	w.values.Feeds = nil
	w.finds(w.feedsReached, "ok: MISSINGKBS_FEEDS is off")
	w.errors.Add("MISSINGKBS_KEV_URL", "takes an https:// address")
	w.finds(w.feedsReached, "skip: a setting of the feeds is wrong")
}

// What is stored, how old it is and what failed.
func TestFeedsStored(t *testing.T) {
	t.Parallel()
	w := newFeedWorld(t)
	w.finds(w.feedsStored, "ok: CISA's KEV list: nothing is stored; serve fetches it", "ok: MSRC's documents: nothing is stored; serve")
	w.fetch()
	w.finds(w.feedsStored, "ok: CISA's KEV list: data of 2031-05-21 (9 h old), 1 CVE, last up to date 0 s ago", "ok: MSRC's documents: data of 2031-05-20 (15 h old), 1 document to 2031-May, 1 update, last")
	w.at = w.at.Add(21 * time.Hour)
	w.finds(w.feedsStored, "warn: CISA's KEV list: data of 2031-05-21 (30 h old), 1 CVE, last up to date 21 h ago: it was not checked", "warn: MSRC's documents: …")
	w.Set(advisorytest.WebPage, true)
	w.fetch()
	w.finds(w.feedsStored, "warn: CISA's KEV list: data of 2031-05-21 (30 h old), 1 CVE, last up to date 21 h ago; failing since 22 May 06:00 UTC: ", "warn: MSRC's documents: …")
	w.Set(advisorytest.WebPage, false)
	w.fetch()
	w.at = w.at.Add(36 * 24 * time.Hour)
	old := []string{"warn: CISA's KEV list: data of 2031-05-22 (36 d old), 1 CVE, last up to date 36 d ago: it is old", "warn: MSRC's documents: data of 2031-05-20 (37 d old)"}
	w.finds(w.feedsStored, old...)
	on := w.values.Feeds
	w.values.Feeds = nil
	w.finds(w.feedsStored, old...)
	w.ready.Store(false)
	w.finds(w.feedsStored, "skip: the database is not ready")
	w.values.Feeds = on
}

// With feeds off and nothing stored, that is said and is no warning; a failure alone is one.
func TestFeedsStoredNothing(t *testing.T) {
	t.Parallel()
	w := newFeedWorld(t)
	w.Set(advisorytest.Down, true)
	w.values.Feeds.Retry.MaxRetries = -1
	w.fetch()
	w.finds(w.feedsStored, "warn: CISA's KEV list: nothing is stored; failing since 21 May 09:00 UTC: ", "warn: MSRC's documents: nothing is stored; failing since")
	fresh := newFeedWorld(t)
	fresh.values.Feeds = nil
	fresh.finds(fresh.feedsStored, "ok: CISA's KEV list: nothing is stored, and MISSINGKBS_FEEDS is off", "ok: MSRC's documents: nothing is stored, and")
}
