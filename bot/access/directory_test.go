package access

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// workspace is a sandbox with the gate to it.
type gateWorkplace struct {
	*sandbox.Workspace
	gate   *Gate
	config slackapi.Config
	self   slackapi.Workspace
}

func newGateWorkplace(t *testing.T, o sandbox.Options) gateWorkplace {
	t.Helper()
	w := slacktest.Start(t, o)
	config := slackapi.Config{Tokens: slackapi.NewTokens("", w.BotToken()), APIURL: w.APIURL(), HTTP: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	self := slackapi.Workspace{TeamID: sandbox.TeamID, UserID: sandbox.BotUser}
	return gateWorkplace{w, NewGate(NewDirectory(config.ClientWithoutRetry()), self, Options{}), config, self}
}

func TestDirectoryZone(t *testing.T) {
	t.Parallel()
	w := newGateWorkplace(t, sandbox.Options{})
	for range 3 {
		if zone, err := w.gate.Zone(slacktest.Soon(t), sandbox.Bob); err != nil || zone != "America/New_York" {
			t.Errorf("zone = %q, %v", zone, err)
		}
	}
	if n := slacktest.Calls(w.Workspace, "users.info"); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	if _, err := w.gate.Zone(slacktest.Soon(t), "U0NOBODY"); err == nil {
		t.Error("no error for somebody Slack does not know")
	}
}

func TestDirectoryMayPost(t *testing.T) {
	t.Parallel()
	w := newGateWorkplace(t, sandbox.Options{})
	w.Kick(sandbox.General, sandbox.BotUser)
	tests := []struct {
		name, user, channel string
		title               string // of the refusal; empty for none
	}{
		{"a member", sandbox.Alice, sandbox.Patching, ""},
		{"alone with the bot", sandbox.Alice, sandbox.AliceDM, ""},
		{"a guest", sandbox.Guest, sandbox.Patching, "Not for guests"},
		{"somebody of another organisation", sandbox.External, sandbox.Patching, "Only for members of this workspace"},
		{"a bot", sandbox.BotUser, sandbox.Patching, "Only for people"},
		{"nobody", "U0NOBODY", sandbox.Patching, "Only for members of this workspace"},
		{"a shared channel", sandbox.Alice, sandbox.SharedChannel, "Not posted here"},
		{"where the bot was kicked", sandbox.Alice, sandbox.General, "I am not in this channel"},
		{"where the bot never was", sandbox.Alice, sandbox.PrivateChannel, "I am not in this conversation"},
		{"two people alone", sandbox.Alice, "D0OTHERS", "Digests go to channels"},
		{"somebody else's talk with the bot", sandbox.Bob, sandbox.AliceDM, "I am not in this channel"},
	}
	for _, tt := range tests {
		err := w.gate.MayPost(slacktest.Soon(t), tt.user, tt.channel)
		refusal, _ := errors.AsType[*commands.Error](err)
		switch {
		case tt.title == "" && err != nil:
			t.Errorf("%s: %v, want no refusal", tt.name, err)
		case tt.title != "" && (refusal == nil || refusal.Title != tt.title || refusal.Message == ""):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.title)
		}
	}
	w.SetFaults(faults.Switches{RateLimited: true})
	err := w.gate.MayPost(slacktest.Soon(t), sandbox.Alice, sandbox.SharedChannel)
	if refusal, ok := errors.AsType[*commands.Error](err); !ok || !strings.Contains(refusal.Message, "pause") {
		t.Errorf("error = %v, want a pause", err)
	}
}

// With the scopes of the manifest there are no digests in direct messages, and people are told where there are.
func TestDirectMessagesWithoutTheirScope(t *testing.T) {
	t.Parallel()
	w := newGateWorkplace(t, sandbox.Options{Scopes: []string{"users:read", "channels:read", "groups:read"}})
	w.Invite(sandbox.PrivateChannel, sandbox.BotUser)
	refusal, _ := errors.AsType[*commands.Error](w.gate.MayPost(slacktest.Soon(t), sandbox.Alice, sandbox.AliceDM))
	if refusal == nil || refusal.Title != "Digests go to channels" || refusal.Reason != "direct_message" || !strings.Contains(refusal.Message, "private channel") {
		t.Errorf("got %v", refusal)
	}
	for _, channel := range []string{sandbox.General, sandbox.PrivateChannel} {
		if err := w.gate.MayPost(slacktest.Soon(t), sandbox.Alice, channel); err != nil {
			t.Errorf("%s: %v", channel, err)
		}
	}
}

// Whoever does as told need not wait.
func TestDirectoryForgetsRefusals(t *testing.T) {
	t.Parallel()
	w := newGateWorkplace(t, sandbox.Options{})
	w.Kick(sandbox.General, sandbox.BotUser)
	if err := w.gate.MayPost(slacktest.Soon(t), sandbox.Alice, sandbox.General); err == nil {
		t.Fatal("not refused")
	}
	w.Invite(sandbox.General, sandbox.BotUser)
	for range 3 {
		if err := w.gate.MayPost(slacktest.Soon(t), sandbox.Alice, sandbox.General); err != nil {
			t.Fatal(err)
		}
	}
	if n := slacktest.Calls(w.Workspace, "conversations.info"); n != 4 {
		t.Errorf("%d calls, want 4: channels are looked up anew each time", n)
	}
}
