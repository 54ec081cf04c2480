package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
	"github.com/missingkbs/missingkbs/internal/store/storetest"
)

// records is a database that a program works on, as a test sees it from outside.
type records struct {
	*store.Store
	url string
	sql *sql.DB
}

// databases are the two kinds that there are.
func databases() map[string]func(testing.TB) *records {
	return map[string]func(testing.TB) *records{
		"SQLite": sqliteRecords,
		"PostgreSQL": func(tb testing.TB) *records {
			tb.Helper()
			return openRecords(tb, pgtest.Database(tb), "pgx", "")
		},
	}
}

func sqliteRecords(tb testing.TB) *records {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "missingkbs.db")
	return openRecords(tb, "sqlite://"+filepath.ToSlash(path), "sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(30000)")
}

func openRecords(tb testing.TB, url, driver, name string) *records {
	tb.Helper()
	storetest.File(tb, url)
	s, err := store.Open(tb.Context(), url, store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	if err := s.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	if name == "" {
		name = url
	}
	d, err := sql.Open(driver, name)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &records{s, url, d}
}

// exec changes the tables behind the program's back.
func (r *records) exec(tb testing.TB, statement string) {
	tb.Helper()
	if _, err := r.sql.ExecContext(patiently(tb), statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// age makes the jobs that somebody works on old enough to be taken away, and whoever leads the processes gone: what a
// minute and a half does to those of a process that was killed. The program itself finds and rescues them.
func (r *records) age(tb testing.TB, jobs string) {
	tb.Helper()
	r.exec(tb, "UPDATE river_job SET attempted_at = '2020-01-01 00:00:00' WHERE state = 'running' AND id IN ("+jobs+")")
	r.exec(tb, "DELETE FROM river_leader")
}

// running are the ids of the digests that are being made, as a list for SQL.
func (r *records) running(tb testing.TB) string {
	tb.Helper()
	rows, err := r.sql.QueryContext(patiently(tb), "SELECT id FROM river_job WHERE kind = 'digest' AND state = 'running'")
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			tb.Fatal(err)
		}
		ids = append(ids, strconv.FormatInt(id, 10))
	}
	if rows.Err() != nil {
		tb.Fatal(rows.Err())
	}
	return strings.Join(ids, ", ")
}

// hurry ends the pauses after which digests are tried again.
func (r *records) hurry(tb testing.TB) {
	tb.Helper()
	r.exec(tb, "UPDATE river_job SET state = 'available', scheduled_at = '2020-01-01 00:00:00' WHERE kind = 'digest' AND state IN ('retryable', 'scheduled')")
}

// jobs counts the digests in the queue by state.
func (r *records) jobs(tb testing.TB) map[string]int {
	tb.Helper()
	rows, err := r.sql.QueryContext(patiently(tb), "SELECT state, count(*) FROM river_job WHERE kind = 'digest' GROUP BY state")
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	states := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			tb.Fatal(err)
		}
		states[state] = n
	}
	if rows.Err() != nil {
		tb.Fatal(rows.Err())
	}
	return states
}

// settle waits until so many digests have been made and nothing is left to do.
func (r *records) settle(tb testing.TB, digests int) {
	tb.Helper()
	eventually(tb, func() (string, bool) {
		states := r.jobs(tb)
		return fmt.Sprintf("the jobs are %v, want %d completed", states, digests), maps.Equal(states, map[string]int{"completed": digests})
	})
}

// subscribe writes subscriptions into the database, as if they had been made long ago.
func (r *records) subscribe(tb testing.TB, subs ...digest.Subscription) {
	tb.Helper()
	for _, s := range subs {
		if err := r.AddSubscription(patiently(tb), s, audit.Entry{Action: "digest.add", Subject: s.ID}); err != nil {
			tb.Fatal(err)
		}
	}
}

// due is a subscription that became due a minute ago, and will again in a day.
func due(id, channel string, watch ...string) digest.Subscription {
	at := time.Now().UTC().Add(-time.Minute).Truncate(time.Minute)
	return digest.Subscription{
		ID: id, Tenant: digest.DefaultTenant, Channel: channel, Owner: sandbox.Alice, Watch: watch,
		Schedule: schedule.Schedule{Words: "daily " + at.Format("15:04"), Zone: "UTC"},
		Quiet:    digest.Silent, Origin: digest.FromChat, Created: at.AddDate(0, 0, -1), NextRun: at,
	}
}

// patiently is time enough for anything on a busy machine.
func patiently(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), 3*time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// eventually waits until a condition of a database holds, whose changes nobody announces.
func eventually(tb testing.TB, look func() (state string, ok bool)) {
	tb.Helper()
	ctx := patiently(tb)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		state, ok := look()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tb.Fatal(state)
		}
	}
}

// rooms are the conversations that take digests, each with somebody who reads it.
func rooms() map[string]string {
	return map[string]string{
		sandbox.General: sandbox.Alice, sandbox.Patching: sandbox.Alice, sandbox.PrivateChannel: sandbox.Alice,
		sandbox.AliceDM: sandbox.Alice, "D0BOB0001": sandbox.Bob,
	}
}

// digestStage starts the servers of a world whose Slack lives by the clock of this machine, as the program does.
func digestStage(tb testing.TB, o sandbox.Options) *world {
	tb.Helper()
	defender, err := apitest.Start(apitest.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(defender.Close)
	o.Command, o.Defender, o.Clock = "/missingkbs", defender.Tenant, time.Now
	slack, err := sandbox.Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := slack.Close(); err != nil {
			tb.Error(err)
		}
	})
	slack.Invite(sandbox.PrivateChannel, sandbox.BotUser)
	return &world{defender: defender, slack: slack, log: &locked{}}
}

// replica starts a further process in a world.
func (w *world) replica(tb testing.TB, settings map[string]string) *world {
	tb.Helper()
	r := &world{defender: w.defender, slack: w.slack, program: w.program, log: &locked{}}
	r.start(tb, settings)
	return r
}

// kill ends the process as a machine that fails would.
func (w *world) kill(tb testing.TB) {
	tb.Helper()
	if err := w.process.Process.Kill(); err != nil {
		tb.Fatal(err)
	}
	_ = w.process.Wait() // says that it was killed
}

// posted counts the digests that channels show, by subscription.
func (w *world) posted() map[string]int {
	n := map[string]int{}
	for channel, reader := range rooms() {
		for _, m := range w.slack.Messages(channel, reader) {
			if key := keyOf(m.Metadata); key != "" {
				n[subscriptionOf(key)]++
			}
		}
	}
	return n
}

// keyOf reads a digest's key from its message's metadata.
func keyOf(metadata json.RawMessage) string {
	var m struct {
		EventPayload struct{ Key string } `json:"event_payload"`
	}
	if json.Unmarshal(metadata, &m) != nil {
		return ""
	}
	return m.EventPayload.Key
}

// subscriptionOf reads the subscription from a key, which is digest/<id>/<due>.
func subscriptionOf(key string) string {
	parts := strings.Split(key, "/")
	if len(parts) < 2 {
		return key
	}
	return parts[1]
}
