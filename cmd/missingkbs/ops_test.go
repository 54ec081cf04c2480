package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/view"
)

// clock runs ahead of the machine's as a test wants.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// watchedHouse runs so many houses of one database in this process, whose operators read a channel and live by the clock.
func watchedHouse(t *testing.T, houses int, channel string, log *locked) (*world, *clock, *records) {
	t.Helper()
	w, c, database := stage(t), &clock{}, sqliteRecords(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range houses {
		client, err := tenantClient(w.defender)
		if err != nil {
			t.Fatal(err)
		}
		h := house{
			slack:    slackapi.Config{Tokens: slackapi.NewTokens(w.slack.AppToken(), w.slack.BotToken()), APIURL: w.slack.APIURL()},
			defender: client, store: database.Store, now: c.now, opsChannel: channel, tick: 50 * time.Millisecond, opsTick: 20 * time.Millisecond,
			log: slog.New(slog.NewTextHandler(log, nil)),
		}
		running.Go(func() {
			if err := h.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			client.Close()
		})
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	if err := w.slack.WaitConnected(soon(t), houses); err != nil {
		t.Fatal(err)
	}
	return w, c, database
}

// known waits until the state of the missing permission holds some words: what somebody was answered is heard a moment later, and the
// clock must not move on before.
func (r *records) known(t *testing.T, words string) {
	t.Helper()
	eventually(t, func() (string, bool) {
		states, err := r.AlertStates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return "the state of " + alert.Permission + " is " + states[alert.Permission] + ", want " + words, strings.Contains(states[alert.Permission], words)
	})
}

// told are the titles that a channel shows.
func (w *world) told(channel string) (titles []string) {
	for _, m := range w.slack.Messages(channel, sandbox.Alice) {
		if m.Kind == sandbox.KindApp && m.EphemeralFor == "" {
			titles = append(titles, title(m))
		}
	}
	return titles
}

// wantTold waits until the operators' channel shows these titles.
func (w *world) wantTold(t *testing.T, want ...string) {
	t.Helper()
	if err := w.slack.Wait(soon(t), func() bool { return len(w.told(sandbox.Patching)) >= len(want) }); err != nil {
		t.Fatalf("told %q, want %q", w.told(sandbox.Patching), want)
	}
	if got := w.told(sandbox.Patching); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// Many people fail for want of a permission, in two processes: the channel hears of it once, and once when it is over.
func TestOpsChannelHearsOfALostPermission(t *testing.T) {
	t.Parallel()
	log := &locked{}
	w, c, database := watchedHouse(t, 2, sandbox.Patching, log)
	w.defender.Inject(apitest.Fault{Path: "/api/", Status: 403, Code: "Forbidden", Message: "Missing application roles. API required roles: Software.Read.All, application roles: ."})
	const lost, back = "Defender refuses this bot: a permission is missing", "Defender admits this bot again"
	// The clock must not jump over what is under way: a process that tells for minutes counts as dead.
	noted := func(n int) {
		eventually(t, func() (string, bool) {
			return "operators were not told", strings.Count(log.String(), "sent an alert to the operations channel\"") >= n
		})
	}
	w.ask(t, "microsoft-_-edge")
	database.known(t, `"seen":1`)
	c.advance(10 * time.Minute) // one failure is none, however long ago
	for range 6 {
		w.ask(t, "microsoft-_-edge")
		w.command(t, sandbox.Bob, sandbox.General, "microsoft-_-windows_11")
	}
	noted(1)
	for range 6 {
		w.ask(t, "microsoft-_-edge")
		w.command(t, sandbox.Bob, sandbox.General, "microsoft-_-windows_11")
		c.advance(8 * time.Minute)
	}
	database.known(t, `"seen":25`) // all of them
	w.wantTold(t, lost)

	w.defender.Heal()
	w.ask(t, "microsoft-_-edge")
	w.ask(t, "microsoft-_-windows_11")
	w.ask(t, "microsoft-_-edge")
	database.known(t, `"good":`)
	c.advance(10 * time.Minute)
	noted(2)
	w.wantTold(t, lost, back)
	for range 3 {
		w.ask(t, "microsoft-_-edge")
		c.advance(time.Hour)
	}
	w.wantTold(t, lost, back)
	if strings.Contains(log.String(), "cannot send an alert") {
		t.Errorf("the log:\n%s", log)
	}
}

// A digest whose schedule names no time any more is paused, and whoever runs the bot hears which.
func TestOpsChannelHearsOfUnreadableSchedules(t *testing.T) {
	t.Parallel()
	w, c, database := watchedHouse(t, 1, sandbox.Patching, &locked{})
	s := due("a1", sandbox.General, edge)
	s.Schedule.Zone = "Europe/Atlantis"
	database.subscribe(t, s)
	eventually(t, func() (string, bool) {
		states, err := database.AlertStates(t.Context())
		return fmt.Sprintf("nothing was heard: %v, %v", states, err), states[alert.DigestsUndue] != ""
	})
	c.advance(2 * time.Minute)
	w.wantTold(t, "Digests were paused: their schedules name no time")
	for _, m := range w.slack.Messages(sandbox.Patching, sandbox.Alice) {
		if !strings.Contains(m.Text, "a1 in "+sandbox.General) {
			t.Errorf("it does not say which: %q", m.Text)
		}
	}
}

// A channel that another organisation reads hears nothing; the log says so.
func TestOpsChannelMustNotBeShared(t *testing.T) {
	t.Parallel()
	log := &locked{}
	w, c, database := watchedHouse(t, 1, sandbox.SharedChannel, log)
	w.defender.Inject(apitest.Fault{Path: "/api/", Status: 403, Code: "Forbidden", Message: "Missing application roles. API required roles: Software.Read.All, application roles: ."})
	for i := range 4 {
		w.ask(t, "microsoft-_-edge")
		database.known(t, fmt.Sprintf(`"seen":%d`, i+1))
		c.advance(time.Minute)
	}
	eventually(t, func() (string, bool) {
		return "the log does not say that the channel was refused", strings.Contains(log.String(), "cannot send an alert")
	})
	if got := w.told(sandbox.SharedChannel); len(got) > 0 {
		t.Errorf("told %q", got)
	}
}

// A certificate is told two weeks before its end, once a day, and when there is a new one.
func TestOperatorsHearOfACertificate(t *testing.T) {
	t.Parallel()
	c, p, w := &clock{}, &posts{}, stage(t)
	client, err := tenantClient(w.defender)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	end := time.Now().AddDate(0, 0, 15)
	records := sqliteRecords(t)
	o := &operators{process: "host-1", expiry: func() (time.Time, error) { return end, nil }}
	o.open(house{opsChannel: sandbox.Patching, store: records.Store, defender: client, now: c.now, log: slog.New(slog.DiscardHandler)}, p)
	hours := func(n int) {
		for range n {
			o.desk.Check(t.Context())
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
	o = &operators{process: "host-2", expiry: o.expiry}
	o.open(house{opsChannel: sandbox.Patching, store: records.Store, defender: client, now: c.now, log: slog.New(slog.DiscardHandler)}, p)
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
func TestOperatorsHearOfUnseenPeople(t *testing.T) {
	t.Parallel()
	c, p, tenant := &clock{}, &posts{}, stage(t)
	client, err := tenantClient(tenant.defender)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	o := &operators{process: "host-1"}
	o.open(house{opsChannel: sandbox.Patching, store: sqliteRecords(t).Store, defender: client, now: c.now, log: slog.New(slog.DiscardHandler)}, p)
	minutes := func(n int, seen bot.Observation) {
		for range n {
			o.question(t.Context(), seen)
			o.desk.Check(t.Context())
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
func TestOperatorsHearOfEvents(t *testing.T) {
	t.Parallel()
	c, p, tenant := &clock{}, &posts{}, stage(t)
	client, err := tenantClient(tenant.defender)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	o := &operators{process: "host-1"}
	o.open(house{opsChannel: sandbox.Patching, store: sqliteRecords(t).Store, defender: client, now: c.now, log: slog.New(slog.DiscardHandler)}, p)
	o.auditsLost(30)
	o.auditsLost(7)
	o.undue(t.Context(), digest.Subscription{ID: "4711", Channel: "C0HERE"})
	o.stopped()
	o.tablesRefused()
	o.blocksRefused(blocks.Refusal{Cause: blocks.Unsupported})
	o.blocksRefused(blocks.Refusal{Cause: blocks.OurFault})
	o.blocksRefused(blocks.Refusal{Cause: blocks.OurFault}) // told once a day, however often
	o.desk.Check(t.Context())
	c.advance(2 * time.Minute)
	o.tablesTaken()
	o.desk.Check(t.Context())
	c.advance(time.Hour)
	o.blocksRefused(blocks.Refusal{Cause: blocks.OurFault})
	o.desk.Check(t.Context())
	c.advance(time.Hour)
	o.desk.Check(t.Context())
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
	var off operators // no channel
	off.question(t.Context(), bot.Observation{Outcome: bot.Failed, Reason: alert.Permission})
	off.stopped()
	off.run(t.Context())
}
