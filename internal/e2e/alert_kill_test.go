package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/between"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// alerts counts the messages of alerts, in the channel and below digests.
func (w *world) alerts() (inChannel, inThreads int) {
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Alice) {
		switch {
		case !strings.Contains(string(m.Metadata), `"alert/`):
		case m.ThreadTS != "" && m.ThreadTS != m.TS:
			inThreads++
		default:
			inChannel++
		}
	}
	return inChannel, inThreads
}

// A process that is killed while it tells an alert, before or after Slack has the message, leaves none untold and tells none
// twice: the message stands once in the thread of the last digest.
func TestKilledWhileTellingAnAlert(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		for _, at := range []stop{beforePost, beforeAnswer} {
			t.Run(name+" "+string(at), func(t *testing.T) {
				t.Parallel()
				r := open(t)
				w := digestStage(t, sandbox.Options{})
				g := newGate(t, w, func(p postCall) stop {
					if p.alert {
						return at
					}
					return pass
				})
				s := due("a1", sandbox.General, edge)
				s.Alert = digest.AlertExploited
				r.subscribe(t, s)
				w.start(t, map[string]string{"DATABASE_URL": r.url, "SLACK_API_URL": g.apiURL()})
				r.settle(t, 1)
				r.claim(t)
				g.wait(t, map[stop]int{at: 1})
				w.kill(t)
				if job := r.alertJob(t); job != "running 1" {
					t.Fatalf("the job of the alert is %q", job)
				}
				w.replica(t, map[string]string{"DATABASE_URL": r.url})
				r.exec(t, "UPDATE river_job SET attempted_at = '2020-01-01 00:00:00' WHERE state = 'running' AND kind = 'alert'")
				r.exec(t, "DELETE FROM river_leader")
				eventually(t, func() (string, bool) {
					job := r.alertJob(t)
					return "the job of the alert is " + job, strings.HasPrefix(job, "completed")
				})
				if inChannel, inThreads := w.alerts(); inChannel != 0 || inThreads != 1 {
					t.Errorf("%d messages in the channel and %d in threads, want one in the thread of the digest", inChannel, inThreads)
				}
			})
		}
	}
}

// claim makes an update news for the subscription a1, below its last digest.
func (r *records) claim(t *testing.T) {
	t.Helper()
	sent, err := r.Deliveries(patiently(t), "a1", 1)
	if err != nil || len(sent) != 1 || sent[0].Message == "" {
		t.Fatalf("the digest is %+v, %v", sent, err)
	}
	a := between.Alert{ID: "a1/0", Subscription: "a1", At: time.Now(), Thread: sent[0].Message}
	if _, err := r.ClaimAlert(patiently(t), a, false); err != nil { // the first look tells nothing
		t.Fatal(err)
	}
	a.ID = "a1/1"
	a.Items = []between.Item{{KB: "4540673", Software: []string{edge}, Devices: 240, Exploit: between.Exploit{By: "CISA", CVEs: []string{"CVE-2026-1"}}}}
	if n, err := r.ClaimAlert(patiently(t), a, false); err != nil || n != 1 {
		t.Fatalf("%d updates were claimed, %v", n, err)
	}
}

// alertJob is the state of the job of the one alert, and its attempts.
func (r *records) alertJob(t *testing.T) string {
	t.Helper()
	var state string
	var attempt int
	if err := r.sql.QueryRowContext(patiently(t), "SELECT state, attempt FROM river_job WHERE kind = 'alert'").Scan(&state, &attempt); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(state, " ", attempt)
}
