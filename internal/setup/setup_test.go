package setup_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/setup"
	"github.com/missingkbs/missingkbs/internal/tty"
)

const (
	tenant = "11111111-2222-4333-8444-555555555555"
	client = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	app    = "xapp-1-A0123456789-1234567890123-0a1b2c3d"
	bot    = "xoxb-123456789012-1234567890123-abcDEF"
	secret = "3Zx8Q~aB.c-d_e~fghijklmnopqrstuvwxyz0123"
)

// walk runs a walk that calls no service, with variables and the answers of a script. It returns what was shown.
func walk(t *testing.T, path string, vars map[string]string, answers ...string) (shown string, err error) {
	t.Helper()
	var flags config.Settings
	env := func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
	resolver := config.Resolver{Env: env, File: config.ReadFile(nil, env)}
	parser, err := kong.New(&flags, kong.Resolvers(resolver))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = setup.Run(t.Context(), setup.Options{
		Settings: flags, Given: resolver.Given(parsed), Env: env, File: resolver.File, Path: path, Offline: true,
		Prompt: tty.NewPrompt(strings.NewReader(strings.Join(answers, "\n")+"\n"), &out), Out: &out,
	})
	if text := out.String() + errorText(err); strings.Contains(text, secret) || strings.Contains(text, app) || strings.Contains(text, bot) {
		t.Errorf("a secret is shown:\n%s", text)
	}
	return out.String(), err
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func settings(t *testing.T, path string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]string
	if err := yaml.Unmarshal(raw, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

func holds(t *testing.T, path, word, content string) {
	t.Helper()
	file := filepath.Join(path, word)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Each way to sign in asks for what it needs, and the file is what the program reads.
func TestWhatIsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holds(t, dir, "app.pem", "a certificate")
	holds(t, dir, "bot-token", bot)
	certificate, file := filepath.Join(dir, "app.pem"), filepath.Join(dir, "bot-token")
	for name, c := range map[string]struct {
		vars    map[string]string
		answers []string
		want    map[string]string
	}{
		"secret": {
			answers: []string{app, bot, "", "", tenant, client, secret, ""},
			want:    map[string]string{"SLACK_APP_TOKEN": app, "SLACK_BOT_TOKEN": bot, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": secret},
		},
		"certificate, a file for a secret, another cloud, PostgreSQL": {
			answers: []string{app, "@" + file, "gcc-high", "cert", "contoso.onmicrosoft.us", client, certificate, "pass: \"word\" #1", "postgres://bot:pa%20ss@db:5432/kbs?sslmode=require"},
			want: map[string]string{
				"SLACK_APP_TOKEN": app, "SLACK_BOT_TOKEN": "@" + file, "DEFENDER_CLOUD": "gcc-high", "AZURE_TENANT_ID": "contoso.onmicrosoft.us", "AZURE_CLIENT_ID": client,
				"AZURE_CLIENT_CERTIFICATE_PATH": certificate, "AZURE_CLIENT_CERTIFICATE_PASSWORD": "pass: \"word\" #1", "DATABASE_URL": "postgres://bot:pa%20ss@db:5432/kbs?sslmode=require",
			},
		},
		"workload": {
			answers: []string{app, bot, "p", "w", tenant, client, certificate, ""},
			want:    map[string]string{"SLACK_APP_TOKEN": app, "SLACK_BOT_TOKEN": bot, "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_FEDERATED_TOKEN_FILE": certificate},
		},
		"managed": {
			answers: []string{app, bot, "public", "managed", "system", ""},
			want:    map[string]string{"SLACK_APP_TOKEN": app, "SLACK_BOT_TOKEN": bot, "AZURE_CLIENT_ID": "system"},
		},
		"what is set already is not asked for, and kept": {
			vars: map[string]string{
				"SLACK_APP_TOKEN": app, "SLACK_BOT_TOKEN_FILE": file, "DEFENDER_CLOUD": "dod", "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": secret,
				"DATABASE_URL": "sqlite:///x.db", "HTTP_ADDR": "", "MISSINGKBS_SOCKETS": "3", "LOG_LEVEL": "", "MISSINGKBS_CONFIG": "",
			},
			answers: nil,
			want: map[string]string{
				"SLACK_APP_TOKEN": app, "SLACK_BOT_TOKEN_FILE": file, "DEFENDER_CLOUD": "dod", "AZURE_TENANT_ID": tenant, "AZURE_CLIENT_ID": client, "AZURE_CLIENT_SECRET": secret,
				"DATABASE_URL": "sqlite:///x.db", "HTTP_ADDR": "", "MISSINGKBS_SOCKETS": "3",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "settings.yaml")
			shown, err := walk(t, path, c.vars, c.answers...)
			if err != nil {
				t.Fatalf("%v\n%s", err, shown)
			}
			if diff := cmp.Diff(c.want, settings(t, path)); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			if !strings.Contains(shown, "missingkbs doctor --config "+path) || !strings.Contains(shown, "missingkbs serve --config") {
				t.Errorf("what comes next is not said:\n%s", shown)
			}
			file := config.ReadFile([]string{"--config", path}, func(string) (string, bool) { return "", false })
			if file.Err != nil {
				t.Errorf("the program cannot read it: %v", file.Err)
			}
			alone(t, path)
		})
	}
}

// alone fails if there is another file beside one.
func alone(t *testing.T, path string) {
	t.Helper()
	all, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Name() != filepath.Base(path) {
			t.Errorf("%s was left behind", f.Name())
		}
	}
}

// A wrong answer of a script ends it with what is wrong, and nothing is written.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none")
	for name, c := range map[string]struct {
		answers []string
		want    string
	}{
		"no app token":             {[]string{""}, "SLACK_APP_TOKEN is missing"},
		"tokens swapped":           {[]string{bot}, "SLACK_APP_TOKEN is another kind of token: it looks like xapp-"},
		"not a bot token":          {[]string{app, app}, "SLACK_BOT_TOKEN is another kind of token: it looks like xoxb-"},
		"no such file":             {[]string{"@" + missing}, "SLACK_APP_TOKEN names a file that cannot be read"},
		"no such cloud":            {[]string{app, bot, "gc"}, "takes one of public, gcc, gcc-high, dod"},
		"no such way":              {[]string{app, bot, "", "password"}, "takes one of secret, certificate, workload, managed"},
		"a name for a tenant":      {[]string{app, bot, "", "", "Contoso Ltd"}, "AZURE_TENANT_ID is not a tenant id: it looks like"},
		"a name for an app":        {[]string{app, bot, "", "", tenant, "missingkbs"}, "AZURE_CLIENT_ID is not an application id: it looks like"},
		"no secret":                {[]string{app, bot, "", "", tenant, client, ""}, "AZURE_CLIENT_SECRET is missing"},
		"the id of the secret":     {[]string{app, bot, "", "", tenant, client, tenant}, "AZURE_CLIENT_SECRET is the Secret ID: copy the Value"},
		"no certificate":           {[]string{app, bot, "", "cert", tenant, client, missing}, "AZURE_CLIENT_CERTIFICATE_PATH names a file that cannot be read"},
		"no token file":            {[]string{app, bot, "", "work", tenant, client, ""}, "AZURE_FEDERATED_TOKEN_FILE is missing"},
		"no managed identity":      {[]string{app, bot, "", "man", "mine"}, `is the word "system"`},
		"another kind of database": {[]string{app, bot, "", "man", "system", "mysql://x"}, "DATABASE_URL"},
		"half way":                 {[]string{app, bot, "", "", tenant}, "the input ended before this was answered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "settings.yaml")
			shown, err := walk(t, path, nil, c.answers...)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "nothing was written") {
				t.Errorf("got %v, want %s\n%s", err, c.want, shown)
			}
			alone(t, path)
		})
	}
}

// A file that is there is replaced only if the operator says so, and is asked about before anything else.
func TestAFileThatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holds(t, dir, "settings.yaml", "LOG_LEVEL: debug\n")
	path := filepath.Join(dir, "settings.yaml")
	if shown, err := walk(t, path, nil, ""); err == nil || !strings.Contains(err.Error(), "was kept as it is; --file names another") || strings.Contains(shown, "1. Slack") {
		t.Errorf("got %v\n%s", err, shown)
	}
	if shown, err := walk(t, path, nil, "yes", app); err == nil {
		t.Errorf("ended well:\n%s", shown)
	}
	if diff := cmp.Diff(map[string]string{"LOG_LEVEL": "debug"}, settings(t, path)); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if shown, err := walk(t, path, nil, "y", app, bot, "", "managed", "system", ""); err != nil {
		t.Errorf("%v\n%s", err, shown)
	}
	if got := settings(t, path); got["SLACK_APP_TOKEN"] != app || got["LOG_LEVEL"] != "" {
		t.Errorf("got %v", got)
	}
	alone(t, path)
}

// A file that appears while the operator types is kept.
func TestAFileThatAppears(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "settings.yaml")
	in, typed := io.Pipe()
	go func() {
		for _, line := range []string{app, bot, "", "managed", "system"} {
			_, _ = io.WriteString(typed, line+"\n")
		}
		_ = os.WriteFile(path, []byte("LOG_LEVEL: debug\n"), 0o600)
		_, _ = io.WriteString(typed, "\n")
		_ = typed.Close()
	}()
	err := setup.Run(t.Context(), setup.Options{
		Env: func(string) (string, bool) { return "", false }, File: &config.File{}, Path: path, Offline: true, Prompt: tty.NewPrompt(in, io.Discard), Out: io.Discard,
	})
	if err == nil || !strings.Contains(err.Error(), "has appeared in the meantime and was kept") {
		t.Errorf("got %v", err)
	}
	if got := settings(t, path); got["LOG_LEVEL"] != "debug" {
		t.Errorf("got %v", got)
	}
	alone(t, path)
}

// Where nothing can be written is told before the first question.
func TestPlacesThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "settings.yaml"): "cannot be written (no such file or directory)",
		dir: "is no file",
	} {
		if shown, err := walk(t, path, nil, app); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(shown, "1. Slack") {
			t.Errorf("%s: got %v\n%s", path, err, shown)
		}
	}
}

// What serve would refuse is refused before the first question, wherever it is set.
func TestWrongSettingsAreNotTakenOver(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"MISSINGKBS_SLA": "foo", "HTTP_ADDR": "8080", "LOG_LEVEL": "loud", "MISSINGKBS_WEBHOOK_URL": "http://x", "AZURE_CLIENT_SECRET_FILE": "/no/such/file", "DATABASE_URL": "mysql://x",
	} {
		path := filepath.Join(t.TempDir(), "settings.yaml")
		shown, err := walk(t, path, map[string]string{name: value}, app, bot, "", "managed", "system", "")
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "nothing was written") || strings.Contains(shown, "1. Slack") {
			t.Errorf("%s: got %v\n%s", name, err, shown)
		}
		alone(t, path)
	}
}

// The file does not hold what every program reads from the environment, so the end names it.
func TestTheEnvironmentIsNamed(t *testing.T) {
	t.Parallel()
	for _, vars := range []map[string]string{nil, {"HTTPS_PROXY": "http://127.0.0.1:1"}} {
		path := filepath.Join(t.TempDir(), "settings.yaml")
		shown, err := walk(t, path, vars, app, bot, "", "managed", "system", "")
		if err != nil {
			t.Fatal(err)
		}
		if named := strings.Contains(shown, "the file does not hold: HTTPS_PROXY"); named != (vars != nil) {
			t.Errorf("with %v:\n%s", vars, shown)
		}
	}
}
