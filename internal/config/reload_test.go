package config

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

func TestNeedRestart(t *testing.T) {
	t.Parallel()
	started := Snapshot{"LOG_LEVEL": "info", "MISSINGKBS_SOCKETS": "2", "SLACK_BOT_TOKEN": NewSecret("xoxb-1"), "DEFENDER_CLOUD": "public", "MISSINGKBS_QUEUE": "1000"}
	now := Snapshot{"LOG_LEVEL": "debug", "MISSINGKBS_SOCKETS": "3", "SLACK_BOT_TOKEN": NewSecret("xoxb-2"), "DEFENDER_CLOUD": "gcc", "MISSINGKBS_QUEUE": "1000"}
	got := started.NeedRestart(now)
	if diff := cmp.Diff([]string{"DEFENDER_CLOUD", "MISSINGKBS_SOCKETS"}, got); diff != "" {
		t.Errorf("settings that need a restart (-want +got):\n%s", diff)
	}
	if !MovesCredential(got) || MovesCredential([]string{"MISSINGKBS_SOCKETS", "AZURE_CLIENT_SECRET"}) {
		t.Error("DEFENDER_CLOUD moves the credential; a new secret does not")
	}
}

// A setting that is renamed must be renamed in the rules for a reload, too.
func TestReloadRulesNameSettings(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&Settings{}, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	known := Names(parser.Model.Node)
	for _, name := range slices.Concat(Reloadable(), credentialPlace()) {
		if !slices.Contains(known, name) {
			t.Errorf("there is no setting %s", name)
		}
	}
}
