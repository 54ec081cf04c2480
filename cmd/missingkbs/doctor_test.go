package main

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// Whatever serve says of settings, doctor says too: for each setting alone, with a value that is wrong.
func TestDoctorTellsTheMistakesOfServe(t *testing.T) {
	t.Parallel()
	var c cli
	parser, err := newParser(&c, noEnv, &config.File{}, streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	names, secrets := config.Names(parser.Model.Node), map[string]bool{}
	slices.Sort(names)
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			if config.IsSecret(flag) && len(flag.Envs) > 0 { // those of migrate are flags alone
				secrets[flag.Envs[0]], secrets[flag.Envs[0]+config.FileSuffix] = true, true
			}
		}
	}
	for _, name := range slices.Compact(names) {
		values := map[string]string{name: "?wrong-hunter2"}
		if strings.HasSuffix(name, "MISSINGKBS_CONFIG") {
			continue
		}
		said := invoke(t, env(values), "serve")
		told := invoke(t, env(values), "doctor", "--offline", "-o", "json")
		if said.code != exitWrongUse {
			t.Fatalf("%s: serve has started: %+v", name, said)
		}
		var d struct {
			Checks []struct{ Check, Found string }
		}
		if err := json.Unmarshal([]byte(told.out), &d); err != nil {
			t.Fatalf("%s: %v: %+v", name, err, told)
		}
		var found strings.Builder
		for _, c := range d.Checks {
			if c.Check == "configuration" {
				found.WriteString(c.Found + "\n")
			}
		}
		// What looks like a password in an example is hidden on standard error.
		for line := range strings.Lines(strings.ReplaceAll(said.err, "(hidden)", "password")) {
			mistake, ok := strings.CutPrefix(line, "  - ")
			if ok && strings.Count(said.err, line) > 1 {
				t.Errorf("%s: serve says twice %q", name, mistake)
			}
			if ok && !strings.Contains(found.String(), strings.TrimSpace(mistake)) {
				t.Errorf("%s: serve says %q, doctor does not:\n%s", name, mistake, found.String())
			}
		}
		if secrets[name] && strings.Contains(told.out+told.err, "hunter2") {
			t.Errorf("%s: its value is told", name)
		}
	}
}

func TestDoctorWrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"doctor", "-o", "xml"}, {"doctor", "--no-such-flag"}, {"doctor", "extra"}} {
		if got := invoke(t, noEnv, args...); got.code != exitWrongUse || got.err == "" || got.out != "" {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestDoctorLiveWrongUse(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--live"},
		{"--live", "#general"},
		{"--live", "general"},
		{"--live", "U0ALICE01"},
		{"--live", sandbox.General, "--user", "alice"},
		{"--user", sandbox.Alice},
		{"--live", sandbox.General, "--offline"},
		{"--live", sandbox.General, "-o", "xml"},
	} {
		if got := invoke(t, noEnv, append([]string{"doctor"}, args...)...); got.code != exitWrongUse || got.err == "" || got.out != "" {
			t.Errorf("%q: %+v", args, got)
		}
	}
}
