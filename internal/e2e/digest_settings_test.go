package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store/pgtest"
)

const (
	fileOfTwo = `digests:
  - id: edge-weekly
    channel: C0GENERAL
    owner: U0ALICE01
    watch: [microsoft-_-edge]
    at: mon 09:00
    tz: Europe/Stockholm
  - id: windows-daily
    channel: C0PATCHES
    owner: U0ALICE01
    watch: [microsoft-_-windows*]
    cron: 0 7 * * *
    tz: UTC
    quiet: heartbeat
`
	fileOfOne = `digests:
  - id: edge-weekly
    channel: C0PATCHES
    owner: U0BOB0001
    watch: [microsoft-_-edge]
    at: tue 10:00
    tz: Europe/Stockholm
    min_devices: 5
`
	emptyFile = "digests: []\n"
)

// The file of subscriptions is applied at each start. What was made in Slack stays as it is.
func TestFileOfDigests(t *testing.T) {
	t.Parallel()
	for name, open := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t)
			w := digestStage(t, sandbox.Options{})
			later := due("4711", sandbox.General, edge)
			later.NextRun = schedule.Next(later.Schedule, later.NextRun)
			r.subscribe(t, later)
			file := filepath.Join(t.TempDir(), "digests.yaml")
			type kept struct{ Channel, Owner, Words string }
			own := kept{later.Channel, later.Owner, later.Schedule.Words}
			for _, step := range []struct {
				file string
				want map[string]kept
			}{
				{fileOfTwo, map[string]kept{"4711": own, "edge-weekly": {sandbox.General, sandbox.Alice, "mon 09:00"}, "windows-daily": {sandbox.Patching, sandbox.Alice, "0 7 * * *"}}},
				{fileOfOne, map[string]kept{"4711": own, "edge-weekly": {sandbox.Patching, sandbox.Bob, "tue 10:00"}}},
				{emptyFile, map[string]kept{"4711": own}},
			} {
				if err := os.WriteFile(file, []byte(step.file), 0o600); err != nil {
					t.Fatal(err)
				}
				one := w.replica(t, map[string]string{"DATABASE_URL": r.url, "MISSINGKBS_DIGESTS": file})
				if err := w.slack.WaitConnected(patiently(t), 1); err != nil {
					t.Fatalf("no connection: %v\n%s", err, one.log)
				}
				list, err := r.Subscriptions(t.Context(), digest.SubscriptionFilter{})
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]kept{}
				for _, s := range list {
					got[s.ID] = kept{s.Channel, s.Owner, s.Schedule.Words}
				}
				if diff := cmp.Diff(step.want, got); diff != "" {
					t.Errorf("subscriptions (-want +got):\n%s", diff)
				}
				one.end(t)
			}
		})
	}
}

// end stops the process in good order.
func (w *world) end(t *testing.T) {
	t.Helper()
	if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.process.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, w.log)
	}
	if err := w.slack.Wait(patiently(t), func() bool { return w.slack.Connections() == 0 }); err != nil {
		t.Fatal(err)
	}
}

// serving is an environment in which serve finds nothing to complain about before it signs in to Slack, which is not
// there.
func serving(t *testing.T, more map[string]string) map[string]string {
	t.Helper()
	all := map[string]string{
		"SLACK_APP_TOKEN": "xapp-1-A-1-a", "SLACK_BOT_TOKEN": "xoxb-1-1-a", "SLACK_API_URL": "http://127.0.0.1:1/api/",
		"AZURE_TENANT_ID": apitest.TenantID, "AZURE_CLIENT_ID": apitest.ClientID, "AZURE_CLIENT_SECRET": "hush",
		"DATABASE_URL": "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "missingkbs.db")),
	}
	maps.Copy(all, more)
	return all
}

func TestWrongFileOfDigestsIsToldInFull(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "digests.yaml")
	for name, tt := range map[string]struct {
		file string
		says []string
	}{
		"many mistakes": {`digests:
  - id: Edge Weekly
    channel: "#general"
    owner: U0ALICE01
    watch: [edge]
    at: mondays
    tz: Europe/Stokholm
  - id: twice
    chanel: C0GENERAL
    owner: U0ALICE01
    watch: [microsoft-_-edge]
    at: mon 09:00
    cron: 0 9 * * 1
    tz: UTC
    min_devices: many
  - id: twice
    channel: C0GENERAL
    owner: U0ALICE01
    watch: [microsoft-_-edge]
    cron: "* * * * *"
    tz: UTC
    quiet: sometimes
`, []string{
			"line 2: id must be small letters", "channel must be an id such as C0123456789", `"edge" is not a software id`, "A schedule needs days and a time",
			`line 9: there is no key "chanel"`, "say when with either at or cron", "min_devices must be a whole number",
			`there is a digest "twice" in line 8 already`, "15 minutes", `"sometimes"`,
		}},
		"no YAML":       {"digests: [", []string{"line 1 is no valid YAML"}},
		"no list":       {"subscriptions: []\n", []string{"one list under the key digests:"}},
		"of chat's ids": {strings.ReplaceAll(fileOfOne, "edge-weekly", "taken"), []string{"taken", "made in Slack"}},
		"missing":       {"", []string{"no such file"}},
	} {
		file := path + strings.ReplaceAll(name, " ", "-")
		if tt.file != "" {
			if err := os.WriteFile(file, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := sqliteRecords(t)
		r.subscribe(t, due("taken", sandbox.General, edge))
		got := invoke(t, serving(t, map[string]string{"MISSINGKBS_DIGESTS": file, "DATABASE_URL": r.url}), "serve")
		if got.code != exitWrongUse {
			t.Errorf("%s: exit code %d, want %d", name, got.code, exitWrongUse)
		}
		for _, says := range append(tt.says, "MISSINGKBS_DIGESTS") {
			if !strings.Contains(got.err, says) {
				t.Errorf("%s: want %q in what is said:\n%s", name, says, got.err)
			}
		}
		list, err := r.Subscriptions(t.Context(), digest.SubscriptionFilter{})
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %d subscriptions, %v; want the one that there was", name, len(list), err)
		}
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]func(*testing.T) string{
		"SQLite": func(t *testing.T) string {
			t.Helper()
			return "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "new folder", "missingkbs.db"))
		},
		"PostgreSQL": func(t *testing.T) string { t.Helper(); return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := map[string]string{"DATABASE_URL": strings.ReplaceAll(fresh(t), " ", "%20")}
			first := invoke(t, settings, "migrate")
			version, ok := strings.CutPrefix(first.out, "The database was at version 0 and is at version ")
			if first.code != exitDone || !ok || version == "0.\n" {
				t.Fatalf("a new database: %+v", first)
			}
			version = strings.TrimSuffix(version, ".\n")
			again := invoke(t, settings, "migrate")
			if want := "The database was at version " + version + " and is at version " + version + ".\n"; again.code != exitDone || again.out != want {
				t.Errorf("a current database: got %+v, want %q", again, want)
			}
		})
	}
}

func TestDatabaseThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	const password = "hunter2"
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	away := []string{
		"postgres://bot:" + password + "@127.0.0.1:1/missingkbs",
		"postgres://127.0.0.1:1/missingkbs?user=bot&password=" + password,
	}
	urls := []string{
		"postgres://bot:" + password + "@127.0.0.1:port/missingkbs",
		"mysql://bot:" + password + "@127.0.0.1/missingkbs",
		"sqlite://missingkbs.db",
		"sqlite://" + filepath.ToSlash(filepath.Join(file, "missingkbs.db")),
		"nonsense",
	}
	for _, command := range []string{"serve", "migrate"} {
		for _, url := range slices.Concat(urls, away) {
			code := exitWrongUse
			if slices.Contains(away, url) {
				if command == "serve" {
					continue // it waits, see TestStartIsCutShort
				}
				code = exitFailed
			}
			got := invoke(t, serving(t, map[string]string{"DATABASE_URL": url, "LOG_LEVEL": "debug"}), command)
			if got.code != code || !strings.Contains(got.err, "DATABASE_URL") {
				t.Errorf("%s with %s: got %+v, want exit code %d and the setting's name", command, url, got, code)
			}
			if slices.ContainsFunc([]string{got.out, got.err}, func(s string) bool { return strings.Contains(s, password) }) {
				t.Errorf("%s with %s prints the password: %+v", command, url, got)
			}
		}
	}
}
