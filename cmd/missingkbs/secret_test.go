package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keep writes a file that only its owner can read.
func keep(tb testing.TB, name, content string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// parse reads settings as serve does, and runs nothing.
func parse(t *testing.T, variables map[string]string, args ...string) cli {
	t.Helper()
	c, _, err := load(append([]string{"serve"}, args...), env(variables), streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return *c
}

// The settings that are secrets. A setting that holds one and is missing here would be shown by whatever prints it.
func TestWhichSettingsAreSecrets(t *testing.T) {
	t.Parallel()
	got := invoke(t, noEnv, "serve", "--help")
	var c cli
	parser, err := newParser(&c, noEnv, &configFile{}, streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, node := range parser.Model.Children {
		if node.Name != "serve" {
			continue
		}
		for _, f := range node.Flags {
			if isSecret(f) {
				found = append(found, f.Envs...)
			}
		}
	}
	want := []string{"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "DATABASE_URL", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	for _, name := range found {
		if !strings.Contains(got.out, name) {
			t.Errorf("help does not name %s", name)
		}
	}
}

// A secret comes from the command line, else the environment, else the file of settings; and from each of them as a
// value, as "@file" or by the name of its file.
func TestWhereSecretsComeFrom(t *testing.T) {
	t.Parallel()
	file := keep(t, "token", "xoxb-from-file\n")
	config := keep(t, "settings.yaml", "SLACK_BOT_TOKEN_FILE: "+file+"\nSLACK_APP_TOKEN: xapp-from-yaml\n")
	both := keep(t, "both.yaml", "SLACK_BOT_TOKEN_FILE: "+file+"\nSLACK_BOT_TOKEN: xoxb-from-yaml\n")
	for name, tc := range map[string]struct {
		env  map[string]string
		args []string
		want string
		says string
	}{
		"nothing":                      {says: ""},
		"value":                        {env: map[string]string{"SLACK_BOT_TOKEN": "xoxb-env"}, want: "xoxb-env"},
		"at file":                      {env: map[string]string{"SLACK_BOT_TOKEN": "@" + file}, want: "xoxb-from-file"},
		"named file":                   {env: map[string]string{"SLACK_BOT_TOKEN_FILE": file}, want: "xoxb-from-file"},
		"blank value":                  {env: map[string]string{"SLACK_BOT_TOKEN_FILE": file, "SLACK_BOT_TOKEN": ""}, want: "xoxb-from-file"},
		"file of settings":             {env: map[string]string{"MISSINGKBS_CONFIG": config}, want: "xoxb-from-file"},
		"environment over file":        {env: map[string]string{"MISSINGKBS_CONFIG": config, "SLACK_BOT_TOKEN": "xoxb-env"}, want: "xoxb-env"},
		"flag over environment":        {env: map[string]string{"SLACK_BOT_TOKEN_FILE": "/no/such/file"}, args: []string{"--slack-bot-token=xoxb-flag"}, want: "xoxb-flag"},
		"flag that names a file":       {args: []string{"--slack-bot-token=@" + file}, want: "xoxb-from-file"},
		"both":                         {env: map[string]string{"SLACK_BOT_TOKEN_FILE": file, "SLACK_BOT_TOKEN": "xoxb-env"}, says: "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set"},
		"both, at file":                {env: map[string]string{"SLACK_BOT_TOKEN_FILE": file, "SLACK_BOT_TOKEN": "@" + file}, says: "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set"},
		"both in the file of settings": {env: map[string]string{"MISSINGKBS_CONFIG": both}, says: "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set"},
	} {
		var m mistakes
		got := m.secret("SLACK_BOT_TOKEN", parse(t, tc.env, tc.args...).Serve.Slack.BotToken)
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
		if err := m.err(); (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want %q", name, err, tc.says)
		}
	}
}

// What a file of a secret may hold, and what is said of those that cannot be taken: neither their name, which may be the
// secret in the wrong variable, nor what they hold.
func TestFilesOfSecrets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		content, want, says string
	}{
		"one line":      {"hunter2", "hunter2", ""},
		"line ended":    {"hunter2\n", "hunter2", ""},
		"by Windows":    {"\ufeffhunter2\r\n", "hunter2", ""},
		"spaces inside": {"hunter 2\n", "hunter 2", ""},
		"empty":         {"", "", "is empty"},
		"blank":         {" \n", "", "is empty"},
		"two lines":     {"hunter2\nhunter3\n", "", "holds a line break"},
		"NUL":           {"hunter2\x00", "", "holds a line break or another character"},
		"largest":       {strings.Repeat("h", maxSecret), strings.Repeat("h", maxSecret), ""},
		"too large":     {strings.Repeat("h", maxSecret+1), "", "larger than 64 KiB"},
	} {
		for _, given := range []secret{{file: keep(t, "hunter", tc.content)}, {text: "@" + keep(t, "hunter", tc.content)}} {
			var m mistakes
			if got := m.secret("NAME", given); got != tc.want {
				t.Errorf("%s: got %.20q, want %.20q", name, got, tc.want)
			}
			err := m.err()
			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: got %v, want %q", name, err, tc.says)
			}
			if err != nil && strings.Contains(err.Error(), "hunter") {
				t.Errorf("%s: %v tells too much", name, err)
			}
			if err != nil && given.file != "" && tc.says != "holds a line break" && !strings.Contains(err.Error(), "NAME_FILE") {
				t.Errorf("%s: %v does not name the variable that is wrong", name, err)
			}
		}
	}
	for _, path := range []string{"/no/such/hunter2", t.TempDir()} {
		var m mistakes
		_ = m.secret("NAME", secret{file: path})
		if err := m.err(); err == nil || strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "NAME_FILE names a file that cannot be read") {
			t.Errorf("%s: got %v", path, err)
		}
	}
}

// A secret that cannot be read is one mistake, not two.
func TestUnreadableSecretIsNotMissingToo(t *testing.T) {
	t.Parallel()
	got := invoke(t, env(map[string]string{
		"SLACK_APP_TOKEN_FILE": "/no/such/file", "SLACK_BOT_TOKEN": "xoxb-1", "AZURE_CLIENT_SECRET_FILE": "/no/such/file",
		"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "DATABASE_URL": "sqlite:///" + filepath.ToSlash(t.TempDir()) + "/x.db",
	}), "serve")
	want := "missingkbs: the settings need mending (flags, environment or the file of --config):\n" +
		"  - SLACK_APP_TOKEN_FILE names a file that cannot be read: no such file or directory\n" +
		"  - AZURE_CLIENT_SECRET_FILE names a file that cannot be read: no such file or directory\n"
	if runtime.GOOS != "windows" && got.err != want {
		t.Errorf("got %q, want %q", got.err, want)
	}
}

// A file with a secret in it that everybody may read is told, once, and taken all the same.
func TestFilesOpenToEverybody(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows does not say who may read a file in these bits")
	}
	open, closed := keep(t, "open", "hunter2"), keep(t, "closed", "hunter2")
	config := keep(t, "settings.yaml", "AZURE_CLIENT_SECRET: hunter2\n")
	for path, mode := range map[string]os.FileMode{open: 0o644, closed: 0o640, config: 0o604} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	var m mistakes
	c := parse(t, map[string]string{"MISSINGKBS_CONFIG": config, "SLACK_APP_TOKEN_FILE": open, "SLACK_BOT_TOKEN_FILE": closed, "AZURE_CLIENT_CERTIFICATE_PATH": open}).Serve
	for range 2 {
		c.Slack.read(&m)
		c.Defender.credential(&m, "")
	}
	var log bytes.Buffer
	m.tell(slog.New(slog.NewTextHandler(&log, nil)))
	for _, setting := range []string{"SLACK_APP_TOKEN_FILE names a file", "AZURE_CLIENT_CERTIFICATE_PATH names a file", "AZURE_CLIENT_SECRET stands in a file of settings"} {
		if strings.Count(log.String(), setting) != 1 {
			t.Errorf("the log does not say once that %s that is open to all", setting)
		}
	}
	if strings.Contains(log.String(), "SLACK_BOT_TOKEN") || strings.Contains(log.String(), "hunter2") {
		t.Error("the log tells of a file that is closed, or what a file holds")
	}
	if t.Failed() {
		t.Log(log.String())
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	s := slackSettings{BotToken: secret{text: "hunter2", file: "hunter2"}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s.BotToken)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s.BotToken, "settings", s)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s.BotToken, s.BotToken), log.String()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret is in %q", text)
		}
	}
}
