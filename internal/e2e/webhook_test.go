package e2e

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

var hookSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))

// hookRequest is one attempt to send an event, as the receiver sees it.
type hookRequest struct {
	id, body string
	verified error
}

// hookEvent is the part of an event's body that the tests look at.
type hookEvent struct {
	Type string
	Data struct {
		Digest                    string
		New, Grew, Shrank, Closed []hookUpdate
	}
}

type hookUpdate struct {
	KB      string
	Devices int
	Before  int `json:"devices_before"`
}

// eventHook is a ticket system on this machine: it takes signed events.
type eventHook struct {
	*httptest.Server
	verifier *standardwebhooks.Webhook

	mu     sync.Mutex
	got    []hookRequest
	answer func(attempt int) int // the status of an answer; may block
}

func newEventHook(t *testing.T, answer func(attempt int) int) *eventHook {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	h := &eventHook{verifier: verifier, answer: answer}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = h.verifier.Verify(body, r.Header)
		}
		h.mu.Lock()
		h.got = append(h.got, hookRequest{r.Header.Get("webhook-id"), string(body), err})
		attempt := len(h.got)
		h.mu.Unlock()
		w.WriteHeader(h.answer(attempt))
	}))
	t.Cleanup(h.Close)
	return h
}

// requests are the attempts so far.
func (h *eventHook) requests() []hookRequest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

// wait waits for so many attempts. Where pauses are to be ended, it ends each: an attempt is over a moment after the
// receiver has answered it.
func (h *eventHook) wait(t *testing.T, n int, hurry ...*records) []hookRequest {
	t.Helper()
	eventually(t, func() (string, bool) {
		if len(h.requests()) >= n {
			return "", true
		}
		for _, r := range hurry {
			r.hurryEvents(t)
		}
		return "the receiver waits for an event", false
	})
	return h.requests()
}

// settings are those of a program that sends its events to the hook.
func (h *eventHook) settings(t *testing.T, w *world, r *records) map[string]string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "certs.pem")
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})
	if err := os.WriteFile(file, slices.Concat(w.defender.CertPEM(), own), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"DATABASE_URL": r.url, "SSL_CERT_FILE": file, "MISSINGKBS_CACHE_TTL": "0",
		"MISSINGKBS_WEBHOOK_URL": h.URL, "MISSINGKBS_WEBHOOK_SECRET": hookSecret, "MISSINGKBS_WEBHOOK_PRIVATE": "on",
	}
}

// hurryEvents ends the pauses after which events are sent again.
func (r *records) hurryEvents(t *testing.T) {
	t.Helper()
	r.exec(t, "UPDATE river_job SET state = 'available', scheduled_at = '2020-01-01 00:00:00' WHERE kind = 'event' AND state IN ('retryable', 'scheduled')")
}

const hooked = "contoso-_-app"

// lacks makes devices lack updates of the software that the tests of the webhook watch.
func (w *world) lacks(devices map[string]int) {
	var kbs []apitest.KB
	for kb, n := range devices {
		kbs = append(kbs, apitest.KB{ID: kb, Name: "Update " + kb, MachineMissedOn: n, CVEAddressed: 1})
	}
	w.defender.PutSoftware(apitest.Software{ID: hooked, Name: "app", Vendor: "contoso", ExposedMachines: 9}, kbs...)
}

// runDigest makes the digest of the tests anew, by hand and in another process: that has no reading in memory.
func (w *world) runDigest(t *testing.T, settings map[string]string) {
	t.Helper()
	w.sendTerm(t)
	if err := w.slack.Wait(soon(t), func() bool { return w.slack.Connections() == 0 }); err != nil {
		t.Fatal(err) // a command on the connection of the old process would be lost
	}
	w.start(t, settings)
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	if m := w.ask(t, "digest run a1"); strings.Contains(m.Text, "failed") {
		t.Fatal(m.Text)
	}
}

// What a digest finds new, grown, shrunk and closed goes to the receiver in one signed event. Its failure delays the event; the
// attempt after it is the same.
func TestWebhookThroughServe(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w := open(t), digestStage(t, sandbox.Options{})
			h := newEventHook(t, func(attempt int) int {
				if attempt == 1 {
					return http.StatusServiceUnavailable
				}
				return http.StatusNoContent
			})
			w.lacks(map[string]int{"5000001": 4, "5000002": 9, "5000003": 5})
			r.subscribe(t, due("a1", sandbox.General, hooked))
			settings := h.settings(t, w, r)
			w.start(t, settings)
			r.settle(t, 1)
			w.lacks(map[string]int{"5000001": 6, "5000002": 2, "5000004": 7})
			w.runDigest(t, settings)
			h.wait(t, 1)
			got := h.wait(t, 2, r)
			if got[1] != got[0] {
				t.Errorf("the second attempt is\n%+v, the first\n%+v", got[1], got[0])
			}
			h.wantEvents(t, map[string]string{"new": "KB5000004 0>7", "grew": "KB5000001 4>6", "shrank": "KB5000002 9>2", "closed": "KB5000003 5>0"})
		})
	}
}

// wantEvents checks that all attempts are signed and of one event, and what it says.
func (h *eventHook) wantEvents(t *testing.T, want map[string]string) {
	t.Helper()
	var e hookEvent
	for _, g := range h.requests() {
		if g.verified != nil || g.id == "" || g.id != h.requests()[0].id {
			t.Errorf("event %q, signature %v", g.id, g.verified)
		}
		if err := json.Unmarshal([]byte(g.body), &e); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for list, updates := range map[string][]hookUpdate{"new": e.Data.New, "grew": e.Data.Grew, "shrank": e.Data.Shrank, "closed": e.Data.Closed} {
		for _, u := range updates {
			got[list] += fmt.Sprintf("%s %d>%d", u.KB, u.Before, u.Devices)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || e.Type != "digest.changed" || e.Data.Digest != "a1" {
		t.Errorf("%s of digest %s (-want +got):\n%s", e.Type, e.Data.Digest, diff)
	}
}

// A process that is killed while the receiver has its event and has not answered loses nothing: the next process sends the
// very same event, with the id by which the receiver knows it.
func TestKilledWhileAnEventIsSent(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w := open(t), digestStage(t, sandbox.Options{})
			killed := make(chan struct{})
			h := newEventHook(t, func(attempt int) int {
				if attempt == 1 {
					<-killed
				}
				return http.StatusOK
			})
			w.lacks(map[string]int{"5000001": 4})
			r.subscribe(t, due("a1", sandbox.General, hooked))
			settings := h.settings(t, w, r)
			w.start(t, settings)
			r.settle(t, 1)
			w.lacks(map[string]int{"5000001": 6})
			w.runDigest(t, settings)
			h.wait(t, 1)
			r.settle(t, 2) // the digest is recorded and in its channel
			w.kill(t)
			close(killed)
			w.replica(t, settings)
			r.rescueEvents(t)
			h.wait(t, 2)
			eventually(t, func() (string, bool) { states := r.events(t); return "the events are " + states, states == "completed" })
			h.wantEvents(t, map[string]string{"grew": "KB5000001 4>6"})
			if n := len(h.requests()); n != 2 {
				t.Errorf("%d attempts, want the one that was cut off and one more", n)
			}
		})
	}
}

// rescueEvents makes events that a killed process was sending old enough to be taken away, as [records.age] does with digests.
func (r *records) rescueEvents(t *testing.T) {
	t.Helper()
	r.exec(t, "UPDATE river_job SET attempted_at = '2020-01-01 00:00:00' WHERE state = 'running' AND kind = 'event'")
	r.exec(t, "DELETE FROM river_leader")
}

// events are the states of the events in the queue.
func (r *records) events(t *testing.T) string {
	t.Helper()
	rows, err := r.sql.QueryContext(patiently(t), "SELECT state FROM river_job WHERE kind = 'event' ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var states []string
	for rows.Next() {
		var state string
		if err := rows.Scan(&state); err != nil {
			t.Fatal(err)
		}
		states = append(states, state)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return strings.Join(states, ", ")
}
