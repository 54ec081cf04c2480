package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

var updateDoctor = flag.Bool("update-doctor", false, "write the golden files of doctor anew")

// steady takes out of a text what differs from run to run.
func steady(c *clinic, text string) string {
	text = strings.NewReplacer(
		strings.TrimPrefix(c.slack.URL(), "http://"), "slack.test", strings.TrimPrefix(c.defender.URL, "https://"), "defender.test",
		strings.TrimPrefix(c.feeds.URL, "https://"), "feeds.test",
		strings.TrimPrefix(c.records.url, "sqlite://"), "/data/missingkbs.db", c.settings["SSL_CERT_FILE"], "/etc/ca.pem",
	).Replace(text)
	for _, r := range []struct{ is, becomes string }{
		{`\d+ ms`, "N ms"}, {`SQLite [\d.]+`, "SQLite X"}, {`\d+ KB, version \d+`, "N KB, version N"}, {`59 min|60 min`, "60 min"}, {`in [\dN]+ ms`, "in N ms"},
	} {
		text = regexp.MustCompile(r.is).ReplaceAllString(text, r.becomes)
	}
	return text
}

func goldenText(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *updateDoctor {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestDoctorAllWell(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	d := c.examine(t, nil)
	d.only(t)
	if d.code != exitDone || d.Summary.Status != "ok" || d.Summary.OK+d.Summary.Skip != len(d.Checks) || len(d.Checks) < 20 {
		t.Errorf("exit code %d, %+v\n%s", d.code, d.Summary, d.text())
	}
	text := c.run(t, nil)
	if text.code != exitDone || text.stderr != "" {
		t.Errorf("exit code %d, %s", text.code, text.stderr)
	}
	goldenText(t, "doctor_well.txt", steady(c, text.out))
}

func TestDoctorFailing(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{Scopes: []string{"commands", "users:read", "usergroups:read", "channels:read", "groups:read", "channels:history", "groups:history", "files:write", "im:write", "admin"}})
	c.defender.Inject(apitest.EntraRefusing(7000222))
	text := c.run(t, map[string]string{"SLACK_APP_TOKEN": "", "MISSINGKBS_CACHE_TTL": "soon"})
	if text.code != exitFailed {
		t.Errorf("exit code %d", text.code)
	}
	goldenText(t, "doctor_failing.txt", steady(c, text.out))
}

// Nothing is changed, opened or posted anywhere.
func TestDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	path := strings.TrimPrefix(c.records.url, "sqlite://")
	fresh := filepath.Join(t.TempDir(), "sub", "new.db")
	c.run(t, map[string]string{"DATABASE_URL": "sqlite://" + fresh})
	if _, err := os.Stat(filepath.Dir(fresh)); err == nil {
		t.Error("a folder for the database was made")
	}
	version := func() (v string) {
		t.Helper()
		if err := c.records.sql.QueryRowContext(t.Context(), "SELECT group_concat(name) || (SELECT count(*) FROM audits) || (SELECT count(*) FROM river_job) FROM sqlite_master").Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	before := version()
	c.run(t, nil)
	if after := version(); after != before {
		t.Errorf("the database %s was %s before, is %s", path, before, after)
	}
	if n := c.slack.Connections(); n != 0 {
		t.Errorf("%d connections", n)
	}
	for _, channel := range []string{sandbox.General, sandbox.Patching, sandbox.AliceDM} {
		if m := c.slack.Messages(channel, sandbox.Alice); len(m) != 0 {
			t.Errorf("%s: posted %+v", channel, m)
		}
	}
	if n := c.defender.Count("/api/Software"); n > 2 {
		t.Errorf("%d calls of Defender in two runs, want one in each", n)
	}
}

func TestDoctorOffline(t *testing.T) {
	t.Parallel()
	c := newClinic(t, sandbox.Options{})
	d := c.examine(t, nil, "--offline")
	d.only(t)
	if got := d.text(); strings.Contains(got, "slack-") || strings.Contains(got, "entra-") || strings.Contains(got, "clock") || !strings.Contains(got, "database") {
		t.Errorf("got %s", got)
	}
	if c.defender.TokenCalls() != 0 {
		t.Error("a token was asked for")
	}
}
