package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/completion"
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
	if err := os.Symlink(program(t), filepath.Join(dir, "missingkbs")); err != nil {
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
				cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir}
				out, err := cmd.CombinedOutput()
				if got := strings.TrimSpace(string(out)); got != want || err != nil {
					t.Errorf("%s: got %q (%v), want %q", line, got, err, want)
				}
			}
		})
	}
}
