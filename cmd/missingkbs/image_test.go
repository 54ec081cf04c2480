package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/missingkbs/missingkbs/internal/repotest"
)

// pinned is how an image is pinned by digest, and an action by commit.
var pinned = regexp.MustCompile(`@(sha256:[0-9a-f]{64}|[0-9a-f]{40})$`)

// What is fetched from outside is pinned, or is pinned by the updater: by tags alone others decide what runs here.
func TestDeployPinsWhatItFetches(t *testing.T) {
	t.Parallel()
	var updater struct {
		Extends      []string
		Enabled      *bool
		IgnorePaths  []string
		PackageRules []struct {
			Enabled    *bool
			PinDigests *bool
		}
	}
	if err := json.Unmarshal([]byte(repotest.Read(t, ".github/renovate.json")), &updater); err != nil {
		t.Fatal(err)
	}
	off := func(b *bool) bool { return b != nil && !*b }
	disabled := off(updater.Enabled) || len(updater.IgnorePaths) > 0
	for _, r := range updater.PackageRules {
		disabled = disabled || off(r.Enabled) || off(r.PinDigests)
	}
	pins := func(preset string) bool { return !disabled && slices.Contains(updater.Extends, preset) }

	images := regexp.MustCompile(`(?m)^FROM (?:--\S+ )?(\S+)`).FindAllStringSubmatch(repotest.Read(t, dockerFile), -1)
	if len(images) < 2 {
		t.Errorf("found %d base images", len(images))
	}
	for _, m := range images {
		if !pinned.MatchString(m[1]) && !pins("docker:pinDigests") {
			t.Errorf("%s has no digest, and nothing adds one", m[1])
		}
	}
	workflows, err := filepath.Glob("../../.github/workflows/*")
	if err != nil || len(workflows) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	used := 0
	for _, path := range workflows {
		for _, m := range regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(\S+)`).FindAllStringSubmatch(repotest.Read(t, strings.TrimPrefix(path, "../../")), -1) {
			used++
			if !strings.HasPrefix(m[1], "./") && !pinned.MatchString(m[1]) && !pins("helpers:pinGitHubActionDigests") {
				t.Errorf("%s: %s has no commit, and nothing adds one", path, m[1])
			}
		}
	}
	if used == 0 {
		t.Error("found no actions")
	}
	if first, _, _ := strings.Cut(repotest.Read(t, dockerFile), "\nFROM"); strings.Contains(first, "syntax=") {
		t.Error("the Dockerfile fetches a frontend that it does not need")
	}
}

// checkout copies what an image is built from, as .dockerignore says, into a repository of its own.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var rules []string
	for line := range strings.Lines(repotest.Read(t, ".dockerignore")) {
		rules = append(rules, strings.TrimSpace(line))
	}
	if rules[0] != "*" || !slices.Contains(rules, "!.git") || !slices.Contains(rules, ".git/config") {
		t.Fatalf(".dockerignore lets other things through than this test knows: %q", rules)
	}
	for _, rule := range rules {
		name, in := strings.CutPrefix(rule, "!")
		if !in || name == ".git" {
			continue
		}
		err := filepath.WalkDir(filepath.Join("../..", name), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules"):
				return fs.SkipDir
			case d.IsDir() || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			target := filepath.Join(dir, strings.TrimPrefix(path, "../../"))
			if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
				return err
			}
			return os.WriteFile(target, raw, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// in runs a command in a directory and returns what it prints.
func in(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	c.Env = append(c.Env, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.example")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// The command of the Dockerfile makes a program that tells the version it was built from.
func TestDeployImageTellsItsVersion(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the program")
	}
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 .*go build .*)$`).FindStringSubmatch(repotest.Read(t, dockerFile))
	if build == nil {
		t.Fatal("the Dockerfile builds nothing")
	}
	dir := checkout(t)
	tells := func(env ...string) string {
		t.Helper()
		out := t.TempDir()
		in(t, dir, append(env, "GOFLAGS="), "sh", "-c", strings.ReplaceAll(build[1], "/out", out))
		return in(t, dir, nil, filepath.Join(out, "missingkbs"), "version")
	}
	if got := tells("VERSION="); got != "missingkbs (devel)" { // nothing is known, and nothing is made up
		t.Errorf("without git: %q", got)
	}
	in(t, dir, nil, "git", "init", "-q")
	in(t, dir, nil, "git", "add", "-A")
	in(t, dir, nil, "git", "commit", "-q", "-m", "x")
	in(t, dir, nil, "git", "tag", "v1.2.3")
	for _, name := range []string{"config", "hooks", "logs"} { // which the context has not
		if err := os.RemoveAll(filepath.Join(dir, ".git", name)); err != nil {
			t.Fatal(err)
		}
	}
	if got := tells("VERSION="); got != "missingkbs v1.2.3" {
		t.Errorf("of a tag: %q", got)
	}
	if got := tells("VERSION=v9"); got != "missingkbs v9" {
		t.Errorf("with an argument: %q", got)
	}
}

// What the version script prints is what a checkout is.
func TestDeployVersionOfACheckout(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".ci/version", repotest.Read(t, ".ci/version"))
	write("api/a.go", "package a")
	write("api/a_test.go", "package a")
	write("README.md", "x")
	version := func() string { return in(t, dir, nil, "sh", ".ci/version") }
	if got := version(); got != "" {
		t.Errorf("without git: %q", got)
	}
	in(t, dir, nil, "git", "init", "-q")
	if got := version(); got != "" {
		t.Errorf("without a commit: %q", got)
	}
	in(t, dir, nil, "git", "add", "-A")
	in(t, dir, nil, "git", "commit", "-q", "-m", "x")
	commit := in(t, dir, nil, "git", "rev-parse", "--short", "HEAD")
	if got := version(); got != commit {
		t.Errorf("without a tag: %q, want %s", got, commit)
	}
	in(t, dir, nil, "git", "tag", "v1.2.3")
	if err := os.Remove(filepath.Join(dir, "README.md")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "api/a_test.go")); err != nil {
		t.Fatal(err)
	}
	if got := version(); got != "v1.2.3" {
		t.Errorf("without what an image leaves out: %q", got)
	}
	write("api/b.go", "package a")
	if got := version(); got != "v1.2.3-dirty" {
		t.Errorf("with a file that is in no commit: %q", got)
	}
}

func TestVersionOf(t *testing.T) {
	t.Parallel()
	built := &debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-2026"}}
	for _, c := range []struct {
		linked, archived string
		info             *debug.BuildInfo
		want             string
	}{
		{"v1", "v2", built, "v1"},
		{"", "v2|abc", built, "v2"},
		{"", "|abc", built, "abc"}, // no tag lies before it
		{"", archived, built, "v0.0.0-2026"},
		{"", "", built, "v0.0.0-2026"},
		{"", archived, &debug.BuildInfo{}, "(devel)"},
		{"", archived, nil, "(devel)"},
	} {
		if got := versionOf(c.linked, c.archived, c.info); got != c.want {
			t.Errorf("%q, %q: got %q, want %q", c.linked, c.archived, got, c.want)
		}
	}
	if !strings.HasPrefix(archived, "$Format:") || !strings.Contains(repotest.Read(t, ".gitattributes"), "cmd/missingkbs/version.go export-subst") {
		t.Error("an archive would not tell its version")
	}
	var workflow any
	if err := yaml.Unmarshal([]byte(repotest.Read(t, ".github/workflows/ci.yml")), &workflow); err != nil {
		t.Error(err)
	}
}
