package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// by makes a typed question somebody's.
func by(user string, e socketmode.Event) socketmode.Event {
	cmd := e.Data.(slack.SlashCommand)
	cmd.UserID = user
	e.Data = cmd
	return e
}

// clicks is a click of somebody's, with a message along as Slack sends it.
func clicks(n int, user, line, message string) socketmode.Event {
	return interaction(n, fmt.Sprintf(`{"type":"block_actions","trigger_id":"t%d","response_url":"https://hooks.slack.com/r%d",
		"user":{"id":"%s","team_id":"T1"},"channel":{"id":"C0OWN"},"container":{"type":"message","is_ephemeral":true},"message":{"text":"%s"},
		"actions":[{"action_id":"run:1","value":"%s"}]}`, n, n, user, message, line))
}

// expectInAnyOrder is [expect] where things happen at the same time.
func (b *bench) expectInAnyOrder(t *testing.T, want ...string) {
	t.Helper()
	got := b.titles()
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

// told counts what was sent with a title.
func (b *bench) told(title string) (n int) {
	for _, line := range b.titles() {
		if strings.HasSuffix(line, " "+title) {
			n++
		}
	}
	return n
}

// observer keeps what it is told.
type observer struct {
	mu   sync.Mutex
	seen []Observation
}

func (o *observer) observe(_ context.Context, s Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, s)
}

// outcomes counts what became of questions, with the reason.
func (o *observer) outcomes() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := map[string]int{}
	for _, s := range o.seen {
		n[strings.TrimSpace(string(s.Outcome)+" "+s.Reason)]++
	}
	return n
}

// A command may ask the gate itself, such as who reads a channel. What it is refused is no failure of its own.
func TestWhatACommandIsRefusedIsARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSlack{}
		shared := slack.Channel{}
		shared.ID, shared.IsMember, shared.IsExtShared = "C0OWN", true, true
		gate := testGate(access.NewDirectory(slacktest.Conversation{Info: shared}))
		o := &observer{}
		b := startWith(t, f, answers(func(ctx context.Context, req commands.Request) (view.Page, error) {
			return view.Page{}, fmt.Errorf("check who may change digests: %w", gate.MayPost(ctx, req.User, req.Channel))
		}), Options{Gate: gate, Observe: o.observe})
		b.events <- typed(1, "digest add x")
		synctest.Wait()
		if diff := cmp.Diff(map[string]int{"refused shared_channel": 1}, o.outcomes()); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
		if n := b.bot.Stats().Failed; n != 0 {
			t.Errorf("%d failures counted", n)
		}
	})
}

// mumbling is a Slack that takes for ever to say who some people are, and in whose channels others join after a while.
type mumbling struct {
	*fakeSlack
	joined time.Duration
}

func (m mumbling) GetUserInfoContext(ctx context.Context, id string, o ...slack.GetUserInfoOption) (*slack.User, error) {
	if strings.HasPrefix(id, "USLOW") {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return m.fakeSlack.GetUserInfoContext(ctx, id, o...)
}

func (m mumbling) GetConversationInfoContext(ctx context.Context, in *slack.GetConversationInfoInput) (*slack.Channel, error) {
	c, err := m.fakeSlack.GetConversationInfoContext(ctx, in)
	if err == nil && m.joined > 0 && time.Since(m.began) >= m.joined {
		c.IsExtShared = true
	}
	return c, err
}

// Whose question is given up while Slack does not say who that is hears that the bot is busy or stops, and of no refusal.
func TestGivenUpBeforeTheGateIsNoRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, o := &fakeSlack{began: time.Now()}, &observer{}
		b := startWith(t, f, answers(echo), Options{Workers: 2, Grace: time.Second, Gate: testGate(access.NewDirectory(mumbling{fakeSlack: f})), Observe: o.observe})
		b.events <- by("USLOW1", typed(1, "x"))
		time.Sleep(10 * time.Millisecond)
		b.events <- by("USLOW2", typed(2, "y"))
		time.Sleep(290 * time.Millisecond)
		b.events <- by("U1", typed(3, "z"))
		time.Sleep(time.Second)
		b.finish()
		b.expectInAnyOrder(t, "1.5s ack e1", "2.3s /r1 The bot is restarting", "300ms ack e2 Busy", "300ms ack e3 answer to z")
		if diff := cmp.Diff(map[string]int{"answered": 1, "busy slow": 1, "failed cancelled": 1}, o.outcomes()); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute)
	})
}

// Who reads a channel is asked again before something is posted that took long.
func TestSharingAsksAgainWhoReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, o := &fakeSlack{began: time.Now()}, &observer{}
		b := startWith(t, f, slow(5*time.Second), Options{Gate: testGate(access.NewDirectory(mumbling{fakeSlack: f, joined: 2 * time.Second})), Observe: o.observe})
		b.events <- clicked("share:1", "x", nil)
		time.Sleep(time.Minute)
		expect(t, b, "0s ack e1", "2.5s /r1 Still working on it… Your answer follows within 28 s.", "5s /r1 Not posted here")
		if diff := cmp.Diff(map[string]int{"refused shared_channel": 1}, o.outcomes()); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
	})
}

// Beyond the bounds people are told at once, with when to try again, and what waits is acknowledged in time.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observer
		b := start(t, slow(10*time.Second), Options{Workers: 1, Queue: 1, Timeout: time.Minute, Observe: o.observe})
		b.events <- by("UA", typed(1, "x"))
		b.events <- by("UB", typed(2, "y"))
		b.events <- by("UC", typed(3, "z")) // no room
		synctest.Wait()
		expect(t, b, "0s ack e3 Busy")
		time.Sleep(time.Minute)
		b.expectInAnyOrder(t, "0s ack e3 Busy", "1.5s ack e1", "1.5s ack e2", "10s /r1 answer to x", "20s /r2 answer to y",
			"2.5s /r1 Still working on it… Your answer follows within 58 s.",
			"2.5s /r2 Waiting behind the questions that are being answered, for at most 58 s; your answer follows.")
		b.events <- by("UC", typed(4, "z")) // there is room again
		time.Sleep(time.Minute)
		if got := b.bot.Stats(); got.Answered != 3 || got.Busy != 1 || got.Dropped != 0 {
			t.Errorf("stats %+v, want 3 answered and 1 busy", got)
		}
		if diff := cmp.Diff(map[string]int{"answered": 3, "busy full": 1}, o.outcomes()); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		if l := b.bot.Load(); l != (Load{Workers: 1, Queue: 1}) {
			t.Errorf("load at the end %+v", l)
		}
	})
}

// The time to try again goes by what questions took, and by how many there are.
func TestBusySaysWhenToTryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(10*time.Second), Options{Workers: 2, Queue: 5, Timeout: time.Minute})
		b.events <- by("UA", typed(0, "x"))
		time.Sleep(11 * time.Second)
		for n := range 8 {
			b.events <- by(fmt.Sprint("U", n), typed(n+1, fmt.Sprint("x", n)))
		}
		synctest.Wait()
		b.mu.Lock()
		got := b.log[len(b.log)-1].Message.Text
		b.mu.Unlock()
		if !strings.Contains(got, "Try again in about 30 seconds.") { // (5+1) × 10 s, two at once
			t.Errorf("told %q", got)
		}
		time.Sleep(2 * time.Minute)
	})
}

// One person who asks without end is told so, and holds up nobody else.
func TestOnePersonDoesNotStarveOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observer
		b := start(t, slow(time.Second), Options{Workers: 8, Queue: 1000, Observe: o.observe})
		for n := range 500 {
			b.events <- by("UGREEDY", typed(n, fmt.Sprint("x", n)))
		}
		b.events <- by("UMODEST", typed(1000, "modest"))
		time.Sleep(1100 * time.Millisecond)
		if got := b.told("answer to modest"); got != 1 {
			t.Errorf("the other person waits: %v", b.titles())
		}
		if got := b.told("Busy with your questions"); got != 500-personRuns-personWaits {
			t.Errorf("%d refusals, want all but %d running and %d waiting", got, personRuns, personWaits)
		}
		time.Sleep(time.Minute)
		want := map[string]int{"answered": personRuns + personWaits + 1, "busy person": 500 - personRuns - personWaits}
		if diff := cmp.Diff(want, o.outcomes()); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}

// depends answers quickly what does not need Defender, and after d what does.
func depends(d time.Duration) answers {
	return func(ctx context.Context, req commands.Request) (view.Page, error) {
		if strings.HasPrefix(req.Words[0], "slow") {
			return slow(d)(ctx, req)
		}
		return echo(ctx, req)
	}
}

// Many who wait for one software leave workers to others.
func TestOneSoftwareDoesNotStarveOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, depends(20*time.Second), Options{Workers: 8, Queue: 100})
		for n := range 50 {
			b.events <- by(fmt.Sprint("U", n), typed(n, "slow"))
		}
		synctest.Wait()
		if l := b.bot.Load(); l.Running != 2 { // a quarter
			t.Errorf("%d wait for the same", l.Running)
		}
		b.events <- by("UX", typed(100, "help"))
		synctest.Wait()
		expect(t, b, "0s ack e100 answer to help")
		time.Sleep(3 * time.Minute)
	})
}

// When Defender is slow for everybody, what needs it not is answered all the same: somebody who waits for Defender is
// told to try again, but no sooner than another needs the worker.
func TestASlowDefenderLeavesTheRestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observer
		b := start(t, depends(20*time.Second), Options{Workers: 8, Queue: 100, Observe: o.observe})
		for n := range 8 {
			b.events <- by(fmt.Sprint("U", n), typed(n, fmt.Sprint("slow", n)))
		}
		time.Sleep(time.Second)
		if l := b.bot.Load(); l.Running != 8 || l.Slow != 6 {
			t.Errorf("while nobody else asks: %+v, want all of them worked on", l)
		}
		b.events <- by("UX", typed(100, "help"))
		synctest.Wait()
		if got := b.told("answer to help"); got != 1 {
			t.Errorf("help waits: %v", b.titles())
		}
		b.events <- by("UX", typed(101, "help"))
		synctest.Wait()
		if got := b.told("answer to help"); got != 2 {
			t.Errorf("help waits: %v", b.titles())
		}
		if got := b.told("Busy"); got != 1 {
			t.Errorf("%d were given up, want 1 of 8: %v", got, b.titles())
		}
		if l := b.bot.Load(); l.Running != 7 || l.Slow != 6 || l.Waiting != 0 {
			t.Errorf("load %+v", l)
		}
		time.Sleep(time.Minute)
		if diff := cmp.Diff(map[string]int{"answered": 9, "busy slow": 1}, o.outcomes()); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
		if l := b.bot.Load(); l.Running != 0 || l.Slow != 0 {
			t.Errorf("load at the end %+v", l)
		}
	})
}

// A question that waited for longer than is useful is told so instead of being worked on.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observer
		var asked atomic.Int64
		b := start(t, func(ctx context.Context, req commands.Request) (view.Page, error) {
			asked.Add(1)
			return slow(2*time.Minute)(ctx, req)
		}, Options{Workers: 1, Queue: 10, Timeout: 3 * time.Minute, Observe: o.observe})
		b.events <- by("UA", typed(1, "x"))
		b.events <- by("UB", typed(2, "y"))
		b.events <- clicks(3, "UC", "z", "")
		time.Sleep(maxWait + time.Second)
		b.expectInAnyOrder(t, "0s ack e3", "1.5s ack e1", "1.5s ack e2", "1m0s /r2 Busy", "1m0s /r3 Busy",
			"2.5s /r1 Still working on it… Your answer follows within 178 s.",
			"2.5s /r2 Waiting behind the questions that are being answered, for at most 58 s; your answer follows.",
			"2.5s /r3 Waiting behind 1 question, for at most 58 s; your answer follows.")
		time.Sleep(5 * time.Minute)
		if n := asked.Load(); n != 1 {
			t.Errorf("%d questions were worked on, want 1", n)
		}
		if diff := cmp.Diff(map[string]int{"answered": 1, "busy waited": 2}, o.outcomes()); diff != "" {
			t.Errorf("outcomes (-want +got):\n%s", diff)
		}
	})
}

// Whoever types into a select is offered nothing rather than kept waiting, and in time.
func TestTypeaheadDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(10*time.Second), Options{Workers: 1, Queue: 10})
		b.events <- by("UA", typed(1, "x"))
		b.events <- interaction(2, fmt.Sprintf(typeJSON, "T1"))
		time.Sleep(1600 * time.Millisecond)
		var acks []string
		for _, s := range b.titles() {
			if strings.Contains(s, "ack e2") {
				acks = append(acks, s)
			}
		}
		if diff := cmp.Diff([]string{"1.5s ack e2"}, acks); diff != "" {
			t.Errorf("acknowledgements (-want +got):\n%s", diff)
		}
		time.Sleep(time.Minute)
	})
}

// What waits when the bot is told to stop is told that it restarts; what is worked on is finished.
func TestStopTellsThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, slow(3*time.Second), Options{Workers: 1, Queue: 10})
		b.events <- by("UA", typed(1, "x"))
		b.events <- by("UB", typed(2, "y"))
		b.events <- clicks(3, "UC", "z", "")
		time.Sleep(time.Second)
		b.finish()
		b.expectInAnyOrder(t, "0s ack e3", "1.5s ack e1", "1s /r3 The bot is restarting", "1s ack e2 The bot is restarting", "2.5s /r1 Still working on it… Your answer follows within 28 s.", "3s /r1 answer to x")
	})
}

// The reader of events must not wait, even when nothing gets out: a reader that stalls looks like a dead connection.
func TestReaderNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &stuck{}
		events := make(chan socketmode.Event)
		ctx, stop := context.WithCancel(t.Context())
		b := newBot(answers(echo), f, slackapi.NewWebhook(&http.Client{Transport: f}, ""), Options{Workers: 5, Queue: 10, Gate: testGate(access.NewDirectory(f))})
		ended := make(chan struct{})
		go func() { b.Serve(ctx, events); close(ended) }()
		began := time.Now()
		for n := range maxNotices + 1000 {
			events <- by(fmt.Sprint("U", n%100), typed(n, fmt.Sprint("x", n)))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("reading took %v", took)
		}
		synctest.Wait()
		// 5 are worked on, 10 wait, 16 refusals are under way, and so many wait; the rest is counted.
		if got := b.Stats(); got.Dropped != 1000-5-10-16 {
			t.Errorf("stats %+v, want %d dropped", got, 1000-5-10-16)
		}
		stop()
		<-ended
		time.Sleep(time.Minute) // what is under way ends by itself
		if got := b.Stats(); got.Dropped < maxNotices {
			t.Errorf("stats at the end %+v, want everything that was not sent among the dropped", got)
		}
	})
}

// Ten thousand clicks at once, each with a large message along, are all told what becomes of them, and hold little
// memory: what Slack sends along is not kept.
func TestTenThousandClicks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const n, people, message = 10_000, 500, 16 << 10
	release := make(chan struct{})
	var posts atomic.Int64
	f := &fakeSlack{began: time.Now()}
	hook := slackapi.NewWebhook(&http.Client{Transport: slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		if raw, err := io.ReadAll(r.Body); err == nil && !strings.Contains(string(raw), "answer follows") { // what they wait for is told besides
			posts.Add(1)
		}
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
	})}, "")
	hanging := func(ctx context.Context, _ commands.Request) (view.Page, error) {
		<-release
		return view.Page{Title: "answer"}, nil
	}
	var o observer
	b := newBot(answers(hanging), quiet{}, hook, Options{Gate: testGate(access.NewDirectory(f)), Observe: o.observe, Timeout: time.Hour})
	events := make(chan socketmode.Event)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { b.Serve(ctx, events); close(ended) }()

	before := heap()
	along := strings.Repeat("x", message)
	began := time.Now()
	for i := range n {
		events <- clicks(i, fmt.Sprint("U", i%people), fmt.Sprint("software-_-", i), along)
	}
	took, held := time.Since(began), heap()-before
	t.Logf("%d clicks of %d KiB read in %v: %.1f MiB held, %+v", n, message>>10, took, float64(held)/(1<<20), b.Load())
	if held > 24<<20 {
		t.Errorf("%d bytes are held", held)
	}
	close(release)
	for posts.Load() < n {
		select {
		case <-t.Context().Done():
			t.Fatalf("%d of %d clicks were answered: %+v", posts.Load(), n, b.Stats())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(began) > 2*time.Minute {
			t.Fatalf("%d of %d clicks were answered: %+v", posts.Load(), n, b.Stats())
		}
	}
	stop()
	<-ended
	if s := b.Stats(); s.Dropped != 0 || s.Answered+s.Busy < n {
		t.Errorf("stats %+v", s)
	}
	if total := func() (sum int) {
		for _, k := range o.outcomes() {
			sum += k
		}
		return sum
	}(); total != n {
		t.Errorf("%d clicks were observed: %v", total, o.outcomes())
	}
}

// quiet takes acknowledgements and forgets them.
type quiet struct{}

func (quiet) AckCtx(_ context.Context, _ string, payload any) error {
	_, err := json.Marshal(payload)
	return err
}

// heap is how much memory is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
