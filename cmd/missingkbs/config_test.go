package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	t.Parallel()
	got := invoke(t, env(map[string]string{
		"SLACK_APP_TOKEN":                "xoxb-mixed-up-hunter2",
		"SLACK_API_URL":                  "http://slack.example/api/",
		"AZURE_CLIENT_SECRET":            "hunter2",
		"AZURE_CLIENT_CERTIFICATE_PATH":  "/no/such/file.pem",
		"DEFENDER_CLOUD":                 "moon",
		"DEFENDER_API_URL":               "http://127.0.0.1:1/",
		"LOG_LEVEL":                      "loud",
		"LOG_FORMAT":                     "xml",
		"MISSINGKBS_DEFENDER_PER_MINUTE": "many",
		"MISSINGKBS_CACHE_TTL":           "soon",
		"MISSINGKBS_TABLES":              "fancy",
		"MISSINGKBS_ANSWER_TIMEOUT":      "-1s",
		"MISSINGKBS_RETENTION_DAYS":      "ever",
		"MISSINGKBS_WORKERS":             "0",
		"MISSINGKBS_QUEUE":               "long",
		"MISSINGKBS_ALLOW_GUESTS":        "some",
		"MISSINGKBS_ASK_CHANNELS":        "C024BE91L,#general",
		"MISSINGKBS_ASK_GROUPS":          "@patchers",
		"MISSINGKBS_DIGEST_CHANNELS":     "D024BE91L",
		"MISSINGKBS_DIGEST_GROUPS":       "C024BE91L",
		"MISSINGKBS_ADMIN_GROUPS":        "U012AB3CDE",
		"MISSINGKBS_ADMIN_USERS":         "alice",
		"MISSINGKBS_AUDIT_DAYS":          "99999",
		"MISSINGKBS_AUDIT_QUESTIONS":     "perhaps",
		"MISSINGKBS_OPS_CHANNEL":         "#ops",
		"MISSINGKBS_DIGESTS":             "/no/such/digests.yaml",
		"HTTP_ADDR":                      "8080",
		"MISSINGKBS_PPROF":               "sometimes",
		"MISSINGKBS_SOCKETS":             "6",
		"MISSINGKBS_WEBHOOK_URL":         "http://hunter2.example",
		"MISSINGKBS_WEBHOOK_SECRET":      "whsec_hunter2",
		"MISSINGKBS_WEBHOOK_PRIVATE":     "maybe",
		"MISSINGKBS_FEEDS":               "some",
		"MISSINGKBS_MSRC_URL":            "http://msrc.example",
		"MISSINGKBS_KEV_URL":             "https://kev.example/list, https://me:hunter2@kev.example/list",
	}), "serve")
	if got.code != exitWrongUse {
		t.Errorf("exit code %d, want %d", got.code, exitWrongUse)
	}
	for _, want := range []string{
		"SLACK_APP_TOKEN is another kind of token: it looks like xapp-…",
		"SLACK_BOT_TOKEN is missing: find it under OAuth & Permissions",
		"SLACK_API_URL takes an https:// address; http:// is for this machine only",
		"AZURE_TENANT_ID is missing",
		"AZURE_CLIENT_ID is missing",
		"AZURE_CLIENT_CERTIFICATE_PATH names a file that cannot be read",
		"moon",
		"DEFENDER_API_URL takes an https:// address",
		"LOG_LEVEL takes one of debug, info, warn, error",
		"MISSINGKBS_DEFENDER_PER_MINUTE must be a whole number",
		"MISSINGKBS_CACHE_TTL takes a time",
		"MISSINGKBS_TABLES takes one of auto, data_table, table, classic",
		"MISSINGKBS_ANSWER_TIMEOUT takes a time from 1s on",
		"MISSINGKBS_RETENTION_DAYS must be a whole number",
		"MISSINGKBS_WORKERS must be a whole number, 1 or more",
		"MISSINGKBS_QUEUE must be a whole number",
		"MISSINGKBS_ALLOW_GUESTS takes true or false",
		"MISSINGKBS_ASK_CHANNELS takes channel ids such as C024BE91L",
		"MISSINGKBS_ASK_GROUPS takes ids of user groups",
		"MISSINGKBS_DIGEST_CHANNELS takes channel ids",
		"MISSINGKBS_DIGEST_GROUPS takes ids of user groups",
		"MISSINGKBS_ADMIN_GROUPS takes ids of user groups",
		"MISSINGKBS_ADMIN_USERS takes member ids",
		"MISSINGKBS_AUDIT_DAYS takes at most 36500; 0 keeps it for ever",
		"MISSINGKBS_AUDIT_QUESTIONS takes one of on, off",
		"MISSINGKBS_OPS_CHANNEL takes the id of a channel",
		"MISSINGKBS_DIGESTS names a file that cannot be read",
		"HTTP_ADDR takes a host and a port",
		"MISSINGKBS_PPROF takes one of true, false",
		"MISSINGKBS_SOCKETS must be a whole number from 1 to 5",
		"MISSINGKBS_WEBHOOK_URL: the address must begin with https://",
		"MISSINGKBS_WEBHOOK_SECRET: the secret ",
		"MISSINGKBS_WEBHOOK_PRIVATE takes one of on, off",
		"MISSINGKBS_FEEDS takes one of on, off",
		"MISSINGKBS_MSRC_URL takes an https:// address",
		"MISSINGKBS_KEV_URL takes an https:// address",
		"DATABASE_URL is missing, and this user has no home folder",
	} {
		if !strings.Contains(got.err, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if strings.Contains(got.err, "hunter2") {
		t.Error("the report holds a secret")
	}
	if t.Failed() {
		t.Log(got.err)
	}
}

func TestFlagBeatsEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "missingkbs.yaml")
	if err := os.WriteFile(file, []byte("DEFENDER_CLOUD: file-cloud\nDEFENDER_REGION: file-region\nMISSINGKBS_CACHE_TTL: file-ttl\nLOG_LEVEL: debug\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := env(map[string]string{"MISSINGKBS_CONFIG": file, "DEFENDER_CLOUD": "env-cloud", "MISSINGKBS_CACHE_TTL": "env-ttl", "LOG_LEVEL": ""})
	c, _, err := load([]string{"ask", "--defender-cloud=flag-cloud"}, getenv, streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	d := c.Ask.Defender
	got := []string{d.Cloud, d.CacheTTL, d.Region, d.PerMinute, c.Ask.Log.Level}
	if diff := cmp.Diff([]string{"flag-cloud", "env-ttl", "file-region", "50", "debug"}, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestConfigFileMistakes(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"DEFENDER_CLUOD: public\n":     "there is no setting DEFENDER_CLUOD; did you mean DEFENDER_CLOUD?",
		"colour: blue\n":               "there is no setting colour",
		"DEFENDER_CLOUD: [a, b]\n":     "DEFENDER_CLOUD takes a single value",
		"DEFENDER_CLOUD: {\n":          "line 1 is no valid YAML",
		"LOG_LEVEL: a\nLOG_LEVEL: b\n": "line 2 has a name that an earlier line has",
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := invoke(t, noEnv, "--config", file, "version")
		if got.code != exitWrongUse || !strings.Contains(got.err, want) {
			t.Errorf("%q: got exit code %d and %q, want %q", content, got.code, got.err, want)
		}
	}
}

func TestBlankHTTPAddressSwitchesThePageOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		args []string
		want string
	}{
		{want: "127.0.0.1:8080"},
		{env: map[string]string{"HTTP_ADDR": ""}, want: ""},
		{env: map[string]string{"HTTP_ADDR": ":1"}, want: ":1"},
		{env: map[string]string{"HTTP_ADDR": ":1"}, args: []string{"--http-addr="}, want: ""},
	} {
		got, _, err := load(append([]string{"serve"}, c.args...), env(c.env), streams{out: io.Discard, err: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if got.Serve.Admin.Addr != c.want {
			t.Errorf("%v %v: got %q, want %q", c.env, c.args, got.Serve.Admin.Addr, c.want)
		}
	}
}
