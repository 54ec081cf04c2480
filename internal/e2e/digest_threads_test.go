package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// killing stands between the processes of a test and Slack, and says when the next one is to be killed: as soon as a post
// of the kind that is hunted has got to the step that is hunted.
type killing struct {
	mu      sync.Mutex
	details bool // kill at a message of a thread, not at a digest
	at      stop
	hit     chan struct{}   // closed then; nil while nothing is hunted
	owed    map[string]bool // threads that a kill has left incomplete, by their first message
}

func (k *killing) stops(p postCall) stop {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hit == nil || p.details != k.details || !p.details && p.subscription == "" {
		return pass
	}
	close(k.hit)
	k.hit = nil
	if p.details {
		k.owed[p.thread] = true
	}
	return k.at
}

// hunt says what to kill the next process at.
func (k *killing) hunt(details bool, at stop) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.details, k.at, k.hit = details, at, make(chan struct{})
	return k.hit
}

// rescue gives the jobs of a process that was killed to the next one, as the queue does after seventy seconds.
func (r *records) rescue(tb testing.TB) {
	tb.Helper()
	r.exec(tb, "UPDATE river_job SET state = 'available', scheduled_at = '2020-01-01 00:00:00' WHERE kind = 'digest' AND state IN ('running', 'retryable', 'scheduled', 'available')")
}

// forty subscribes the rooms to forty digests that are due at once, of which some have threads of two messages. It
// returns how many messages the thread of each takes.
func (r *records) forty(t *testing.T, w *world) map[string]int {
	t.Helper()
	const wide = "microsoft-_-wide" // one table does not hold its rows
	var kbs []apitest.KB
	for i := range 120 {
		kbs = append(kbs, apitest.KB{ID: strconv.Itoa(5100000 + i), Name: "2026-11 Cumulative Update", OSBuild: 22631, MachineMissedOn: 1 + i, CVEAddressed: 1})
	}
	w.defender.PutSoftware(apitest.Software{ID: wide, Name: "wide", Vendor: "microsoft", Weaknesses: 1, ExposedMachines: 120}, kbs...)
	channels := slices.Sorted(maps.Keys(rooms()))
	want := map[string]int{}
	for i := range 40 {
		id, software := fmt.Sprint("a", i), windows11
		if want[id] = 1; i%4 == 0 {
			want[id], software = 2, wide
		}
		r.subscribe(t, due(id, channels[i%len(channels)], software))
	}
	return want
}

// threads counts the messages of each digest's thread, and checks that each says its part once.
func (w *world) threads(t *testing.T) map[string]int {
	t.Helper()
	digests, parts, n := map[string]string{}, map[string]bool{}, map[string]int{}
	for channel, reader := range rooms() {
		all := w.slack.Messages(channel, reader)
		for _, m := range all {
			if key := keyOf(m.Metadata); key != "" {
				digests[channel+m.TS] = subscriptionOf(key)
				n[subscriptionOf(key)] += 0
			}
		}
		for _, m := range all {
			var part struct {
				EventPayload struct{ Part int } `json:"event_payload"`
			}
			if m.ThreadTS == "" || json.Unmarshal(m.Metadata, &part) != nil {
				continue
			}
			id := digests[channel+m.ThreadTS]
			name := fmt.Sprint(id, " part ", part.EventPayload.Part)
			if n[id]++; parts[name] || part.EventPayload.Part == 0 {
				t.Errorf("%s stands twice in a thread, or is none", name)
			}
			parts[name] = true
		}
	}
	return n
}

// Twenty processes are killed over forty digests, most of them between a digest and its thread. No digest comes twice,
// none is missing, and each has its whole thread, every message of it once.
func TestKilledTwentyTimes(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const kills = 20
			w, r := digestStage(t, sandbox.Options{}), open(t)
			want := r.forty(t, w)
			k := &killing{owed: map[string]bool{}}
			settings := map[string]string{"DATABASE_URL": r.url, "SLACK_API_URL": newGate(t, w, k.stops).apiURL()}
			steps := []struct {
				details bool
				at      stop
			}{{true, beforePost}, {true, beforeAnswer}, {true, beforePost}, {false, beforeAnswer}, {false, beforePost}}
			for i := range kills {
				step := steps[i%len(steps)]
				hit := k.hunt(step.details, step.at)
				w.start(t, settings)
				select {
				case <-hit:
				case <-patiently(t).Done():
					t.Fatalf("kill %d: no post got to %+v; the jobs are %v", i+1, step, r.jobs(t))
				}
				w.kill(t)
				r.rescue(t)
			}
			w.start(t, settings)
			r.settle(t, len(want))
			heads := map[string]int{}
			for id := range want {
				heads[id] = 1
			}
			if diff := cmp.Diff(heads, w.posted()); diff != "" {
				t.Errorf("digests in channels (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, w.threads(t)); diff != "" {
				t.Errorf("messages in their threads (-want +got):\n%s", diff)
			}
			r.wantRecorded(t, want)
			r.wantThreads(t, want, digest.ThreadWhole)
			wantLateThreads(t, w.log.String(), k.owed)
		})
	}
}

// wantLateThreads checks that the log tells of each thread that a crash has put off, so that it can be seen that nothing
// was lost. How many they are depends on which digest comes first after a kill.
func wantLateThreads(t *testing.T, log string, owed map[string]bool) {
	t.Helper()
	if len(owed) == 0 {
		t.Error("no thread was cut off")
	}
	for thread := range owed {
		line := regexp.MustCompile(`"completed the thread of a digest late".*"message":"` + regexp.QuoteMeta(thread) + `"`)
		if !line.MatchString(log) {
			t.Errorf("the log does not tell that the thread of %s was completed late", thread)
		}
	}
}

// wantThreads checks what is recorded of the threads of subscriptions' last deliveries.
func (r *records) wantThreads(t *testing.T, subscriptions map[string]int, want digest.Thread) {
	t.Helper()
	for id := range subscriptions {
		list, err := r.Deliveries(t.Context(), id, 1)
		if err != nil || len(list) != 1 || list[0].Thread != want {
			t.Errorf("%s: deliveries %+v, %v; want a thread that is %q", id, list, err, want)
		}
	}
}
