package e2e

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/repotest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

// before is the program as it was before its newest migration landed.
var before struct {
	sync.Once
	folder, file string
	err          error
}

// errNoHistory is the error where the version before cannot be built, such as in a shallow clone or an archive of the source.
var errNoHistory = errors.New("the version before is built from the history of git")

// versionBefore returns the program's file, which the first test builds. Where there is no history the test is skipped and says so.
func versionBefore(t *testing.T) string {
	t.Helper()
	if *upgradeProgram != "" {
		return *upgradeProgram
	}
	before.Do(func() {
		if before.folder, before.err = os.MkdirTemp("", "missingkbs-e2e-"); before.err == nil { //nolint:usetesting // other tests need it, too
			before.file, before.err = buildVersionBefore(repotest.Root(t), before.folder)
		}
	})
	if errors.Is(before.err, errNoHistory) {
		t.Skip(before.err)
	}
	if before.err != nil {
		t.Fatal(before.err)
	}
	return before.file
}

// buildVersionBefore builds it from the history of this checkout.
func buildVersionBefore(root, folder string) (file string, err error) {
	if shallow, err := git(root, "rev-parse", "--is-shallow-repository"); err != nil || shallow != "false" {
		return "", errors.Join(errNoHistory, err, errors.New("this is a shallow clone, or none: git fetch --unshallow"))
	}
	migrations, err := filepath.Glob(filepath.Join(root, "internal", "store", "migrations", "*.sql"))
	if err != nil || len(migrations) == 0 {
		return "", fmt.Errorf("no migrations in %s: %w", root, err)
	}
	commit := "HEAD" // while the newest is not committed
	added, err := git(root, "log", "-1", "--diff-filter=A", "--format=%H", "--", slices.Max(migrations))
	if err != nil {
		return "", err
	}
	if added != "" {
		commit = added + "^"
	}
	if _, err := git(root, "archive", "--format=tar", "-o", filepath.Join(folder, "source.tar"), commit); err != nil {
		return "", err
	}
	for _, words := range [][]string{
		{"tar", "-xf", "source.tar"},
		{"go", "build", "-trimpath", "-ldflags=-s -w", "-o", "before.exe", "./cmd/missingkbs"}, // as released is built
	} {
		c := exec.Command(words[0], words[1:]...)
		c.Dir, c.Env = folder, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%q of %s: %w\n%s", words, commit, err, out)
		}
	}
	return filepath.Join(folder, "before.exe"), nil
}

func git(root string, args ...string) (string, error) {
	var stderr bytes.Buffer
	c := exec.Command("git", append([]string{"-C", root}, args...)...)
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}

// rollout replaces processes while digests become due.
type rollout struct {
	*world
	db    *sql.DB
	url   string
	added map[string]int // subscriptions, each with the digests that it is to have

	mu    sync.Mutex
	posts map[string]int // digests that each replica has posted since the last step
}

// run starts a replica: the version before, or this one where program is empty.
func (o *rollout) run(t *testing.T, name, program string) *world {
	t.Helper()
	g := newGate(t, o.world, func(p postCall) stop {
		if p.subscription != "" && !p.details {
			o.mu.Lock()
			o.posts[name]++
			o.mu.Unlock()
		}
		return pass
	})
	r := &world{defender: o.defender, slack: o.slack, program: program, log: &locked{}}
	r.start(t, map[string]string{"DATABASE_URL": o.url, "SLACK_API_URL": g.apiURL()})
	return r
}

// feed has digests become due, more than are posted, until each of these replicas has posted some since the step before.
func (o *rollout) feed(t *testing.T, replicas ...string) {
	t.Helper()
	o.mu.Lock()
	clear(o.posts)
	o.mu.Unlock()
	eventually(t, func() (string, bool) {
		for len(o.added)-len(o.posted()) < 15 {
			o.subscribe(t)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		return fmt.Sprintf("digests by replica: %v, want some of each of %v", o.posts, replicas),
			!slices.ContainsFunc(replicas, func(name string) bool { return o.posts[name] == 0 })
	})
}

// subscribe adds a digest that is due, with no more columns than the first version knew.
func (o *rollout) subscribe(t *testing.T) {
	t.Helper()
	channels := []string{sandbox.General, sandbox.Patching, sandbox.PrivateChannel, sandbox.AliceDM, "D0BOB0001"}
	s := due(fmt.Sprint("a", len(o.added)), channels[len(o.added)%len(channels)], edge)
	_, err := o.db.ExecContext(patiently(t), `INSERT INTO subscriptions (id, tenant, channel, owner, watch, min_devices, min_cves, schedule, zone, quiet, origin,
			created_ms, next_ms, paused, paused_until_ms, pause_reason, failures)
		VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7, $8, $9, $10, $11, FALSE, 0, '', 0)`,
		s.ID, s.Tenant, s.Channel, s.Owner, `["`+edge+`"]`, s.Schedule.Words, s.Schedule.Zone, s.Quiet, s.Origin, s.Created.UnixMilli(), s.NextRun.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	o.added[s.ID] = 1
}

// stop ends a replica as a rollout does.
func (o *rollout) stop(t *testing.T, r *world) {
	t.Helper()
	if err := errors.Join(r.process.Process.Signal(syscall.SIGTERM), r.process.Wait()); err != nil {
		t.Fatalf("stop: %v\n%s", err, r.log)
	}
}

// help asks a question whose answer goes the short way, in the acknowledgement: the gates are no address for answers.
func (o *rollout) help(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range o.slack.Messages(sandbox.General, sandbox.Alice) {
		seen[m.TS] = true
	}
	d, err := o.slack.Command(patiently(t), sandbox.Alice, sandbox.General, "/missingkbs help")
	if err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("help: delivery %+v, %v", d, err)
	}
	_, err = o.slack.WaitMessage(patiently(t), sandbox.General, sandbox.Alice, func(m sandbox.Message) bool { return m.EphemeralFor != "" && isAnswer(m) && !seen[m.TS] })
	if err != nil {
		t.Fatalf("help: %v", err)
	}
}

// tables waits until a first process has made the database.
func (o *rollout) tables(t *testing.T) {
	t.Helper()
	eventually(t, func() (string, bool) {
		var n int
		err := o.db.QueryRowContext(patiently(t), "SELECT count(*) FROM river_job").Scan(&n) // made last
		return fmt.Sprint("no tables: ", err), err == nil
	})
}

// check checks that each digest was posted once and recorded once.
func (o *rollout) check(t *testing.T) {
	t.Helper()
	s, err := store.Open(t.Context(), o.url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := &records{s, o.url, o.db}
	r.settle(t, len(o.added))
	if diff := cmp.Diff(o.added, o.posted()); diff != "" {
		t.Errorf("digests in channels (-want +got):\n%s", diff)
	}
	r.wantRecorded(t, o.added)
}

func newRollout(t *testing.T, url, driver, name string) *rollout {
	t.Helper()
	d, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return &rollout{world: digestStage(t, sandbox.Options{}), db: d, url: url, added: map[string]int{}, posts: map[string]int{}}
}

// Two replicas of the version before are replaced one by one, as the chart's Deployment does it: a new one comes before an
// old one goes. Old and new work side by side on one PostgreSQL, which the first new one has migrated under the old ones.
// Digests that become due all the while come once each, and questions are answered.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	old := versionBefore(t)
	url := pgtest.Database(t)
	o := newRollout(t, url, "pgx", url)
	all := []*world{o.run(t, "old 0", old)}
	o.tables(t)
	all = append(all, o.run(t, "old 1", old))
	o.feed(t, "old 0", "old 1")
	running := []string{"old 0", "old 1"}
	for i := range 2 {
		all = append(all, o.run(t, fmt.Sprint("new ", i), ""))
		running = append(running, fmt.Sprint("new ", i))
		o.feed(t, running...)
		o.help(t)
		o.stop(t, all[i])
		running = slices.DeleteFunc(running, func(name string) bool { return name == fmt.Sprint("old ", i) })
		o.help(t)
	}
	o.check(t)
	for _, r := range all {
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, `"level":"ERROR"`) || strings.Contains(line, "level=ERROR") {
				t.Errorf("during the rollout: %s", line)
			}
		}
	}
	t.Logf("%d digests, each once", len(o.added))
}

// With SQLite the old process ends before the new one starts, as the chart's Deployment does it then.
func TestUpgradeOfOneProcess(t *testing.T) {
	t.Parallel()
	old := versionBefore(t)
	path := filepath.ToSlash(filepath.Join(t.TempDir(), "missingkbs.db"))
	o := newRollout(t, "sqlite://"+path, "sqlite", "file:"+path+"?_pragma=busy_timeout(30000)")
	first := o.run(t, "old", old)
	o.tables(t)
	o.feed(t, "old")
	o.stop(t, first)
	o.run(t, "new", "")
	o.feed(t, "new")
	o.check(t)
}
