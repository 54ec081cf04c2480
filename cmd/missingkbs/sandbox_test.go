package main

import (
	"strings"
	"testing"
)

func TestSandboxHeadless(t *testing.T) {
	t.Parallel()
	got := invoke(t, noEnv, "sandbox", "--headless", "microsoft-_-edge")
	for _, want := range []string{"Missing updates: Edge\n", "KB4540673, Devices 240, CVEs 14, March 2020 Security Updates", "As of "} {
		if !strings.Contains(got.out, want) {
			t.Errorf("%+v does not say %q", got, want)
		}
	}
	if got.code != exitDone || got.err != "" {
		t.Errorf("exit code %d, want %d; standard error says %q", got.code, exitDone, got.err)
	}
}

// A fault from the command line is on when the first question is asked.
func TestSandboxFaults(t *testing.T) {
	t.Parallel()
	got := invoke(t, noEnv, "sandbox", "--fault", "defender_forbidden", "--headless", "microsoft-_-edge")
	if got.code != exitDone || !strings.Contains(got.out, "This bot lacks a permission in Defender") || !strings.Contains(got.out, "Software.Read.All") {
		t.Errorf("got %+v", got)
	}
}

func TestSandboxWrongUse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"sandbox", "--addr", "0.0.0.0:7070"}, "the sandbox listens nowhere else"},
		{[]string{"sandbox", "--addr", "192.0.2.1:7070"}, "the sandbox listens nowhere else"},
		{[]string{"sandbox", "--addr", "nonsense"}, "--addr takes an address of this machine"},
		{[]string{"sandbox", "--fault", "no_such_fault", "--headless", "x"}, "defender_forbidden"},
		{[]string{"sandbox", "--log-level", "loud"}, "LOG_LEVEL takes one of"},
	} {
		if got := invoke(t, noEnv, c.args...); got.code != exitWrongUse || !strings.Contains(got.err, c.says) {
			t.Errorf("%q: got %+v, want exit code %d and %q", c.args, got, exitWrongUse, c.says)
		}
	}
}
