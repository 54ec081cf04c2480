package main

import (
	"bytes"
	"strings"
	"testing"
)

// noEnv is an empty environment.
func noEnv(string) (string, bool) { return "", false }

// env is an environment of the given variables.
func env(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// output is a run of the program within this process.
type output struct {
	code     int
	out, err string
}

func invoke(t *testing.T, getenv func(string) (string, bool), args ...string) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, getenv, streams{out: &stdout, err: &stderr})
	return output{code, stdout.String(), stderr.String()}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	got := invoke(t, noEnv, "version")
	if got.code != exitDone || !strings.HasPrefix(got.out, "missingkbs ") {
		t.Errorf("got %+v", got)
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	t.Parallel()
	got := invoke(t, noEnv, "serve", "--help")
	if got.code != exitDone {
		t.Fatalf("got %+v", got)
	}
	for _, name := range []string{
		"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_API_URL",
		"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST",
		"DEFENDER_CLOUD", "DEFENDER_REGION", "DEFENDER_API_URL", "DEFENDER_SCOPE", "LOG_LEVEL", "LOG_FORMAT",
		"DATABASE_URL", "MISSINGKBS_DIGESTS", "MISSINGKBS_RETENTION_DAYS", "MISSINGKBS_AUDIT_DAYS", "MISSINGKBS_AUDIT_QUESTIONS", "MISSINGKBS_OPS_CHANNEL", "MISSINGKBS_DEFENDER_PER_MINUTE", "MISSINGKBS_DEFENDER_PER_HOUR", "MISSINGKBS_CACHE_TTL", "MISSINGKBS_CONFIG", "MISSINGKBS_SOCKETS",
		"HTTP_ADDR", "MISSINGKBS_PPROF", "MISSINGKBS_WEBHOOK_URL", "MISSINGKBS_WEBHOOK_SECRET", "MISSINGKBS_WEBHOOK_PRIVATE",
		"MISSINGKBS_FEEDS", "MISSINGKBS_MSRC_URL", "MISSINGKBS_KEV_URL",
	} {
		if !strings.Contains(got.out, "$"+name) {
			t.Errorf("help does not name %s", name)
		}
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"frobnicate"}, {"ask"}, {"ask", "--sandbox"}, {"ask", "-o", "xml", "--sandbox", "x-_-y"}, {"serve", "--no-such-flag"}, {"--config", "/no/such/file", "version"}} {
		got := invoke(t, noEnv, args...)
		if got.code != exitWrongUse || got.err == "" {
			t.Errorf("%q: got exit code %d and %q, want %d and words", args, got.code, got.err, exitWrongUse)
		}
	}
}
