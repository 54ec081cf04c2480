//go:build unix

package e2e

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/missingkbs/missingkbs/api/apitest"
)

// asking is a process that asks, with its standard output on a pipe and its standard error on a terminal.
func asking(t *testing.T, server *apitest.Server, words ...string) (ask *exec.Cmd, out io.Reader, said func() string) {
	t.Helper()
	cert := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(cert, server.CertPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	window, terminal, err := pty.Open()
	if err != nil {
		t.Skip("this machine has no terminals: ", err)
	}
	t.Cleanup(func() { _ = window.Close() })
	ask = exec.CommandContext(t.Context(), program(t), append([]string{"ask"}, words...)...)
	ask.Env = []string{
		"SSL_CERT_FILE=" + cert, "TERM=xterm", "NO_COLOR=1",
		"AZURE_TENANT_ID=" + apitest.TenantID, "AZURE_CLIENT_ID=" + apitest.ClientID, "AZURE_CLIENT_SECRET=" + apitest.ClientSecret,
		"AZURE_AUTHORITY_HOST=" + server.URL, "DEFENDER_API_URL=" + server.URL, "DEFENDER_SCOPE=" + server.Scope(),
	}
	ask.Stderr = terminal
	if out, err = ask.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := ask.Start(); err != nil {
		t.Fatal(err)
	}
	_ = terminal.Close() // the process has its own
	read := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(window) // ends with an error when the process does
		read <- string(b)
	}()
	return ask, out, func() string { return <-read }
}

// While a question waits for Defender a person at the terminal reads so, and the answer on the pipe has none of it.
func TestAskTellsItsProgress(t *testing.T) {
	t.Parallel()
	server := startDefender(t)
	server.Inject(apitest.Slow(5 * time.Second))
	ask, out, said := asking(t, server, "microsoft-_-edge", "-o", "csv")
	answer, err := io.ReadAll(out)
	if err == nil {
		err = ask.Wait()
	}
	if err != nil || !strings.HasPrefix(string(answer), "kb,name") || strings.Contains(string(answer), "\x1b") {
		t.Errorf("%v, answer %q", err, answer)
	}
	if got := said(); !strings.Contains(got, "Your answer follows within") || !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("the terminal shows %q", got)
	}
}

// A watched question ends by Ctrl-C, which is no failure.
func TestAskWatches(t *testing.T) {
	t.Parallel()
	ask, out, said := asking(t, startDefender(t), "--watch", "10s", "microsoft-_-edge")
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "Edge") {
		t.Fatalf("%q, %v; the terminal shows %s", line, err, said())
	}
	if err := ask.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := ask.Wait(); err != nil {
		t.Errorf("ended by %v", err)
	}
	if got := said(); got != "" && !strings.HasSuffix(got, "\r\x1b[K") { // on a busy machine it waited, and said so
		t.Errorf("the terminal shows %q", got)
	}
}

func TestWatchSettings(t *testing.T) {
	t.Parallel()
	for words, says := range map[string]string{
		"--watch 1s microsoft-_-edge":         "--watch",
		"--watch soon microsoft-_-edge":       "--watch",
		"--watch 1m -o xlsx microsoft-_-edge": "leave one of --watch and -o xlsx out",
		"microsoft-_-edge --watch=1s":         "--watch",
		"--watch 1m microsoft-_-edge --srot":  "Did you mean --sort?",
	} {
		if got := invoke(t, nil, append([]string{"ask", "--sandbox"}, strings.Fields(words)...)...); got.code != exitWrongUse || !strings.Contains(got.err, says) {
			t.Errorf("%s: got %+v", words, got)
		}
	}
}
