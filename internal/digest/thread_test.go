package digest_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// What keeps a thread from being completed: what passes is tried again, the rest is recorded and told.
func TestThreadThatCannotBeCompleted(t *testing.T) {
	t.Parallel()
	later := digest.RetryLater{After: time.Minute}
	for name, tc := range map[string]struct {
		err     error
		last    bool          // attempt
		after   time.Duration // the digest
		thread  digest.Thread
		outcome digest.Outcome
		told    string // to the person who subscribed
		logged  string
	}{
		"a failure":              {err: errBroken, thread: digest.ThreadOwed, outcome: digest.OutcomeFailed},
		"the last failure":       {err: errBroken, last: true, thread: digest.ThreadRefused, outcome: digest.OutcomeIncomplete, told: "Slack refused it again and again", logged: "cannot be completed"},
		"a pause":                {err: later, last: true, thread: digest.ThreadOwed, outcome: digest.OutcomeFailed},
		"pauses for a day":       {err: later, after: 25 * time.Hour, thread: digest.ThreadRefused, outcome: digest.OutcomeIncomplete, told: "Slack refused it again and again", logged: "cannot be completed"},
		"the digest was deleted": {err: fmt.Errorf("x: %w", digest.ErrThreadGone), thread: digest.ThreadDeleted, outcome: digest.OutcomeSkipped, logged: "was deleted"},
		"the channel is gone":    {err: fmt.Errorf("x: %w", digest.ErrChannelGone), thread: digest.ThreadClosed, outcome: digest.OutcomeIncomplete, told: "can no longer post", logged: "cannot be completed"},
		"nothing":                {thread: digest.ThreadWhole, outcome: digest.OutcomeCompleted, logged: "completed the thread of a digest late"},
	} {
		inHouse(t, weekly(), func(h *house) {
			t := h.t
			var log bytes.Buffer
			h.Log = slog.New(slog.NewTextHandler(&log, nil))
			h.defender.rows = []patchgap.Row{seed()}
			h.slack.broken["Reply"] = errBroken
			job := h.next()
			if err := h.Work(t.Context(), job, 1); !errors.Is(err, errBroken) || h.outcomes() != "sent" {
				t.Errorf("%s: %v, %s; want the digest sent and its thread to be tried again", name, err, h.outcomes())
			}
			h.slack.broken["Reply"] = tc.err
			time.Sleep(tc.after)
			job.Last = tc.last
			err := h.Work(t.Context(), job, 2)
			if owed := tc.thread == digest.ThreadOwed; (err != nil) != owed {
				t.Errorf("%s: %v", name, err)
			}
			if got := h.store.deliveries[0].Thread; got != tc.thread || h.seen[1].Outcome != tc.outcome {
				t.Errorf("%s: recorded %q, observed %q; want %q, %q", name, got, h.seen[1].Outcome, tc.thread, tc.outcome)
			}
			if told := len(h.slack.told) == 1 && tc.told != "" && strings.Contains(h.slack.told[0].digest.Lead, tc.told); told != (tc.told != "") || len(h.slack.told) > 1 {
				t.Errorf("%s: told %+v, want %q", name, h.slack.told, tc.told)
			}
			if !strings.Contains(log.String(), tc.logged) {
				t.Errorf("%s: the log says\n%s\nwant %q", name, &log, tc.logged)
			}
			// The next digest comes whatever became of the thread.
			h.defender.rows = append(h.defender.rows, row(windows, "5074224", 20, 66))
			clear(h.slack.broken)
			h.week()
			if len(h.slack.posted) != 2 || h.slack.posted[1].thread != threadLength {
				t.Errorf("%s: %d digests", name, len(h.slack.posted))
			}
		})
	}
}
