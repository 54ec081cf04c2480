//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// newcomer is a person with the settings of a clinic, but for those that set-up asks for.
type newcomer struct {
	*clinic
	settings map[string]string
	file     string
}

func newNewcomer(t *testing.T, o sandbox.Options, roles ...string) newcomer {
	t.Helper()
	c := newClinic(t, o, roles...)
	settings := maps.Clone(c.settings)
	for _, asked := range []string{"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CONFIG_TOKEN", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"} {
		delete(settings, asked)
	}
	return newcomer{c, settings, filepath.Join(t.TempDir(), "settings.yaml")}
}

// script runs set-up with answers on its standard input.
func (n newcomer) script(t *testing.T, change map[string]string, answers ...string) output {
	t.Helper()
	settings := maps.Clone(n.settings)
	maps.Copy(settings, change)
	cmd := exec.CommandContext(t.Context(), program(t), "setup", "--file", n.file)
	cmd.Env, cmd.Stdin = environment(settings), strings.NewReader(strings.Join(answers, "\n")+"\n")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its exit code is what counts
	return output{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// wrote checks whether there is a file of settings, and nothing else beside it.
func (n newcomer) wrote(t *testing.T, want bool) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(n.file))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(entries) == 1 && entries[0].Name() == filepath.Base(n.file); got != want || len(entries) > 1 {
		t.Errorf("written: %v", entries)
	}
}

// What a script enters is checked by the real calls, and doctor is content with what comes of it. What a service refuses, or
// a service that is not there, ends the script with the cure, and nothing is written.
func TestSetupFromAScript(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, sandbox.Options{})
	appToken, botToken := n.slack.AppToken(), n.slack.BotToken()
	for name, c := range map[string]struct {
		settings map[string]string
		answers  []string
		code     int
		want     string
	}{
		"no Slack":       {map[string]string{"SLACK_API_URL": "http://127.0.0.1:1/"}, []string{appToken}, exitFailed, "cannot be reached"},
		"app token":      {nil, []string{"xapp-1-A0-hunter2"}, exitFailed, "Slack refuses SLACK_APP_TOKEN: invalid_auth: copy it anew"},
		"bot token":      {nil, []string{appToken, "xoxb-hunter2"}, exitFailed, "Slack refuses SLACK_BOT_TOKEN: invalid_auth"},
		"form":           {nil, []string{botToken}, exitWrongUse, "SLACK_APP_TOKEN is another kind of token"},
		"no Entra":       {map[string]string{"AZURE_AUTHORITY_HOST": "https://127.0.0.1:1"}, []string{appToken, botToken, "", apitest.TenantID, apitest.ClientID, "hunter2"}, exitFailed, "cannot be reached"},
		"client secret":  {nil, []string{appToken, botToken, "", apitest.TenantID, apitest.ClientID, "hunter2"}, exitFailed, "AADSTS7000215"},
		"the input ends": {nil, []string{appToken, botToken}, exitFailed, "the input ended before this was answered; nothing was written"},
	} {
		got := n.script(t, c.settings, c.answers...)
		if got.code != c.code || !strings.Contains(got.err, c.want) || !strings.Contains(got.err, "nothing was written") || strings.Contains(got.out+got.err, "hunter2") {
			t.Errorf("%s: %d, want %d with %q\n%s\n%s", name, got.code, c.code, c.want, got.out, got.err)
		}
		n.wrote(t, false)
	}
	got := n.script(t, nil, appToken, botToken, "", apitest.TenantID, apitest.ClientID, apitest.ClientSecret)
	if got.code != exitDone {
		t.Fatalf("ends with %d\n%s%s", got.code, got.out, got.err)
	}
	n.wrote(t, true)
	if doctor := invoke(t, map[string]string{"MISSINGKBS_CONFIG": n.file, "SSL_CERT_FILE": n.settings["SSL_CERT_FILE"]}, "doctor"); doctor.code != exitDone {
		t.Errorf("doctor ends with %d\n%s%s", doctor.code, doctor.out, doctor.err)
	}
}

// screen is a terminal with a program on it, and a person before it.
type screen struct {
	window   *os.File
	terminal *os.File
	shown    locked
	process  *exec.Cmd
	answered int // how much was shown when the last question was answered
}

func newScreen(t *testing.T, settings map[string]string, args ...string) *screen {
	t.Helper()
	window, terminal, err := pty.Open()
	if err != nil {
		t.Skip("this machine has no terminals: ", err)
	}
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 40, Cols: 200}); err != nil {
		t.Fatal(err)
	}
	s := &screen{window: window, terminal: terminal}
	s.process = exec.CommandContext(t.Context(), program(t), args...)
	s.process.Env = environment(settings)
	s.process.Stdin, s.process.Stdout, s.process.Stderr = terminal, terminal, terminal
	s.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // so that Ctrl-C is an interrupt
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&s.shown, window) // ends with an error when the terminal is closed
	}()
	t.Cleanup(func() {
		_ = s.process.Process.Kill()
		_ = terminal.Close()
		_ = window.Close()
		<-read
	})
	return s
}

// answer waits for a question and types, with Enter. The question must be the last thing on the screen.
func (s *screen) answer(t *testing.T, question, typed string) {
	t.Helper()
	eventually(t, func() (string, bool) {
		text := s.shown.String()
		asks := len(text) > s.answered && strings.HasSuffix(text, question+": ")
		if asks {
			s.answered = len(text)
		}
		return fmt.Sprintf("waiting for %q:\n%s", question, text), asks
	})
	if _, err := io.WriteString(s.window, typed); err != nil {
		t.Fatal(err)
	}
}

const (
	enter = "\r"
	ctrlC = "\x03"
)

// A person mends what was wrong, one value after the other. No secret is on the screen.
func TestSetupOnATerminal(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t, sandbox.Options{})
	s := newScreen(t, n.settings, "setup", "--file", n.file)
	const (
		appToken, botToken, mend = "App-level token (xapp-…)", "Bot token (xoxb-…)", "(again, other, keep) [again]"
		secret                   = "Client secret (its Value)"
	)
	s.answer(t, appToken, n.slack.BotToken()+enter)
	s.answer(t, appToken, "xapp-1-A0-hunter2"+enter)
	s.answer(t, mend, "other"+enter)
	s.answer(t, appToken, n.slack.AppToken()+enter)
	s.answer(t, botToken, n.slack.BotToken()+enter)
	s.answer(t, "[secret]", enter)
	s.answer(t, "Directory (tenant) ID", apitest.TenantID+enter)
	s.answer(t, "Application (client) ID", apitest.ClientID+enter)
	s.answer(t, secret, apitest.TenantID+enter)
	s.answer(t, secret, "hunter2"+enter)
	s.answer(t, mend, enter) // nothing was mended
	s.answer(t, mend, "other"+enter)
	s.answer(t, "Directory (tenant) ID", apitest.TenantID+enter)
	s.answer(t, "Application (client) ID", apitest.ClientID+enter)
	s.answer(t, secret, apitest.ClientSecret+enter)
	if err := s.process.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.shown.String())
	}
	n.wrote(t, true)
	eventually(t, func() (string, bool) {
		return s.shown.String(), strings.HasSuffix(s.shown.String(), "/missingkbs help\r\n")
	})
	shown := s.shown.String()
	for _, hidden := range []string{"hunter2", n.slack.AppToken(), n.slack.BotToken(), apitest.ClientSecret} {
		if strings.Contains(shown, hidden) {
			t.Errorf("%.8s… is on the screen:\n%s", hidden, shown)
		}
	}
	for _, want := range []string{"is another kind of token", "is the Secret ID", "AADSTS7000215", "opens connections", "missingkbs serve --config"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not on the screen:\n%s", want, shown)
		}
	}
}

// Ctrl-C while a secret is typed ends set-up at once, and so does the signal of a shutdown. Nothing is written, and the terminal
// is given back as it was.
func TestSetupIsInterrupted(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*screen) error{
		"Ctrl-C": func(s *screen) error { _, err := io.WriteString(s.window, "xapp-hun"+ctrlC); return err },
		// A signal can overtake what was typed before it, so nothing is.
		"signal": func(s *screen) error { return s.process.Process.Signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			isInterrupted(t, stop)
		})
	}
}

func isInterrupted(t *testing.T, stop func(*screen) error) {
	t.Helper()
	n := newNewcomer(t, sandbox.Options{})
	s := newScreen(t, n.settings, "setup", "--file", n.file)
	s.answer(t, "App-level token (xapp-…)", "")
	if err := stop(s); err != nil {
		t.Fatal(err)
	}
	_ = s.process.Wait() // its exit code is what counts
	if code := s.process.ProcessState.ExitCode(); code != exitFailed {
		t.Errorf("ends with %d\n%s", code, s.shown.String())
	}
	n.wrote(t, false)
	if _, err := io.WriteString(s.window, "is seen"+enter); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() (string, bool) {
		return s.shown.String(), strings.Contains(s.shown.String(), "is seen") && strings.Contains(s.shown.String(), "the set-up was stopped; nothing was written")
	})
	if shown := s.shown.String(); strings.Contains(shown, "xapp-hun") {
		t.Errorf("shown:\n%s", shown)
	}
}
