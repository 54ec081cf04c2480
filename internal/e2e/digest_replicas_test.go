package e2e

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// thirty subscribes all rooms to thirty digests that are due at once, about three software ids.
func (r *records) thirty(t *testing.T) (want map[string]int) {
	t.Helper()
	channels := slices.Sorted(maps.Keys(rooms()))
	watched := []string{edge, windows11, "microsoft-_-windows_10"}
	want = map[string]int{}
	for i := range 30 {
		id := fmt.Sprint("a", i)
		want[id] = 1
		r.subscribe(t, due(id, channels[i%len(channels)], watched[i%len(watched)]))
	}
	return want
}

// checkThirty checks what came of thirty digests that so many processes made.
func (w *world) checkThirty(t *testing.T, r *records, want map[string]int, processes int) {
	t.Helper()
	r.settle(t, len(want))
	if diff := cmp.Diff(want, w.posted()); diff != "" {
		t.Errorf("digests in channels (-want +got):\n%s", diff)
	}
	r.wantRecorded(t, want)
	// Each process asks once for each software, however many digests are about it.
	if n := w.defender.Count("/api/Software/"); n < 3 || n > 3*processes {
		t.Errorf("%d Defender calls for 30 digests about 3 software ids by %d processes, want 3 to %d", n, processes, 3*processes)
	}
	var booked int
	if err := r.sql.QueryRowContext(patiently(t), "SELECT hour_calls + hour_before FROM quotas").Scan(&booked); err != nil {
		t.Fatal(err)
	}
	if n := w.defender.Count("/api/"); booked < n {
		t.Errorf("%d calls were booked and %d made", booked, n)
	}
}

func TestTwoReplicasShareDigests(t *testing.T) {
	t.Parallel()
	r := databases()["PostgreSQL"](t)
	w := digestStage(t, sandbox.Options{})
	want := r.thirty(t)
	var mu sync.Mutex
	posts := map[int]int{} // by replica
	for replica := range 2 {
		g := newGate(t, w, func(p postCall) stop {
			// So that none has done all before the other is there.
			if err := w.slack.WaitConnected(patiently(t), 2); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if p.subscription != "" {
				posts[replica]++
			}
			return pass
		})
		w.replica(t, map[string]string{"DATABASE_URL": r.url, "SLACK_API_URL": g.apiURL()})
	}
	w.checkThirty(t, r, want, 2)
	mu.Lock()
	defer mu.Unlock()
	if posts[0] == 0 || posts[1] == 0 || posts[0]+posts[1] != 30 {
		t.Errorf("posts by replica: %v, want 30 in all, and some of each", posts)
	}
}

// One of three replicas is killed with its hands full: some of its digests are posted and not recorded, some are not
// posted. The others make all the rest, and then those.
func TestThreeReplicasOfWhichOneIsKilled(t *testing.T) {
	t.Parallel()
	r := databases()["PostgreSQL"](t)
	w := digestStage(t, sandbox.Options{})
	want := r.thirty(t)
	var mu sync.Mutex
	n := 0
	g := newGate(t, w, func(p postCall) stop {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%2 == 0 {
			return beforePost
		}
		return beforeAnswer
	})
	w.start(t, map[string]string{"DATABASE_URL": r.url, "SLACK_API_URL": g.apiURL()})
	g.wait(t, map[stop]int{beforePost: 3, beforeAnswer: 3}) // one in each room at least
	eventually(t, func() (string, bool) { return "its hands are not full", r.jobs(t)["running"] == 10 })
	jobs := r.running(t)
	for range 2 {
		w.replica(t, map[string]string{"DATABASE_URL": r.url})
	}
	if err := w.slack.WaitConnected(patiently(t), 3); err != nil {
		t.Fatal(err)
	}
	w.kill(t)
	r.age(t, jobs)
	w.checkThirty(t, r, want, 3)
}
