package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/completion"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/schedule"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// inShell are the steps in which each shell completes a line, without a person at a terminal. The last word is unfinished.
// The completion system of zsh needs a terminal, so functions in its place print what they are given.
var inShell = map[string]string{
	"bash": `source <(missingkbs completion bash)
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _missingkbs missingkbs; printf '%s\n' "${COMPREPLY[@]}"`,
	"zsh": `compdef() { : }; _files() { print -r -- "$words[CURRENT]"* }; _describe() { print -rl -- "${(@P)3}" }
source <(missingkbs completion zsh)
words=("$@"); CURRENT=$#; _missingkbs | sed 's/:.*//'`,
	"fish": `missingkbs completion fish | source
complete -C "$argv" | string replace -r '\t.*' ''; true`,
}

// The scripts work in the shells that they are written for.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(os.Args[0], filepath.Join(dir, "missingkbs")); err != nil {
		t.Fatal(err)
	}
	for _, shell := range completion.Shells() {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell); err != nil {
				t.Skip("not installed")
			}
			for line, want := range map[string]string{
				"missingkbs vers": "version", "missingkbs ask --sandbox microsoft-_-windows_ad": "microsoft-_-windows_admin_center",
				"missingkbs ask -o js": "json", "missingkbs ask digest rem": "remove", "missingkbs ask --sandbox devices microsoft-_-windows_ad": "microsoft-_-windows_admin_center",
				"missingkbs nonsense": "",
			} {
				args := []string{"-c", inShell[shell], "--", "--"}
				if shell == "fish" {
					args = []string{"--no-config", "-c", inShell[shell], line}
				} else {
					args = append(args[:3], strings.Fields(line)...)
				}
				cmd := exec.CommandContext(t.Context(), shell, args...)
				cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, reexec + "=1"}
				out, err := cmd.CombinedOutput()
				if got := strings.TrimSpace(string(out)); got != want || err != nil {
					t.Errorf("%s: got %q (%v), want %q", line, got, err, want)
				}
			}
		})
	}
}

// What the bot has read, and its digests, are completed from the database. Without one, or with settings that are wrong, a
// shell is told the rest, and no error.
func TestCompletionFromTheDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url := "sqlite://" + filepath.ToSlash(filepath.Join(dir, "db"))
	database, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := database.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	sub := digest.Subscription{ID: "4711", Tenant: digest.DefaultTenant, Channel: "C1", Owner: "U1", Watch: []string{"contoso-_-app"}, Schedule: schedule.Schedule{Words: "mon 09:00", Zone: "UTC"}, Quiet: digest.Silent, Created: at}
	if err := database.AddSubscription(t.Context(), sub, audit.Entry{}); err != nil {
		t.Fatal(err)
	}
	err = database.Record(t.Context(), digest.Delivery{Key: "k", Subscription: sub.ID, Tenant: sub.Tenant, At: at, Due: at, Kind: digest.First},
		patchgap.Snapshot{Tenant: sub.Tenant, At: at, Software: sub.Watch}, sub, view.Page{})
	if err != nil {
		t.Fatal(err)
	}
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(dir, "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("NO_SUCH_SETTING: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		vars map[string]string
		line string
		want []string
	}{
		"software":       {map[string]string{"DATABASE_URL": url}, "ask con", []string{"contoso-_-app\tsoftware"}},
		"digests":        {map[string]string{"DATABASE_URL": url}, "ask digest show ", []string{"4711\tContoso App"}},
		"no database":    {map[string]string{"DATABASE_URL": url + "x"}, "ask con", nil},
		"wrong database": {map[string]string{"DATABASE_URL": "mysql://x"}, "ask devi", []string{"devices\t"}},
		"no settings":    {nil, "ask devi", []string{"devices\t"}},
		"wrong file":     {map[string]string{"MISSINGKBS_CONFIG": wrong}, "ask devi", []string{"devices\t"}},
		"file being typed": {
			nil, "--config " + dir + "/no", []string{":files"},
		},
	} {
		got := invoke(t, env(c.vars), append([]string{completeName, "--"}, strings.Split(c.line, " ")...)...)
		lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
		same := slices.EqualFunc(lines, c.want, strings.HasPrefix) || got.out == "" && c.want == nil
		if got.code != exitDone || got.err != "" || !same {
			t.Errorf("%s: %+v, want %q", name, got, c.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "dbx")); err == nil {
		t.Error("a database was made")
	}
}

func TestCompletionOfAnotherShell(t *testing.T) {
	t.Parallel()
	if got := invoke(t, noEnv, "completion", "powershell"); got.code != exitWrongUse || !strings.Contains(got.err, "bash, zsh, fish") {
		t.Errorf("got %+v", got)
	}
}
