package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

var discard = slog.New(slog.DiscardHandler)

// openDatabase returns a migrated database of this test.
func openDatabase(t *testing.T) *store.Store {
	t.Helper()
	database, err := store.Open(t.Context(), "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "missingkbs.db")), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := database.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return database
}

// newClient returns a client of a tenant of this test.
func newClient(t *testing.T) *api.Client {
	t.Helper()
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: apitest.ClientSecret, Authority: server.URL, Transport: server.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := api.NewClient(cred, &api.Options{
		Cloud: api.Cloud{Endpoint: server.URL, Scope: server.Scope(), Authority: server.URL}, Transport: server.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// testAlerts are the options of alerts that post to p.
func testAlerts(t *testing.T, process string, c *clock, p *posts) alertOptions {
	t.Helper()
	return alertOptions{
		channel: "C0PATCHES", process: process, store: openDatabase(t), client: newClient(t), poster: p, rejections: &blockRejections{}, now: c.now, log: discard,
	}
}

// clock runs ahead of the machine's clock as a test wants.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// A certificate is told two weeks before its end, once a day, and when there is a new one.
func TestAlertsOfTheCertificate(t *testing.T) {
	t.Parallel()
	c, p := &clock{}, &posts{}
	end := time.Now().AddDate(0, 0, 15)
	o := testAlerts(t, "host-1", c, p)
	o.certExpiry = func() (time.Time, error) { return end, nil }
	a := newAlerts(o)
	hours := func(n int) {
		for range n {
			a.notifier.Check(t.Context())
			c.advance(time.Hour)
		}
	}
	hours(2)
	if len(p.pages) > 0 {
		t.Errorf("told %q of one that is good for 15 days", p.pages[0].Title)
	}
	hours(60)
	end = end.AddDate(1, 0, 0)
	// Another process looks: the first is gone.
	o.process = "host-2"
	a = newAlerts(o)
	hours(3)
	var got []string
	for _, page := range p.pages {
		got = append(got, page.Title)
	}
	const title = "The bot's certificate for Defender ends within two weeks"
	if want := []string{title, "Still: " + title, "The bot has a new certificate for Defender"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// posts are pages that were posted.
type posts struct {
	pages []view.Page
	keys  []string
}

func (p *posts) Post(_ context.Context, _, key string, page view.Page) (string, error) {
	p.pages, p.keys = append(p.pages, page), append(p.keys, key)
	return "1", nil
}

func (p *posts) Find(_ context.Context, _, key string, _ time.Time) (string, bool, error) {
	return "1", slices.Contains(p.keys, key), nil
}

// What Slack does not say of people is told once it lasts, and when somebody is answered again.
func TestAlertsOfUnseenPeople(t *testing.T) {
	t.Parallel()
	c, p := &clock{}, &posts{}
	o := testAlerts(t, "host-1", c, p)
	a := newAlerts(o)
	minutes := func(n int, seen bot.Observation) {
		for range n {
			a.question(t.Context(), seen)
			a.notifier.Check(t.Context())
			c.advance(time.Minute)
		}
	}
	minutes(10, bot.Observation{Outcome: bot.Refused, Reason: "guest"})
	minutes(2, bot.Observation{Outcome: bot.Refused, Reason: "unknown"})
	if len(p.pages) > 0 {
		t.Errorf("told %q too early", p.pages[0].Title)
	}
	minutes(8, bot.Observation{Outcome: bot.Refused, Reason: "group_gone"})
	minutes(8, bot.Observation{Outcome: bot.Answered, Command: "software"})
	var got []string
	for _, page := range p.pages {
		got = append(got, page.Title)
	}
	if want := []string{"People are refused because Slack does not say who they are", "Slack says again who people are"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// What is told of audits, digests and the end of a process, by the names that people know them by.
func TestAlertsOfEvents(t *testing.T) {
	t.Parallel()
	c, p := &clock{}, &posts{}
	o := testAlerts(t, "host-1", c, p)
	a := newAlerts(o)
	a.auditsLost(30)
	a.auditsLost(7)
	a.undue(t.Context(), digest.Subscription{ID: "4711", Channel: "C0HERE"})
	a.stopped()
	o.rejections.tables.Store(true)
	o.rejections.observe(blocks.Refusal{Cause: blocks.Unsupported})
	o.rejections.observe(blocks.Refusal{Cause: blocks.OurFault})
	o.rejections.observe(blocks.Refusal{Cause: blocks.OurFault}) // told once a day, however often
	a.notifier.Check(t.Context())
	c.advance(2 * time.Minute)
	o.rejections.tables.Store(false)
	a.notifier.Check(t.Context())
	c.advance(time.Hour)
	o.rejections.observe(blocks.Refusal{Cause: blocks.OurFault})
	a.notifier.Check(t.Context())
	c.advance(time.Hour)
	a.notifier.Check(t.Context())
	var got []string
	for _, page := range p.pages {
		got = append(got, page.Title)
		for _, part := range page.Parts {
			for _, f := range part.(view.Facts) {
				if f.Name == "Which" {
					got = append(got, f.Value)
				}
			}
		}
	}
	want := []string{
		"This workspace refuses tables or charts", "A process of this bot has ended", "host-1", "Digests were paused: their schedules name no time", "4711 in C0HERE",
		"Audits were lost", "host-1: 37 audits", "Slack refused messages of this bot as malformed", "host-1: 2 messages", "This workspace takes tables and charts again",
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	off := newAlerts(alertOptions{}) // no channel
	off.question(t.Context(), bot.Observation{Outcome: bot.Failed, Reason: alert.Permission})
	off.stopped()
	off.run(t.Context())
}

// Processes that meet the same trouble about the same time tell it once; one that comes back later is told again.
func TestReplicasTellTroubleOnce(t *testing.T) {
	t.Parallel()
	c, p := &clock{}, &posts{}
	var processes []*alerts
	for _, name := range []string{"host-1", "host-2"} {
		a := newAlerts(testAlerts(t, name, c, p))
		a.database.Poll = nil
		processes = append(processes, a)
	}
	during := func(trouble digest.Trouble, d time.Duration) {
		for range int(d / (10 * time.Second)) {
			for _, a := range processes {
				a.observeTrouble(a.database, trouble)
				a.database.Check(t.Context())
			}
			c.advance(10 * time.Second)
		}
	}
	var want []string
	for range 3 {
		during(digest.TroubleAway, 4*time.Minute)
		during("", 45*time.Minute)
		want = append(want, "The bot's database cannot be reached", "The bot's database can be reached again")
	}
	var got []string
	for _, page := range p.pages {
		got = append(got, page.Title)
	}
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}
