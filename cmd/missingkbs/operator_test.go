package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// write writes a file and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Commands that read the database say what is wrong with it and what to do, once, on one line, without secrets and without
// changing what is there.
func TestWrongDatabases(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("paths of another kind")
	}
	missing, slashes := filepath.Join(t.TempDir(), "mistyped", "x.db"), filepath.Join(t.TempDir(), "mistyped", "x.db")
	foreign := write(t, "passwd", strings.Repeat("root:x:0:0::/root:/bin/sh\n", 50))
	folder := t.TempDir()
	const away = "postgres://u:hunter2@127.0.0.1:1/db"
	for name, c := range map[string]struct {
		url        string
		read, make []string // what commands say that only read, and that make a database
		readCode   int
		makeCode   int // 0 if it is made
	}{
		"missing":      {"sqlite://" + missing, []string{"there is no file " + missing + ": ", "missingkbs serve"}, nil, exitFailed, exitDone},
		"four slashes": {"sqlite:////" + strings.TrimPrefix(slashes, "/"), []string{"there is no file " + slashes + ": "}, nil, exitFailed, exitDone},
		"another file": {"sqlite://" + foreign, []string{foreign + " holds no SQLite database", "name another file"}, []string{foreign + " holds no SQLite database", "name another file"}, exitWrongUse, exitWrongUse},
		"a folder":     {"sqlite://" + folder, []string{folder}, []string{folder, "is a directory", "name a file"}, exitWrongUse, exitWrongUse},
		"no server":    {away, []string{"127.0.0.1:1", "connection refused", "see whether the database runs"}, []string{"127.0.0.1:1", "connection refused", "see whether the database runs"}, exitFailed, exitFailed},
		"not a kind":   {"mysql://u:hunter2@h/db", []string{"DATABASE_URL: it takes sqlite:///path/file.db"}, []string{"DATABASE_URL: it takes sqlite:///path/file.db"}, exitWrongUse, exitWrongUse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(want []string, code int, args ...string) {
				t.Helper()
				got := invoke(t, env(map[string]string{"DATABASE_URL": c.url}), args...)
				if got.code != code || code != exitDone && got.out != "" {
					t.Errorf("%q: %+v, want exit code %d", args, got, code)
				}
				for _, text := range want {
					if strings.Count(got.err, text) == 0 {
						t.Errorf("%q: %q is not said:\n%s", args, text, got.err)
					}
				}
				if strings.Contains(got.err, "hunter2") || strings.Count(got.err, "connection refused") > 1 {
					t.Errorf("%q says %s", args, got.err)
				}
			}
			for _, args := range [][]string{{"audit"}, {"data", "status"}, {"ask", "digest", "list"}, {"ask", "accept", "list"}} {
				check(c.read, c.readCode, args...)
			}
			check(c.make, c.makeCode, "migrate")
		})
	}
	if raw, err := os.ReadFile(foreign); err != nil || !strings.HasPrefix(string(raw), "root:x:") {
		t.Errorf("the other file was changed: %v", err)
	}
}

// Wrong use is told with what to do, exit code 2, and without a panic.
func TestWrongFlags(t *testing.T) {
	t.Parallel()
	file := write(t, "file", "x")
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "name a command: serve, ask, sandbox, setup"},
		{[]string{"serv"}, `did you mean "serve"?`},
		{[]string{"manifest", "--name", ""}, "--name is empty: give it a value or leave it out"},
		{[]string{"manifest", "--bot-name="}, "--bot-name is empty"},
		{[]string{"audit", "--user", ""}, "--user is empty"},
		{[]string{"audit", "--action", ""}, "--action is empty"},
		{[]string{"audit", "--since="}, "--since is empty"},
		{[]string{"sandbox", "--headless", ""}, "--headless is empty"},
		{[]string{"sandbox", "--services", ""}, "--services is empty"},
		{[]string{"doctor", "--bundle", ""}, "--bundle is empty"},
		{[]string{"--config", "", "version"}, "--config is empty"},
		{[]string{"ask", ""}, "what do you want to ask?"},
		{[]string{"ask", "--sandbox", " "}, "what do you want to ask?"},
		{[]string{"ask", "--sandbox", "\u200b"}, "what do you want to ask?"},
		{[]string{"ask", "-o", "json", ""}, "what do you want to ask?"},
		{[]string{"sandbox", "--addr", "foo"}, "--addr takes an address of this machine and a port"},
		{[]string{"sandbox", "--addr", "0.0.0.0:7070"}, "the sandbox listens nowhere else"},
		{[]string{"sandbox", "--addr", "example.com:80"}, "--addr takes an address of this machine"},
		{[]string{"sandbox", "--addr", "127.0.0.1:99999"}, "--addr takes an address of this machine"},
		{[]string{"sandbox", "--addr", "127.0.0.1:0", "--services", file}, "name a folder that you may write"},
		{[]string{"data", "fetch", "--to", file}, "name a folder that you may write with --to"},
	} {
		got := invoke(t, noEnv, c.args...)
		if got.code != exitWrongUse || !strings.Contains(got.err, c.want) {
			t.Errorf("%q: got %+v, want exit code %d and %q", c.args, got, exitWrongUse, c.want)
		}
	}
}

// The words that people try first.
func TestHelpAsAWord(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{"help": "Usage: missingkbs <command>", "help audit": "Usage: missingkbs audit", "help data fetch": "Usage: missingkbs data fetch"} {
		if got := invoke(t, noEnv, strings.Fields(args)...); got.code != exitDone || !strings.HasPrefix(got.out, want) || got.err != "" {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// A port that another program has is told with the flag that names another.
func TestSandboxPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := invoke(t, noEnv, "sandbox", "--addr", l.Addr().String())
	if got.code != exitWrongUse || !strings.Contains(got.err, "another program listens at "+l.Addr().String()) || strings.Contains(got.err, "start") {
		t.Errorf("got %+v", got)
	}
}

// On a terminal nothing is offered that works in Slack alone, without saying so.
func TestDigestsOnATerminal(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"DATABASE_URL": "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "x.db"))}
	if got := invoke(t, env(vars), "migrate"); got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	for _, c := range []struct {
		words string
		code  int
		want  string
	}{
		{"digest", exitDone, "Add one in Slack, in the channel that it is to be posted in, for example: /missingkbs digest add"},
		{"digest list", exitDone, "Add one in Slack"},
		{"accept list", exitDone, "Accept one in Slack, for example: /missingkbs accept"},
		{"digest show 99", exitWrongUse, "The list has them all: missingkbs ask digest list"},
		{"digest add windows", exitWrongUse, "in Slack"},
		{"digest pause 99", exitWrongUse, "missingkbs ask digest list"},
		{"accept KB5074202", exitWrongUse, "in Slack"},
		{"accept end KB5074202", exitWrongUse, "in Slack"},
	} {
		got := invoke(t, env(vars), append([]string{"ask"}, strings.Fields(c.words)...)...)
		if said := got.out + got.err; got.code != c.code || !strings.Contains(said, c.want) || strings.Contains(said, "this channel") {
			t.Errorf("%s: %+v, want exit code %d and %q", c.words, got, c.code, c.want)
		}
	}
}

// What a signal has ended says so, and not what it was doing inside.
func TestStoppedCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	vars := map[string]string{"DATABASE_URL": "sqlite://" + filepath.ToSlash(filepath.Join(dir, "x.db")), "MISSINGKBS_KEV_URL": "https://127.0.0.1:1/", "MISSINGKBS_MSRC_URL": "https://127.0.0.1:1/"}
	if got := invoke(t, env(vars), "migrate"); got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	for _, args := range [][]string{
		{"migrate"},
		{"audit"},
		{"data", "status"},
		{"data", "import", filepath.Join(dir, "x.json")},
		{"data", "fetch", "--to", dir},
		{"ask", "--sandbox", "plan", "all"},
		{"ask", "digest", "list"},
		{"sandbox", "--addr", "127.0.0.1:0"},
		{"sandbox", "--headless", "edge"},
		{"doctor", "--offline"},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errs bytes.Buffer
		code := run(ctx, args, env(vars), streams{out: &out, err: &errs})
		if said := errs.String(); code != exitFailed && code != exitDone || strings.Contains(said, "context canceled") || strings.Contains(said, "restarting") || strings.Contains(said, "transaction") {
			t.Errorf("%q: exit code %d and %q", args, code, said)
		}
	}
}
