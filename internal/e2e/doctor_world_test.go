package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// clinic is where doctor is tried: Slack, Defender, the feeds and a database, all well until a test changes them.
type clinic struct {
	slack    *sandbox.Workspace
	defender *apitest.Server
	feeds    *advisorytest.Server
	records  *records
	settings map[string]string
}

func newClinic(t *testing.T, slackOptions sandbox.Options, roles ...string) *clinic {
	t.Helper()
	if len(roles) == 0 {
		roles = []string{"Software.Read.All"}
	}
	defender, err := apitest.Start(apitest.Options{Roles: roles})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(defender.Close)
	if slackOptions.Scopes == nil {
		slackOptions.Scopes = manifest.ScopeNames()
	}
	if slackOptions.Commands == nil {
		slackOptions.Commands, slackOptions.Shortcuts = []sandbox.SlashCommand{demo.SlashCommand()}, demo.Shortcuts()
	}
	if slackOptions.Events == nil {
		slackOptions.Events = manifest.Events()
	}
	slack, err := sandbox.Start(slackOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := slack.Close(); err != nil {
			t.Error(err)
		}
	})
	cert := filepath.Join(t.TempDir(), "cert.pem")
	publisher := advisorytest.Start(advisorytest.Options{Updates: func() []advisorytest.Update { return nil }})
	t.Cleanup(publisher.Close)
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: publisher.Certificate().Raw})
	if err := os.WriteFile(cert, slices.Concat(defender.CertPEM(), trusted), 0o600); err != nil {
		t.Fatal(err)
	}
	database := sqliteRecords(t)
	return &clinic{slack, defender, publisher, database, map[string]string{
		"SLACK_APP_TOKEN":      slack.AppToken(),
		"SLACK_BOT_TOKEN":      slack.BotToken(),
		"SLACK_API_URL":        slack.APIURL(),
		"SLACK_CONFIG_TOKEN":   slack.ConfigToken(),
		"AZURE_TENANT_ID":      apitest.TenantID,
		"AZURE_CLIENT_ID":      apitest.ClientID,
		"AZURE_CLIENT_SECRET":  apitest.ClientSecret,
		"AZURE_AUTHORITY_HOST": defender.URL,
		"DEFENDER_API_URL":     defender.URL,
		"DEFENDER_SCOPE":       defender.Scope(),
		"MISSINGKBS_MSRC_URL":  publisher.MSRC(),
		"MISSINGKBS_KEV_URL":   strings.Join(publisher.KEV(), ","),
		"SSL_CERT_FILE":        cert,
		"DATABASE_URL":         database.url,
		"HTTP_ADDR":            "",
	}}
}

// diagnosis is what a run of doctor wrote.
type diagnosis struct {
	code    int
	out     string
	stderr  string
	Program string
	Checks  []checked
	Summary struct {
		Status               string
		OK, Skip, Warn, Fail int
		TookMS               int64 `json:"took_ms"`
	}
}

// checked is a finding in the JSON of a report.
type checked struct {
	Check, Status, Found, Cure string
	TookMS                     int64 `json:"took_ms"`
	Evidence                   *doctor.Evidence
}

// run runs doctor as a process, with settings over those of the clinic; an empty one takes a variable away. Whatever it
// writes, no secret may be in it.
func (c *clinic) run(t *testing.T, settings map[string]string, args ...string) diagnosis {
	t.Helper()
	all := maps.Clone(c.settings)
	maps.Copy(all, settings)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t), append([]string{"doctor"}, args...)...)
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	maps.DeleteFunc(all, func(name, value string) bool { return value == "" && name != "HTTP_ADDR" })
	cmd.Env = environment(all)
	d := diagnosis{}
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		d.code = exit.ExitCode()
	}
	d.out, d.stderr = out.String(), stderr.String()
	secrets := []string{c.slack.AppToken(), c.slack.BotToken(), c.slack.ConfigToken(), apitest.ClientSecret, "hunter2", "ticket=", "Bearer ", "eyJ"}
	for _, s := range secrets {
		if strings.Contains(d.out+d.stderr, s) {
			t.Errorf("a secret got out: %.12s…\n%s%s", s, d.out, d.stderr)
		}
	}
	return d
}

// examine runs doctor and reads its JSON.
func (c *clinic) examine(t *testing.T, settings map[string]string, args ...string) diagnosis {
	t.Helper()
	d := c.run(t, settings, append([]string{"-o", "json"}, args...)...)
	dec := json.NewDecoder(strings.NewReader(d.out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		t.Fatalf("%v: %s%s", err, d.out, d.stderr)
	}
	if want := map[bool]int{true: exitFailed, false: exitDone}[d.Summary.Fail > 0]; d.code != want {
		t.Errorf("exit code %d, want %d", d.code, want)
	}
	for _, one := range d.Checks {
		if (one.Status == "fail" || one.Status == "warn") && one.Cure == "" {
			t.Errorf("no cure: %+v", one)
		}
	}
	return d
}

// wants checks that a check has found something.
func (d diagnosis) wants(t *testing.T, check, status, found, cure string) {
	t.Helper()
	for _, one := range d.Checks {
		if one.Check == check && one.Status == status && strings.Contains(one.Found, found) && strings.Contains(one.Cure, cure) {
			return
		}
	}
	t.Errorf("%s does not %s with %q and the cure %q:\n%s", check, status, found, cure, d.text(check))
}

// text is what the checks found; of all when none is named.
func (d diagnosis) text(checks ...string) string {
	var b strings.Builder
	for _, one := range d.Checks {
		if len(checks) == 0 || slices.Contains(checks, one.Check) {
			b.WriteString(strings.Join([]string{one.Check, one.Status, one.Found, one.Cure}, " | ") + "\n")
		}
	}
	return b.String()
}

// only checks that nothing but the named checks is unwell.
func (d diagnosis) only(t *testing.T, checks ...string) {
	t.Helper()
	for _, one := range d.Checks {
		if (one.Status == "fail" || one.Status == "warn") && !slices.Contains(checks, one.Check) {
			t.Errorf("%s: %s: %s", one.Check, one.Status, one.Found)
		}
	}
}
