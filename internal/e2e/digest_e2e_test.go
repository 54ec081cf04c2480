package e2e

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// clockwork is a world with one clock, the tenant's, by which Slack and the program live too. The program runs within
// the test, since no process can be told the time.
type clockwork struct {
	*world
	records *records
	stop    func(testing.TB)
}

// newClockwork starts a world that has one software, beside the built-in ones.
func newClockwork(t *testing.T) *clockwork {
	t.Helper()
	m := &clockwork{world: stage(t), records: sqliteRecords(t)}
	m.software(apitest.KB{ID: "5000001", Name: "First", MachineMissedOn: 40, CVEAddressed: 3}, apitest.KB{ID: "5000002", Name: "Second", MachineMissedOn: 7, CVEAddressed: 1})
	m.run(t)
	return m
}

// suite is the software of the tests, whose patch gap they set.
const suite = "microsoft-_-suite"

func (m *clockwork) software(kbs ...apitest.KB) {
	m.defender.PutSoftware(apitest.Software{ID: suite, Name: "suite", Vendor: "microsoft", Weaknesses: 4, ExposedMachines: 40}, kbs...)
}

// run runs the program until the test ends, or stop is called.
func (m *clockwork) run(t *testing.T) {
	t.Helper()
	client := unlimitedClient(t, m.defender)
	log := slog.New(slog.NewTextHandler(m.log, nil))
	a := app.New(app.Options{
		Slack:    slackapi.Config{Tokens: slackapi.NewTokens(m.slack.AppToken(), m.slack.BotToken()), APIURL: m.slack.APIURL()},
		Bot:      bot.Options{Log: log},
		Defender: client, Store: m.records.Store, Now: m.defender.Now, SchedulerInterval: 100 * time.Millisecond, Log: log,
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stopped := false
	m.stop = func(tb testing.TB) {
		tb.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("the program: %v\n%s", err, m.log)
		}
	}
	t.Cleanup(func() {
		m.stop(t)
		if t.Failed() {
			t.Logf("the program's log:\n%s", m.log)
		}
	})
	if err := m.slack.WaitConnected(patiently(t), 1); err != nil {
		t.Fatal(err)
	}
}

// unlimitedClient is a client that lives by the tenant's clock, but for the limit on its calls, which is by the clock of
// this machine and would only keep tests waiting.
func unlimitedClient(tb testing.TB, server *apitest.Server) *api.Client {
	tb.Helper()
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: apitest.ClientSecret,
		Authority: server.URL, Transport: server.Client(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	client, err := api.NewClient(cred, &api.Options{
		Cloud:     api.Cloud{Endpoint: server.URL, Scope: server.Scope()},
		Transport: server.Client(), Now: server.Now, PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}

// to moves the clock on, to a time such as "2026-11-30 09:05" in Stockholm.
func (m *clockwork) to(t *testing.T, when string) {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", when, zone)
	if err != nil || !at.After(m.defender.Now()) {
		t.Fatalf("cannot go to %s from %s: %v", when, m.defender.Now(), err)
	}
	m.slack.Advance(at.Sub(m.defender.Now()))
}

// tell asks as Alice in a channel, and returns the answer.
func (m *clockwork) tell(t *testing.T, channel, words string) sandbox.Message {
	t.Helper()
	before := len(m.slack.Messages(channel, sandbox.Alice))
	d, err := m.slack.Command(patiently(t), sandbox.Alice, channel, "/missingkbs "+words)
	if err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("%q: delivery %+v, %v", words, d, err)
	}
	var got sandbox.Message
	err = m.slack.Wait(patiently(t), func() bool {
		for _, a := range m.slack.Messages(channel, sandbox.Alice)[before:] {
			if a.EphemeralFor == sandbox.Alice && isAnswer(a) {
				got = a
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatalf("%q: no answer: %v", words, err)
	}
	return got
}

// add subscribes a channel as Alice would, and returns the subscription's id.
func (m *clockwork) add(t *testing.T, channel, words string) (id string) {
	t.Helper()
	got := m.tell(t, channel, "digest add "+words)
	id, ok := strings.CutPrefix(title(got), "Digest ")
	id, _, done := strings.Cut(id, " is set up")
	if !ok || !done {
		t.Fatalf("digest add %s: got %q", words, got.Text)
	}
	return id
}

// digests are the messages of a channel that everybody sees, the details of digests left out.
func (m *clockwork) digests(channel string) []sandbox.Message {
	return m.public(channel, func(a sandbox.Message) bool { return a.ThreadTS == "" })
}

func (m *clockwork) public(channel string, keep func(sandbox.Message) bool) []sandbox.Message {
	var out []sandbox.Message
	for _, a := range m.slack.Messages(channel, sandbox.Alice) {
		if a.Kind == sandbox.KindApp && a.EphemeralFor == "" && keep(a) {
			out = append(out, a)
		}
	}
	return out
}

// next waits for one more digest in a channel than there were, and returns it.
func (m *clockwork) next(t *testing.T, channel string, were int) sandbox.Message {
	t.Helper()
	var got []sandbox.Message
	if err := m.slack.Wait(patiently(t), func() bool { got = m.digests(channel); return len(got) > were }); err != nil {
		t.Fatalf("%s shows %d digests, want one more: %v\n%s", channel, were, err, m.log)
	}
	if len(got) != were+1 {
		t.Errorf("%s shows %d digests, want %d", channel, len(got), were+1)
	}
	return got[were]
}

// wantSays checks that a message says things, and others not.
func wantSays(t *testing.T, m sandbox.Message, says ...string) {
	t.Helper()
	text := m.Text + " " + string(m.Blocks)
	for _, words := range says {
		if rest, not := strings.CutPrefix(words, "not: "); not == strings.Contains(text, rest) {
			t.Errorf("want %q in what is said:\n%s\n%s", words, m.Text, m.Blocks)
		}
	}
}

// A digest is made in Slack, comes when it is due, with its details in the thread, and next time tells what changed; a
// week without change is a silent one.
func TestDigestFromSlackToChannel(t *testing.T) {
	t.Parallel()
	m := newClockwork(t)
	id := m.add(t, sandbox.Patching, suite+" --at mon 09:00")

	m.to(t, "2026-11-30 09:05")
	first := m.next(t, sandbox.Patching, 0)
	wantSays(t, first, "Worth a look: "+called(suite), "first digest", "KB5000001", "KB5000002", "not: (late)")
	m.wantDetails(t, first, 1)

	m.records.settle(t, 1)
	m.software(apitest.KB{ID: "5000001", Name: "First", MachineMissedOn: 15, CVEAddressed: 3}, apitest.KB{ID: "5000003", Name: "Third", MachineMissedOn: 22, CVEAddressed: 9})
	m.to(t, "2026-12-07 09:05")
	second := m.next(t, sandbox.Patching, 1)
	wantSays(t, second, "Action required: "+called(suite), "1 new, 1 shrank and 1 closed", "KB5000003", "was on 7 devices", "from 40 to 15 devices", "not: first digest", "not: (late)")
	m.wantDetails(t, second, 1)

	m.records.settle(t, 2)
	m.to(t, "2026-12-14 09:05")
	m.records.settle(t, 3)
	if n := len(m.digests(sandbox.Patching)); n != 2 {
		t.Errorf("%d digests, want 2: nothing has changed", n)
	}
	m.tell(t, sandbox.Patching, "digest remove "+id+" --yes")
	m.to(t, "2026-12-21 09:05")
	if got := m.tell(t, sandbox.Patching, "digest list"); strings.Contains(got.Text, id) {
		t.Errorf("the list still has %s: %s", id, got.Text)
	}
	if n := len(m.digests(sandbox.Patching)); n != 2 {
		t.Errorf("%d digests, want 2: it was removed", n)
	}
}

// wantDetails waits for the messages of a digest's thread.
func (m *clockwork) wantDetails(t *testing.T, digest sandbox.Message, replies int) {
	t.Helper()
	var got []sandbox.Message
	err := m.slack.Wait(patiently(t), func() bool {
		got = m.public(digest.Channel, func(a sandbox.Message) bool { return a.ThreadTS == digest.TS && a.TS != digest.TS })
		return len(got) >= replies
	})
	if err != nil || len(got) != replies {
		t.Fatalf("%d replies, want %d: %v", len(got), replies, err)
	}
	wantSays(t, got[0], "Details: "+called(suite), "KB5000001")
}

// While the program is stopped three digests become due. One comes, and says that it is late.
func TestDowntimeMakesOneLateDigest(t *testing.T) {
	t.Parallel()
	m := newClockwork(t)
	m.add(t, sandbox.Patching, suite+" --at daily 09:00 --quiet always")
	m.to(t, "2026-11-24 09:05")
	m.next(t, sandbox.Patching, 0)
	m.records.settle(t, 1)

	m.stop(t)
	m.to(t, "2026-11-27 13:00")
	m.run(t)
	late := m.next(t, sandbox.Patching, 1)
	wantSays(t, late, "(late)", "due 27 Nov 09:00, sent 4 h later")
	m.records.settle(t, 2)

	m.to(t, "2026-11-28 09:01")
	wantSays(t, m.next(t, sandbox.Patching, 2), "not: (late)")
	m.records.settle(t, 3)
}

// A digest that is run again and again says each time what came of it, and says it where it is shown.
func TestDigestRunFiveTimes(t *testing.T) {
	t.Parallel()
	m := newClockwork(t)
	id := m.add(t, sandbox.Patching, suite+" --at mon 09:00")
	read := 0
	for i := range 5 {
		m.slack.Advance(time.Minute)
		before := m.defender.Count("/api/Software/" + suite)
		got := m.tell(t, sandbox.Patching, "digest run "+id)
		m.records.settle(t, i+1)
		if strings.Contains(title(got), "being made") { // this machine is slow
			got = m.tell(t, sandbox.Patching, "digest run "+id)
		}
		if i == 0 {
			wantSays(t, got, "It is in its channel.", "Read from Defender")
			continue
		}
		wantSays(t, got, "Nothing has changed, so nothing was posted", "was still fresh and was used again")
		read += m.defender.Count("/api/Software/"+suite) - before
	}
	if n := len(m.digests(sandbox.Patching)); n != 1 || read != 0 {
		t.Errorf("%d digests and %d further readings, want one digest and its reading", n, read)
	}
	wantSays(t, m.tell(t, sandbox.Patching, "digest show "+id), "run by hand", "first digest, posted", "nothing changed, not posted; the reading of")
}
