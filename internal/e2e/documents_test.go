package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/repotest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store/storetest"
)

// documents are those whose commands people copy.
func documents(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}
	files, err := filepath.Glob(filepath.Join(repotest.Root(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, "docs/"+filepath.Base(f))
	}
	return names
}

// placeholders are what a person fills in: values of settings that are shown as an ellipsis.
var placeholders = regexp.MustCompile(`\b([A-Z][A-Z_]+)=(?:xapp-|xoxb-)?…`)

// Every block of shell lines of README and docs runs, word for word, in a folder of its own against stand-ins of Slack, Entra,
// Defender and the feeds. Only places that no test may touch and ids of a workspace are replaced; documents.sh says what does
// not run here, and why.
func TestDocumentsRun(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "jq", "make"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("CI") == "true" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
	settings := startServices(t)
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```")
	prelude, ran := repotest.Read(t, "internal/e2e/testdata/documents.sh"), 0
	for _, name := range documents(t) {
		for i, m := range blocks.FindAllStringSubmatch(repotest.Read(t, name), -1) {
			ran++
			t.Run(fmt.Sprintf("%s-%d", name, i+1), func(t *testing.T) {
				folder := operatorsFolder(t, settings)
				text := placeholders.ReplaceAllString(m[1], `$1="$$$1"`)
				text = strings.NewReplacer(
					"/var/lib/missingkbs", folder+"/var", "/etc/missingkbs", folder+"/etc",
					"C0123ABCD", sandbox.General, "U0123ABCD", sandbox.Alice, ".ci/run", "test -x \"$ROOT\"/.ci/run",
				).Replace(text)
				cmd := exec.CommandContext(t.Context(), "bash", "-c", prelude+"\n"+text)
				cmd.Dir, cmd.Env = folder, environment(operatorsSettings(t, settings, folder))
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s\n%s", err, m[1], out)
				}
			})
		}
	}
	if ran < 15 {
		t.Errorf("only %d blocks", ran)
	}
}

// startServices runs what the sandbox has beside the bot, and returns the settings for it.
func startServices(t *testing.T) map[string]string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "try")
	var out locked
	services := exec.CommandContext(t.Context(), program(t), "sandbox", "--addr", "127.0.0.1:0", "--services", folder)
	services.Env, services.Stdout, services.Stderr = environment(nil), &out, &out
	if err := services.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = services.Process.Kill(); _ = services.Wait() })
	eventually(t, func() (string, bool) { return out.String(), strings.Contains(out.String(), "missingkbs serve") })
	return readEnv(t, filepath.Join(folder, "settings.env"))
}

// operatorsFolder is a folder with what the lines of documents take for granted: settings, a database, a backup of one, and an
// address of another.
func operatorsFolder(t *testing.T, settings map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	var env strings.Builder
	for name, value := range settings {
		env.WriteString(name + "=" + value + "\n")
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("try/settings.env", env.String())
	write("etc/database-url", "sqlite://"+folder+"/other.db\n")
	write(".config/fish/config.fish", "")
	for _, file := range []string{"missingkbs.bak", "missingkbs.db", "missingkbs.db-wal", "missingkbs.db-shm"} {
		write(file, "")
	}
	if err := os.MkdirAll(filepath.Join(folder, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program(t), filepath.Join(folder, "bin", "missingkbs")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/missingkbs/missingkbs.db", "/var/missingkbs.db"} { // where nothing says otherwise, and where settings do
		storetest.File(t, "sqlite://"+filepath.ToSlash(folder)+path)
	}
	return folder
}

// operatorsSettings is the environment of an operator who works in a folder.
func operatorsSettings(t *testing.T, settings map[string]string, folder string) map[string]string {
	t.Helper()
	own := maps.Clone(settings)
	maps.Copy(own, map[string]string{
		"PATH": filepath.Join(folder, "bin") + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME": folder, "XDG_DATA_HOME": folder, "HTTP_ADDR": freeAddress(t), "ROOT": repotest.Root(t),
	})
	return own
}

// What documents have people type in Slack is answered, and neither corrected nor about nothing: lines of blocks after
// /missingkbs, the first table of the README, and the examples of docs/commands.md, which are those of help.
func TestDocumentsCanBeTyped(t *testing.T) {
	t.Parallel()
	lines := regexp.MustCompile(`(?m)^/missingkbs (.*)$`)
	words := regexp.MustCompile("`([^`]+)`")
	var typed []string
	for _, name := range documents(t) {
		for _, m := range lines.FindAllStringSubmatch(repotest.Read(t, name), -1) {
			typed = append(typed, m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\| Example \| (.*) \|$`).FindAllStringSubmatch(repotest.Read(t, "docs/commands.md"), -1) {
		typed = append(typed, strings.ReplaceAll(m[1], `\|`, "|"))
	}
	_, table, _ := strings.Cut(repotest.Read(t, "README.md"), "| in Slack, after `/missingkbs` |")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.Lines(table) {
		cells := strings.Split(row, " | ")
		for _, m := range words.FindAllStringSubmatch(cells[0], -1) {
			typed = append(typed, m[1])
		}
	}
	if len(typed) < 24 {
		t.Errorf("only %q", typed)
	}
	corrected := regexp.MustCompile(`Did you mean|There is no|Unexpected word|Usage:|takes one of|does not know|No device|is not missing here`)
	d := startDemo(t)
	for _, line := range typed {
		if answer, err := d.Ask(t.Context(), line); err != nil || answer == "" || corrected.MatchString(answer) {
			t.Errorf("%s: %v\n%s", line, err, answer)
		}
	}
}

// startDemo runs in this process what `missingkbs sandbox` runs.
func startDemo(t *testing.T) *demo.Demo {
	t.Helper()
	deadlines, err := deadline.Parse(deadline.Example)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	d, err := demo.Start(ctx, demo.Options{Deadlines: deadlines, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		d.Close()
	})
	return d
}
