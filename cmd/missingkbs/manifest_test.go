package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/manifest"
)

// The command prints the file of the repository, or what its options make of that. Its help names every part.
func TestManifestCommand(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := invoke(t, noEnv, "manifest"); got.code != exitDone || got.out != string(file) {
		t.Errorf("got %+v", got)
	}
	got := invoke(t, env(map[string]string{"MISSINGKBS_WITHOUT": "files"}), "manifest", "-o", "json", "--name", "KBs (test)")
	if got.code != exitDone || !json.Valid([]byte(got.out)) || !strings.Contains(got.out, `"KBs (test)"`) || strings.Contains(got.out, "files:write") {
		t.Errorf("got %+v", got)
	}
	help := invoke(t, noEnv, "manifest", "--help").out
	for _, p := range manifest.Parts() {
		if !strings.Contains(help, string(p)) {
			t.Errorf("help does not name the part %s", p)
		}
	}
	for _, wrong := range [][]string{{"-o", "toml"}, {"--without", "everything"}, {"--bot-name", "Missing KBs"}} {
		if got := invoke(t, noEnv, append([]string{"manifest"}, wrong...)...); got.code != exitWrongUse || got.out != "" {
			t.Errorf("%v: got %+v", wrong, got)
		}
	}
}

// The manifest is what slack-go, and so Slack's API for manifests, knows as one; it asks for no more than is used.
func TestManifest(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := yaml.YAMLToJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	var m slack.Manifest
	dec := json.NewDecoder(bytes.NewReader(asJSON))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("the manifest holds what Slack does not know: %v", err)
	}
	var want, optional []string
	for _, sc := range manifest.Scopes() {
		want = append(want, sc.Name)
		if sc.Optional {
			optional = append(optional, sc.Name)
		}
	}
	if diff := cmp.Diff(want, m.OAuthConfig.Scopes.Bot); diff != "" {
		t.Errorf("scopes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(optional, m.OAuthConfig.Scopes.BotOptional); diff != "" {
		t.Errorf("optional scopes (-want +got):\n%s", diff)
	}
	if !m.Settings.SocketModeEnabled || m.Settings.Interactivity == nil || !m.Settings.Interactivity.IsEnabled {
		t.Error("Socket Mode and interactivity must be on")
	}
	offered, got := demo.SlashCommand(), m.Features.SlashCommands[0]
	if got.Command != offered.Command || got.Description != offered.Description || got.UsageHint != offered.UsageHint {
		t.Errorf("the sandbox offers %+v, the manifest %+v", offered, got)
	}
	for i, own := range demo.Shortcuts() {
		got := m.Features.Shortcuts[i]
		if got.Name != own.Name || got.CallbackID != own.CallbackID || got.Description != own.Description || (got.Type == slack.MessageShortcut) != own.OfMessage {
			t.Errorf("the sandbox offers %+v, the manifest %+v", own, got)
		}
		// Limits of https://docs.slack.dev/reference/app-manifest.
		if len(got.Name) > 24 || len(got.Description) > 150 {
			t.Errorf("Slack takes no shortcut as long as %+v", got)
		}
	}
	if diff := cmp.Diff(manifest.Events(), m.Settings.EventSubscriptions.BotEvents); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	// Limits of https://docs.slack.dev/reference/app-manifest.
	if n := len(m.Display.Name); n < 1 || n > 35 {
		t.Errorf("the name has %d characters", n)
	}
	if n := len(m.Display.Description); n > 140 {
		t.Errorf("the description has %d characters", n)
	}
	if strings.Contains(string(raw), "xoxb-") || strings.Contains(string(raw), "xapp-") {
		t.Error("the manifest holds a token")
	}
}
