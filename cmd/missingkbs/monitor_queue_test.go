package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/bot"
)

func TestLineThatDoesNotMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waiting := 0
		l := line{load: func() bot.Load { return bot.Load{Waiting: waiting} }}
		look := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			got, err := l.look(t.Context())
			if err != nil || (want == "") != (got == "") || !strings.Contains(got, want) {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
		look(time.Hour, "") // nobody has asked yet
		waiting = 3
		look(30*time.Second, "")
		l.step()
		look(50*time.Second, "")
		look(20*time.Second, "3 questions wait, and none has been finished for 1m10s")
		l.step()
		look(time.Second, "")
		waiting = 0
		look(time.Hour, "")
		waiting = 1
		look(30*time.Second, "")
	})
}

// What is not looked at, or given up, says nothing of whether the line moves.
func TestLineMovesByWhatIsWorkedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMonitor()
		m.queue(func() bot.Load { return bot.Load{Waiting: 3} })
		for _, c := range []struct {
			outcome bot.Outcome
			moves   bool
		}{{bot.Busy, false}, {bot.Restarting, false}, {bot.Answered, true}, {bot.Failed, true}, {bot.Refused, true}, {bot.Lost, true}} {
			m.line.step()
			for range 5 {
				time.Sleep(20 * time.Second)
				m.question(t.Context(), bot.Observation{Outcome: c.outcome})
			}
			if got, _ := m.line.look(t.Context()); (got == "") != c.moves {
				t.Errorf("%s: %q", c.outcome, got)
			}
		}
	})
}
