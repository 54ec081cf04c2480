package e2e

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
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/alert"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// clock runs ahead of the machine's as a test wants.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// watchedApps runs apps on one database in this process. They send alerts to a channel and live by the clock.
func watchedApps(t *testing.T, apps int, channel string, log *locked) (*world, *clock, *records) {
	t.Helper()
	w, c, database := stage(t), &clock{}, sqliteRecords(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range apps {
		client, err := demo.NewClient(w.defender)
		if err != nil {
			t.Fatal(err)
		}
		a := app.New(app.Options{
			Slack:    slackapi.Config{Tokens: slackapi.NewTokens(w.slack.AppToken(), w.slack.BotToken()), APIURL: w.slack.APIURL()},
			Defender: client, Store: database.Store, Now: c.now, AlertChannel: channel,
			SchedulerInterval: 50 * time.Millisecond, AlertInterval: 20 * time.Millisecond,
			Log: slog.New(slog.NewTextHandler(log, nil)),
		})
		running.Go(func() {
			if err := a.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			client.Close()
		})
	}
	t.Cleanup(func() { cancel(); running.Wait() })
	if err := w.slack.WaitConnected(soon(t), apps); err != nil {
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
	w, c, database := watchedApps(t, 2, sandbox.Patching, log)
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
	w, c, database := watchedApps(t, 1, sandbox.Patching, &locked{})
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
	w, c, database := watchedApps(t, 1, sandbox.SharedChannel, log)
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
