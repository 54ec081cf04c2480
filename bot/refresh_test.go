package bot

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/bot/socketmode"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/view"
)

// briskTiming is the timing of tests with real connections: what takes seconds with Slack takes milliseconds.
func briskTiming() socketmode.Timing {
	t := socketmode.SlackTiming()
	t.MinInterval, t.MaxInterval, t.ShortLife = 5*time.Millisecond, 20*time.Millisecond, time.Millisecond
	t.DisconnectGrace = 50 * time.Millisecond
	return t
}

// connected is a bot on a sandbox, by real connections.
type connected struct {
	*sandbox.Workspace
	tokens  *slackapi.Tokens
	health  *socketmode.Health
	sockets *socketmode.Connections
	stop    func() error
}

func connect(t *testing.T, a answers, o Options, timing socketmode.Timing) *connected {
	t.Helper()
	w, err := sandbox.Start(sandbox.Options{Command: "/missingkbs", Warning: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	c := &connected{Workspace: w, tokens: slackapi.NewTokens(w.AppToken(), w.BotToken()), health: socketmode.NewHealth()}
	o.Health = c.health
	config := slackapi.Config{Tokens: c.tokens, APIURL: w.APIURL(), HTTP: &http.Client{Timeout: slackapi.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}}.WithDefaults()
	web := config.Client()
	o.Gate = access.NewGate(access.NewDirectory(web), slackapi.Workspace{TeamID: sandbox.TeamID, UserID: sandbox.BotUser}, access.Options{})
	o = o.withDefaults()
	so := socketOptions(o)
	so.Timing = timing
	c.sockets = socketmode.New(config, so)
	b := newBot(a, c.sockets, slackapi.NewWebhook(config.HTTPClient(), w.APIURL()), o)
	b.screens = web
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, b, config, c.sockets) }()
	c.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := c.stop(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	c.opened(t, int64(o.Sockets))
	return c
}

// until waits for something that happens at once, but in another goroutine.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := slacktest.Soon(t)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("this did not happen: %s", what)
		}
	}
}

// opened waits until so many connections were opened, and all sockets have one.
func (c *connected) opened(t *testing.T, n int64) {
	t.Helper()
	until(t, fmt.Sprintf("%d connections opened, all sockets connected", n), func() bool {
		var sum int64
		for _, s := range c.health.Sockets() {
			if s.Connected.IsZero() {
				return false
			}
			sum += s.Opened
		}
		return sum >= n
	})
}

// typist types a command every 20 ms.
type typist struct {
	c       *connected
	running sync.WaitGroup
	mu      sync.Mutex
	sent    map[string]sockets.Dispatch // by the words typed
	read    map[string]int              // how often the bot was asked
}

func (y *typist) answer(ctx context.Context, req commands.Request) (view.Page, error) {
	y.mu.Lock()
	y.read[strings.Join(req.Words, " ")]++
	n := len(y.read)
	y.mu.Unlock()
	// Some answers are ready for the acknowledgement, some come while it is still waited for, some later.
	return slow(time.Duration(n%4)*15*time.Millisecond)(ctx, req)
}

// asked is how many questions the bot has seen.
func (y *typist) asked() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.read)
}

// noneWaits reports whether the bot has seen all questions that it acknowledged.
func (y *typist) noneWaits() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	for words, d := range y.sent {
		if d.Acked && y.read[words] == 0 {
			return false
		}
	}
	return true
}

// typeUntil types until done is closed, and waits for all deliveries.
func (y *typist) typeUntil(t *testing.T, done <-chan struct{}) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-done:
			y.running.Wait()
			return
		case <-tick.C:
		}
		y.running.Go(func() {
			words := fmt.Sprintf("question-%d", n)
			d, err := y.c.Command(context.WithoutCancel(t.Context()), sandbox.Alice, sandbox.General, "/missingkbs "+words)
			if err != nil {
				t.Errorf("%s: %v", words, err)
			}
			y.mu.Lock()
			defer y.mu.Unlock()
			y.sent[words] = d
		})
	}
}

// answersTo counts the answers that Alice sees, by the words typed.
func (c *connected) answersTo() map[string]int {
	got := map[string]int{}
	for _, m := range c.Messages(sandbox.General, sandbox.Alice) {
		if words, ok := strings.CutPrefix(strings.SplitN(m.Text, "\n", 2)[0], "answer to "); ok {
			got[words]++
		}
	}
	return got
}

// Through ten refreshes every question is answered, and none twice.
//
// The cases run one after another, alone: what they measure is whether three seconds suffice.
func TestRefreshLeavesNoGap(t *testing.T) { //nolint:paralleltest // see above
	for name, refresh := range map[string]func(*sandbox.Workspace) bool{
		"refresh_requested": func(w *sandbox.Workspace) bool { return w.DisconnectOne("refresh_requested") },
		"warning":           func(w *sandbox.Workspace) bool { return w.DisconnectOne("warning") },
		"warning, 1 socket": func(w *sandbox.Workspace) bool { return w.DisconnectOne("warning") },
		"cut":               (*sandbox.Workspace).DropOne,
	} {
		t.Run(name, func(t *testing.T) {
			y := &typist{sent: map[string]sockets.Dispatch{}, read: map[string]int{}}
			// One person types all of it here, faster than anybody is meant to.
			o := Options{AckAfter: 30 * time.Millisecond, Sockets: 2, PersonWaits: 1000}
			switch name {
			case "warning, 1 socket":
				o.Sockets = 1
			case "cut":
				// An answer in an acknowledgement that was shown, and whose receipt was cut off, comes twice: that is
				// the price of the answers that were not shown. See TestAnswersThatAreLostWithTheirConnection.
				o.AckAfter = time.Nanosecond
			}
			y.c = connect(t, y.answer, o, briskTiming())
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := range 10 {
					if !refresh(y.c.Workspace) {
						t.Error("there was no connection to refresh")
						return
					}
					y.c.opened(t, int64(o.Sockets+1+i))
					asked := y.asked()
					until(t, "three more questions", func() bool { return y.asked() >= asked+3 })
				}
			}()
			y.typeUntil(t, done)
			until(t, "a look at all questions", y.noneWaits) // the stop would refuse those that still wait for their turn
			if err := y.c.stop(); err != nil {
				t.Error(err)
			}
			y.check(t, name == "cut")
		})
	}
}

// check looks at what became of each question. A cut network may lose one before the bot has seen it, as long as Slack
// tells who asked.
func (y *typist) check(t *testing.T, lossy bool) {
	t.Helper()
	answers := y.c.answersTo()
	for words, d := range y.sent {
		lost := lossy && y.read[words] == 0 && d.Err == sockets.NoAck
		if lost {
			continue
		}
		if d.Err != "" || answers[words] != 1 || y.read[words] != 1 {
			t.Errorf("%s: delivery %+v, read %d times, %d answers; want one", words, d, y.read[words], answers[words])
		}
	}
	if len(y.sent) < 30 {
		t.Errorf("only %d questions were asked", len(y.sent))
	}
}

// Slack does not put together what comes in several frames: the largest acknowledgement leaves in one.
func TestLargeAcksLeaveInOneFrame(t *testing.T) {
	t.Parallel()
	c := connect(t, func(context.Context, commands.Request) (view.Page, error) {
		p := view.Page{Title: "long"}
		for range 20 {
			p.Parts = append(p.Parts, view.Facts{{Name: "name", Value: strings.Repeat("x", 200)}})
		}
		return p, nil
	}, Options{}, briskTiming())
	d, err := c.Command(slacktest.Soon(t), sandbox.Alice, sandbox.General, "/missingkbs x")
	if err != nil || d.Err != "" || len(d.AckPayload) < 9_000 {
		t.Errorf("delivery %v, %q, %d bytes in the acknowledgement; want 9,000 at least", err, d.Err, len(d.AckPayload))
	}
}
