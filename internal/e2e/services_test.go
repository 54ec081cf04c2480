package e2e

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// An operator tries the set-up on stand-ins before the real services: what `sandbox --services` writes is all that doctor,
// ask, serve and health need.
func TestServicesForABotOfOnesOwn(t *testing.T) {
	t.Parallel()
	folder, settings := t.TempDir(), startServices(t)
	settings["HOME"], settings["XDG_DATA_HOME"] = folder, folder
	settings["HTTP_ADDR"] = freeAddress(t)

	if got := invoke(t, settings, "doctor"); got.code != exitDone {
		t.Fatalf("doctor ends with %d:\n%s%s", got.code, got.out, got.err)
	}
	if got := invoke(t, settings, "health"); got.code != exitFailed || !strings.Contains(got.err, "nothing") && !strings.Contains(got.err, "no answer") {
		t.Errorf("health without a bot: %d %s", got.code, got.err)
	}
	var log locked
	serve := exec.CommandContext(t.Context(), program(t), "serve")
	serve.Env, serve.Stderr = environment(settings), &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait() })
	eventually(t, func() (string, bool) {
		got := invoke(t, settings, "health", "--ready")
		return got.out + got.err + log.String(), got.code == exitDone
	})
	if got := invoke(t, settings, "ask", "microsoft-_-edge"); got.code != exitDone || !strings.Contains(got.out, "KB") {
		t.Errorf("ask: %d\n%s%s", got.code, got.out, got.err)
	}
	if got := invoke(t, nil, "sandbox", "--services", folder, "--headless", "help"); got.code != exitWrongUse {
		t.Errorf("both --services and --headless: %d %s", got.code, got.err)
	}
}

// readEnv reads a file of NAME=value lines.
func readEnv(t *testing.T, path string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			t.Fatalf("%s: %q is no setting", path, line)
		}
		settings[name] = value
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s can be read by others: %v %v", path, info.Mode(), err)
	}
	return settings
}

// freeAddress is an address of this machine at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
