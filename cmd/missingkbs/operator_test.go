package main

import (
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
