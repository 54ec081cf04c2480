package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// A channel that takes no digests any more: whoever subscribed is told, after three the subscription pauses, and the
// others go on.
func TestChannelThatIsGone(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*sandbox.Workspace){
		"archived": func(w *sandbox.Workspace) { w.Archive(sandbox.Patching) },
		"kicked":   func(w *sandbox.Workspace) { w.Kick(sandbox.Patching, sandbox.BotUser) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newClockwork(t)
			id := m.add(t, sandbox.Patching, suite+" --at mon 09:00 --quiet always")
			m.add(t, sandbox.General, suite+" --at mon 09:00 --quiet always")
			m.to(t, "2026-11-30 09:05")
			m.next(t, sandbox.Patching, 0)
			m.next(t, sandbox.General, 0)
			m.records.settle(t, 2)

			leave(m.slack)
			for week, day := range []string{"2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28"} {
				m.to(t, day+" 09:05")
				m.next(t, sandbox.General, week+1)
				if week < 3 {
					told := m.next(t, sandbox.AliceDM, week)
					wantSays(t, told, id, sandbox.Patching, "could not be posted into its channel")
					if paused := title(told) == "A digest is paused"; paused != (week == 2) {
						t.Errorf("week %d: told %q", week+1, title(told))
					}
				}
				// The jobs of refused digests are ended for good.
				want := map[string]int{"completed": week + 3, "cancelled": min(week+1, 3)}
				eventually(t, func() (string, bool) {
					got := m.records.jobs(t)
					return fmt.Sprintf("jobs %v, want %v", got, want), cmp.Equal(got, want)
				})
			}
			if n := len(m.digests(sandbox.AliceDM)); n != 3 {
				t.Errorf("the owner was told %d times, want 3", n)
			}
			s, err := m.records.Subscription(t.Context(), id)
			if err != nil || !s.Paused || s.PauseReason == "" {
				t.Errorf("subscription %+v, %v; want it paused, with a reason", s, err)
			}
		})
	}
}

// When nothing can be read, one message says so, and is not repeated; the digest follows when Defender is back.
func TestDefenderIsDown(t *testing.T) {
	t.Parallel()
	m := newClockwork(t)
	id := m.add(t, sandbox.Patching, suite+" "+edge+" --at mon 09:00")
	heal := m.defender.Inject(apitest.Fault{Status: 503, RetryAfter: time.Millisecond})
	m.to(t, "2026-11-30 09:05")
	for len(m.digests(sandbox.Patching)) == 0 { // short failures are not told
		m.tryAgain(t)
	}
	wantSays(t, m.next(t, sandbox.Patching, 0), "Could not tell: ", suite, "Nothing could be read from Defender", "not: No missing updates", "not: Clean")

	// Every half an hour it is tried again, without a word.
	for range 2 {
		m.slack.Advance(31 * time.Minute)
		m.tryAgain(t)
	}
	if n := len(m.digests(sandbox.Patching)); n != 1 {
		t.Errorf("%d messages, want one: the same failure is not repeated", n)
	}
	heal()
	m.tryAgain(t)
	wantSays(t, m.next(t, sandbox.Patching, 1), "(late)", "first digest", "KB5000001")
	m.records.settle(t, 1)
	list, err := m.records.Deliveries(t.Context(), id, 10)
	if err != nil || len(list) != 2 || list[0].Kind != digest.First || list[1].Kind != digest.Failed {
		t.Errorf("deliveries %+v, %v; want a failed one and then a first one", list, err)
	}
}

// tryAgain ends the pause of the one digest that waits, and waits until it has been tried again.
func (m *clockwork) tryAgain(t *testing.T) {
	t.Helper()
	calls := m.defender.Count("")
	eventually(t, func() (string, bool) {
		jobs := m.records.jobs(t)
		tried := m.defender.Count("") > calls
		if !tried {
			m.records.hurry(t) // again: an attempt may just have ended
		}
		rests := jobs["retryable"]+jobs["scheduled"]+jobs["completed"] == 1
		return fmt.Sprintf("nothing came of it; the jobs are %v\n%s", jobs, m.log), rests && tried
	})
}

// Software that cannot be read is named, and what is missing of it is neither closed nor zero.
func TestOneSoftwareIsUnreadable(t *testing.T) {
	t.Parallel()
	m := newClockwork(t)
	id := m.add(t, sandbox.Patching, suite+" "+edge+" --at mon 09:00")
	m.to(t, "2026-11-30 09:05")
	m.next(t, sandbox.Patching, 0)
	m.records.settle(t, 1)
	before := m.totals(t, id)

	heal := m.defender.Inject(apitest.Fault{Path: "/api/Software/" + suite, Status: 500, Code: "InternalError", RetryAfter: time.Millisecond})
	m.to(t, "2026-12-07 09:05")
	unsure := m.next(t, sandbox.Patching, 1)
	wantSays(t, unsure, "Could not read", suite, "in what could be read", "it is not counted", "not: On track", "not: Clean", "not: was on 40 devices")
	m.records.settle(t, 2)

	heal()
	m.to(t, "2026-12-14 09:05")
	m.records.settle(t, 3)
	if got := m.totals(t, id); got.KBs < before.KBs {
		t.Errorf("totals %+v after all could be read again, want no fewer updates than in %+v", got, before)
	}
	for _, a := range m.digests(sandbox.Patching)[2:] {
		wantSays(t, a, "not: KB5000001 ("+suite+"): 40 devices", "not: last seen")
	}
}

// totals are those of a subscription's last delivery.
func (m *clockwork) totals(t *testing.T, id string) patchgap.Totals {
	t.Helper()
	list, err := m.records.Deliveries(t.Context(), id, 1)
	if err != nil || len(list) != 1 {
		t.Fatalf("deliveries %+v, %v", list, err)
	}
	return list[0].Totals
}
