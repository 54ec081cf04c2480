package digest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Each attempt at a digest is observed once, with what became of it.
func TestObserve(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.defender.rows = []patchgap.Row{seed()}
		h.week()
		h.week() // silent, for nothing has changed
		if o := h.seen[0]; o.Subscription.ID != "7" || o.Kind != digest.First || o.Attempt != 1 || o.Err != nil || o.AsOf.IsZero() || o.Job.Due.IsZero() {
			t.Errorf("observed %+v", o)
		}
		h.defender.broken["Snapshot"] = errBroken
		job := h.next()
		for attempt := 1; attempt <= 4; attempt++ { // the fourth is told
			_ = h.Work(t.Context(), job, attempt)
		}
		if o := h.seen[2]; !errors.Is(o.Err, errBroken) || o.Told {
			t.Errorf("observed %+v", o)
		}
		clear(h.defender.broken)
		time.Sleep(5 * time.Hour)
		h.defender.rows = []patchgap.Row{row(edge, "5074224", 20, 66)}
		_ = h.Work(t.Context(), job, 5)
		_ = h.Work(t.Context(), job, 6) // once more, though it is there
		_ = h.Work(t.Context(), digest.Job{Subscription: "8", Due: job.Due}, 1)
		const want = "sent, silent, failed, failed, failed, failed told, sent late, skipped, skipped"
		if got := h.outcomes(); got != want {
			t.Errorf("observed %s\nwant     %s", got, want)
		}
		if o := h.seen[len(h.seen)-1]; o.Subscription.ID != "8" || o.Job.Subscription != "8" {
			t.Errorf("observed %+v, want the id that was asked for", o)
		}
	})
}

func TestObserveRefusals(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.slack.broken["Post"] = digest.ErrChannelGone
		for n := range 3 {
			h.defender.rows = []patchgap.Row{row(edge, "5074224", 20+10*n, 66)}
			_ = h.Work(t.Context(), h.next(), 1)
		}
		if got, want := h.outcomes(), "refused, refused, paused"; got != want {
			t.Errorf("observed %s, want %s", got, want)
		}
		if s := h.seen[2].Subscription; !s.Paused || s.PauseReason == "" {
			t.Errorf("observed %+v, want why it is paused", s)
		}
	})
}

// A crash between the audit of a pause and its record must not write the audit twice.
func TestPauseIsAuditedOnce(t *testing.T) {
	t.Parallel()
	inHouse(t, weekly(), func(h *house) {
		t := h.t
		h.slack.broken["Post"] = digest.ErrChannelGone
		for range 2 {
			_ = h.Work(t.Context(), h.next(), 1)
		}
		h.store.broken["Record"] = errBroken
		job := h.next()
		_ = h.Work(t.Context(), job, 1)
		clear(h.store.broken)
		_ = h.Work(t.Context(), job, 2)
		if a := h.store.audits; len(a) != 2 || a[0].ID == "" || a[0].ID != a[1].ID {
			t.Errorf("audits %+v, want two of one id", a)
		}
	})
}
