package monitor

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/bot"
)

func TestQueueThatDoesNotMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waiting := 0
		p := queueProgress{load: func() bot.Load { return bot.Load{Waiting: waiting} }}
		check := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			got, err := p.check(t.Context())
			if err != nil || (want == "") != (got == "") || !strings.Contains(got, want) {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
		check(time.Hour, "") // the first question is still to come
		waiting = 3
		check(30*time.Second, "")
		p.step()
		check(50*time.Second, "")
		check(20*time.Second, "3 questions wait, and none has been finished for 1m10s")
		p.step()
		check(time.Second, "")
		waiting = 0
		check(time.Hour, "")
		waiting = 1
		check(30*time.Second, "")
	})
}

// Rejected questions say nothing about whether the queue moves.
func TestQueueMovesByFinishedQuestions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := New("test", nil)
		observe := m.AddQueue(func() bot.Load { return bot.Load{Waiting: 3} })
		for _, c := range []struct {
			outcome bot.Outcome
			moves   bool
		}{{bot.Busy, false}, {bot.Restarting, false}, {bot.Answered, true}, {bot.Failed, true}, {bot.Refused, true}, {bot.Lost, true}} {
			observe(t.Context(), bot.Observation{Outcome: bot.Answered})
			for range 5 {
				time.Sleep(20 * time.Second)
				observe(t.Context(), bot.Observation{Outcome: c.outcome})
			}
			if moves := m.Parts.Ready(t.Context())[Queue]; moves != c.moves {
				t.Errorf("%s: the queue moves: %v", c.outcome, moves)
			}
		}
	})
}
