package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// The names that people look up here. No other word of the tests or the program contains one.
const (
	lookedUp   = "zebraquince-lap-7.corp.contoso.example"
	unknown    = "quaggaplum-desk-9"
	zebraID    = "00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee"
	zebraGroup = "Zebraquince's Desk"
)

// Whatever people ask about devices, and whatever fails meanwhile, no name of a device or a person reaches the log, at its most
// talkative. The audit has who looked at which device.
func TestNamesReachNoLog(t *testing.T) {
	t.Parallel()
	w := stage(t)
	w.defender.PutMachine(apitest.Machine{
		ID: zebraID, ComputerDNSName: lookedUp, OSPlatform: "Windows11", OSBuild: 26100, HealthStatus: "Active", RBACGroupName: zebraGroup, LastSeen: w.defender.Now(),
	}, "5074864")
	folder := t.TempDir()
	url := "sqlite://" + filepath.ToSlash(filepath.Join(folder, "db"))
	w.start(t, map[string]string{"DATABASE_URL": url, "LOG_LEVEL": "debug"})
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	asked := []string{
		"machine " + lookedUp, "machine zebraquince-lap-7", "machine " + zebraID, "machine zebraquince", "machine " + unknown, "kb KB5074864 --devices",
		`devices microsoft-_-windows_11 --group "` + zebraGroup + `" --list`, lookedUp, "machien " + unknown, "search " + unknown, "kb " + unknown,
	}
	var texts []string
	for _, words := range asked {
		texts = append(texts, w.ask(t, words).Text)
	}
	for _, fault := range []apitest.Fault{apitest.Failing(), apitest.Lying(), apitest.Throttled(time.Minute)} {
		remove := w.defender.Inject(fault)
		texts = append(texts, w.ask(t, "machine "+unknown+"-again").Text)
		remove()
	}
	w.sendTerm(t)
	answers := strings.Join(texts, "\n")
	if !strings.Contains(answers, lookedUp) || !strings.Contains(answers, unknown) {
		t.Errorf("the answers do not name the devices: %s", answers)
	}
	log := strings.ToLower(w.log.String())
	if !strings.Contains(log, `"kind":"run"`) || !strings.Contains(log, "getmissingkbs") {
		t.Error("the log has none of the questions")
	}
	for _, name := range []string{"zebraquince", "quaggaplum", zebraID, `"alice`, "alice ", "@alice", "alice@"} {
		if at := strings.Index(log, name); at >= 0 {
			t.Errorf("the log has %q: %s", name, log[max(at-300, 0):at+100])
		}
	}
	var subjects []string
	for _, line := range exported(t, url, "--action", "machine") {
		if line.User != sandbox.Alice || line.Channel != sandbox.General || line.Request == "" {
			t.Errorf("the audit has %+v", line)
		}
		subjects = append(subjects, line.Subject)
	}
	for _, want := range []string{lookedUp, "zebraquince-lap-7", zebraID, unknown} {
		if !slices.Contains(subjects, want) {
			t.Errorf("the audit does not have that %s looked at %s: %q", sandbox.Alice, want, subjects)
		}
	}
}
