package config

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
)

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
		var m Errors
		got := m.Secret("SLACK_BOT_TOKEN", parse(t, tc.env, tc.args...).Slack.BotToken)
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
		if err := m.Err(); (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
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
		for _, given := range []Secret{{file: keep(t, "hunter", tc.content)}, {text: "@" + keep(t, "hunter", tc.content)}} {
			var m Errors
			if got := m.Secret("NAME", given); got != tc.want {
				t.Errorf("%s: got %.20q, want %.20q", name, got, tc.want)
			}
			err := m.Err()
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
		var m Errors
		_ = m.Secret("NAME", Secret{file: path})
		if err := m.Err(); err == nil || strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "NAME_FILE names a file that cannot be read") {
			t.Errorf("%s: got %v", path, err)
		}
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
	var m Errors
	c := parse(t, map[string]string{"MISSINGKBS_CONFIG": config, "SLACK_APP_TOKEN_FILE": open, "SLACK_BOT_TOKEN_FILE": closed, "AZURE_CLIENT_CERTIFICATE_PATH": open})
	for range 2 {
		c.Slack.Read(&m)
		c.Defender.ReadCredential(&m, "")
	}
	var log bytes.Buffer
	m.LogWarnings(slog.New(slog.NewTextHandler(&log, nil)))
	for _, setting := range []string{"SLACK_APP_TOKEN_FILE names a file", "AZURE_CLIENT_CERTIFICATE_PATH names a file", "AZURE_CLIENT_SECRET is in a file of settings"} {
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
	s := Slack{BotToken: Secret{text: "hunter2", file: "hunter2"}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s.BotToken)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s.BotToken, "settings", s)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s.BotToken, s.BotToken), log.String()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("a secret is in %q", text)
		}
	}
}
