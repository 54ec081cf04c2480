package e2e

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// What digests of the tests watch: two that the tenant knows.
const (
	edge      = "microsoft-_-edge"
	windows11 = "microsoft-_-windows_11"
)

// The steps of a digest at which a process is killed, each by the subscription that has got there.
const (
	inFetch    = "in-fetch"    // one software is read, another is not
	unposted   = "unposted"    // the post is on its way to Slack
	unanswered = "unanswered"  // Slack has the post, the program does not know
	unthreaded = "unthreaded"  // the digest is recorded; Slack has its thread, the program does not know
	untouched  = "not-touched" // delivered before
)

// killedAtEachStep starts a process, has a digest of its get to each step, and kills it.
func killedAtEachStep(t *testing.T, w *world, r *records) (jobs string) {
	t.Helper()
	channels := map[string]string{
		inFetch: sandbox.General, unposted: sandbox.Patching, unanswered: sandbox.PrivateChannel, unthreaded: sandbox.AliceDM, untouched: "D0BOB0001",
	}
	g := newGate(t, w, func(p postCall) stop {
		switch {
		case p.subscription == unposted:
			return beforePost
		case p.subscription == unanswered, p.details && p.channel == channels[unthreaded]:
			return beforeAnswer
		}
		return pass
	})
	heal := w.defender.Inject(apitest.Fault{Path: "/api/Software/" + windows11, Delay: time.Hour})
	for id, channel := range channels {
		watch := []string{edge}
		if id == inFetch {
			watch = append(watch, windows11)
		}
		r.subscribe(t, due(id, channel, watch...))
	}
	settings := map[string]string{"DATABASE_URL": r.url, "SLACK_API_URL": g.apiURL()}
	w.start(t, settings)
	g.wait(t, map[stop]int{beforePost: 1, beforeAnswer: 2})
	eventually(t, func() (string, bool) {
		states := r.jobs(t)
		return fmt.Sprintf("the jobs are %v, want four running and one completed", states),
			maps.Equal(states, map[string]int{"running": 4, "completed": 1}) && w.defender.Count("/api/Software/"+edge) > 0
	})
	jobs = r.running(t)
	heal()
	return jobs
}

// A process that is killed at any step leaves no digest behind, and none comes twice.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			w := digestStage(t, sandbox.Options{})
			jobs := killedAtEachStep(t, w, r)
			next := map[string]string{"DATABASE_URL": r.url}
			if name == "PostgreSQL" { // another replica is there already
				w.replica(t, next)
				if err := w.slack.WaitConnected(patiently(t), 2); err != nil {
					t.Fatal(err)
				}
				w.kill(t)
			} else {
				w.kill(t)
				w.replica(t, next)
			}
			r.age(t, jobs)
			r.settle(t, 5)
			want := map[string]int{inFetch: 1, unposted: 1, unanswered: 1, unthreaded: 1, untouched: 1}
			if diff := cmp.Diff(want, w.posted()); diff != "" {
				t.Errorf("digests in channels (-want +got):\n%s", diff)
			}
			r.wantRecorded(t, want)
		})
	}
}

// Where the bot may not read channels, a digest of which nothing says whether it was posted comes again.
func TestKilledWhereHistoryIsRefused(t *testing.T) {
	t.Parallel()
	w := digestStage(t, sandbox.Options{Scopes: []string{"commands", "chat:write", "channels:read", "groups:read", "im:read", "im:write", "users:read"}})
	r := sqliteRecords(t)
	jobs := killedAtEachStep(t, w, r)
	w.kill(t)
	w.replica(t, map[string]string{"DATABASE_URL": r.url})
	r.age(t, jobs)
	r.settle(t, 5)
	want := map[string]int{inFetch: 1, unposted: 1, unanswered: 2, unthreaded: 1, untouched: 1}
	if diff := cmp.Diff(want, w.posted()); diff != "" {
		t.Errorf("digests in channels (-want +got):\n%s", diff)
	}
	r.wantRecorded(t, want)
}

// wantRecorded checks that each subscription has one delivery, and that it is of a message.
func (r *records) wantRecorded(t *testing.T, subscriptions map[string]int) {
	t.Helper()
	for id := range subscriptions {
		list, err := r.Deliveries(t.Context(), id, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != 1 || list[0].Message == "" || list[0].Kind != digest.First {
			t.Errorf("%s: deliveries %+v, want a first digest that was posted", id, list)
		}
	}
}

// A process that is killed after it made a job of a due digest, and before it moved the schedule on, leaves the digest
// due: the next process makes the same job, which the queue knows.
func TestKilledBetweenJobAndSchedule(t *testing.T) {
	t.Parallel()
	r := databases()["PostgreSQL"](t)
	w := digestStage(t, sandbox.Options{})
	r.subscribe(t, due("a1", sandbox.General, edge))
	lock, err := r.sql.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback() //nolint:errcheck // it may be over
	if _, err := lock.ExecContext(t.Context(), "SELECT 1 FROM subscriptions WHERE id = 'a1' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	// Neither the schedule can be moved nor the digest recorded, but it can be posted.
	w.start(t, map[string]string{"DATABASE_URL": r.url})
	eventually(t, func() (string, bool) { return "no digest was posted", w.posted()["a1"] > 0 })
	jobs := r.running(t)
	w.kill(t)
	// The server would still do what the dead process asked for, once the lock is gone.
	r.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	waiting, err := r.Due(t.Context(), time.Now(), 10)
	if err != nil || len(waiting) != 1 || jobs == "" {
		t.Fatalf("due %+v (%v) and jobs %q, want the digest still due and in the queue", waiting, err, jobs)
	}
	w.replica(t, map[string]string{"DATABASE_URL": r.url})
	r.age(t, jobs)
	r.settle(t, 1)
	if diff := cmp.Diff(map[string]int{"a1": 1}, w.posted()); diff != "" {
		t.Errorf("digests in channels (-want +got):\n%s", diff)
	}
	r.wantRecorded(t, map[string]int{"a1": 1})
}
