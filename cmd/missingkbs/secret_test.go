package main

import (
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/config"
)

// The settings that are secrets. A setting that holds one and is missing here would be shown by whatever prints it.
func TestWhichSettingsAreSecrets(t *testing.T) {
	t.Parallel()
	got := invoke(t, noEnv, "serve", "--help")
	found := secretNames(t)
	want := []string{"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "DATABASE_URL", "MISSINGKBS_WEBHOOK_SECRET", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	for _, name := range found {
		if !strings.Contains(got.out, name) {
			t.Errorf("help does not name %s", name)
		}
	}
}

// secretNames are the variables of serve's settings that are secrets.
func secretNames(t *testing.T) (found []string) {
	t.Helper()
	var c cli
	parser, err := newParser(&c, noEnv, &config.File{}, streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range parser.Model.Children {
		if node.Name != "serve" {
			continue
		}
		for _, f := range node.Flags {
			if config.IsSecret(f) {
				found = append(found, f.Envs...)
			}
		}
	}
	return found
}

// A secret that cannot be read is one mistake, not two.
func TestUnreadableSecretIsNotMissingToo(t *testing.T) {
	t.Parallel()
	got := invoke(t, env(map[string]string{
		"SLACK_APP_TOKEN_FILE": "/no/such/file", "SLACK_BOT_TOKEN": "xoxb-1", "AZURE_CLIENT_SECRET_FILE": "/no/such/file",
		"AZURE_TENANT_ID": apitest.TenantID, "AZURE_CLIENT_ID": apitest.ClientID, "DATABASE_URL": "sqlite:///" + filepath.ToSlash(t.TempDir()) + "/x.db",
	}), "serve")
	want := "missingkbs: these settings are wrong (flags, environment or the file of --config):\n" +
		"  - SLACK_APP_TOKEN_FILE names a file that cannot be read: no such file or directory\n" +
		"  - AZURE_CLIENT_SECRET_FILE names a file that cannot be read: no such file or directory\n"
	if runtime.GOOS != "windows" && got.err != want {
		t.Errorf("got %q, want %q", got.err, want)
	}
}
