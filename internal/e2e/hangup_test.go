//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/missingkbs/missingkbs/api/apitest"
)

// openTerminal opens a terminal: what a person types and sees (ours), and what the program has.
func openTerminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine has no terminals: ", err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	raw, err := ours.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	err = raw.Control(func(fd uintptr) {
		_ = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		number, _ = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
	})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this machine has no terminals: ", err)
	}
	return ours, theirs
}

// Closing the terminal that serve runs on ends it, in order: it does not go on where nobody sees it.
func TestClosedTerminalEndsServe(t *testing.T) {
	t.Parallel()
	w := stage(t)
	ours, theirs := openTerminal(t)
	w.prepare(t, nil)
	w.process.Stdin, w.process.Stdout, w.process.Stderr = theirs, theirs, theirs
	w.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	w.launch(t)
	_ = theirs.Close()
	seen := make(chan struct{})
	go func() { defer close(seen); _, _ = io.Copy(w.log, ours) }()
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	w.answers(t, edge)
	_ = ours.Close()
	<-seen
	if err := w.process.Wait(); err != nil {
		t.Errorf("it ended with %v, want exit code 0", err)
	}
	if n := w.slack.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// Commands that answer and end are ended by SIGHUP as every program is.
func TestHangUpEndsOtherCommands(t *testing.T) {
	t.Parallel()
	// Where the tests run without a terminal SIGHUP may be ignored, and so it would be by what is started from here.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(heard) })
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes calls and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	at := "https://" + silent.Addr().String()
	for _, args := range [][]string{{"ask", edge}, {"doctor"}} {
		t.Run(args[0], func(t *testing.T) {
			ask := exec.CommandContext(t.Context(), program(t), args...)
			ask.Env = []string{
				"AZURE_TENANT_ID=" + apitest.TenantID, "AZURE_CLIENT_ID=" + apitest.ClientID, "AZURE_CLIENT_SECRET=" + apitest.ClientSecret,
				"AZURE_AUTHORITY_HOST=" + at, "DEFENDER_API_URL=" + at, "SLACK_API_URL=http://127.0.0.1:1/", "HOME=" + t.TempDir(),
			}
			if err := ask.Start(); err != nil {
				t.Fatal(err)
			}
			called, err := silent.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer called.Close()
			_ = ask.Process.Signal(syscall.SIGHUP)
			_ = ask.Wait()
			if status, ok := ask.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGHUP {
				t.Errorf("it ended with %v, want SIGHUP", ask.ProcessState)
			}
		})
	}
}
