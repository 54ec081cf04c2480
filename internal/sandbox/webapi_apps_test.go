package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

func TestRefusedTokens(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	w.RefuseToken(w.BotToken(), "token_revoked")
	w.RefuseToken(w.AppToken(), "socket_mode_disabled")
	for method, token := range map[string]string{"auth.test": w.BotToken(), "apps.connections.open": w.AppToken()} {
		want := w.tokens.code(token)
		if got := form(t, w, method, token, nil)["error"]; got != want {
			t.Errorf("%s: %v, want %s", method, got, want)
		}
		w.RefuseToken(token, "")
		if got := form(t, w, method, token, nil); got["ok"] != true {
			t.Errorf("%s with a good token again: %v", method, got)
		}
	}
}

func TestScopesAreTold(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Scopes: []string{"commands", "chat:write"}})
	for _, c := range []struct{ method, token, want string }{
		{"auth.test", w.BotToken(), "commands,chat:write"},
		{"users.info", w.BotToken(), "commands,chat:write"}, // also with a refusal for want of one
		{"apps.connections.open", w.AppToken(), "connections:write"},
		{"auth.test", "xoxb-made-up", ""},
		{"api.test", "", ""},
	} {
		if got := header(t, w, c.method, c.token).Get("X-Oauth-Scopes"); got != c.want {
			t.Errorf("%s: %q, want %q", c.method, got, c.want)
		}
	}
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	for _, want := range []time.Duration{0, 10 * time.Minute, -2 * time.Hour} {
		w.SetFaults(faults.Switches{ClockSkew: want})
		date, err := http.ParseTime(header(t, w, "api.test", "").Get("Date"))
		if got := time.Until(date).Round(time.Minute); err != nil || got != want {
			t.Errorf("off by %v, %v; want %v", got, err, want)
		}
	}
}

// header asks a method and returns the header of the answer.
func header(t *testing.T, w *Workspace, method, token string) http.Header {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.APIURL()+method, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, _ := do(t, r)
	return resp.Header
}

func TestManifestExport(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Scopes: []string{"commands"}, Events: []string{"app_home_opened"}})
	got, err := client(w).ExportManifestContext(soon(t), w.ConfigToken(), AppID)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Features.SlashCommands) != 1 || got.Features.SlashCommands[0].Command != "/missingkbs" || !got.Settings.SocketModeEnabled || !got.Settings.Interactivity.IsEnabled ||
		!cmp.Equal(got.OAuthConfig.Scopes.Bot, []string{"commands"}) || !cmp.Equal(got.Settings.EventSubscriptions.BotEvents, []string{"app_home_opened"}) {
		t.Errorf("got %+v", got)
	}
	for _, c := range []struct{ token, app, want string }{
		{w.BotToken(), AppID, "not_allowed_token_type"},
		{"xoxe.xoxp-1-wrong", AppID, "invalid_auth"},
		{"", AppID, "not_authed"},
		{w.ConfigToken(), "A0NOTHERE", "invalid_app_id"},
		{w.ConfigToken(), "", "invalid_arguments"},
	} {
		if got := fmt.Sprint(form(t, w, "apps.manifest.export", c.token, url.Values{"app_id": {c.app}})["error"]); got != c.want {
			t.Errorf("%q of %q: %s, want %s", c.app, c.token, got, c.want)
		}
	}
	if got := form(t, w, "auth.test", w.ConfigToken(), nil)["error"]; got != "not_allowed_token_type" {
		t.Errorf("auth.test with the configuration token: %v", got)
	}

	own := workspace(t, Options{Manifest: json.RawMessage(`{"settings":{"socket_mode_enabled":false}}`)})
	raw, err := client(own).ExportManifestRawContext(soon(t), own.ConfigToken(), AppID)
	if err != nil || string(raw) != `{"settings":{"socket_mode_enabled":false}}` {
		t.Errorf("got %s, %v", raw, err)
	}
}

func TestBotOfAnotherApp(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{BotApp: "A0ANOTHER"})
	got := form(t, w, "bots.info", w.BotToken(), url.Values{"bot": {BotID}})
	if bot, _ := got["bot"].(map[string]any); bot["app_id"] != "A0ANOTHER" {
		t.Errorf("bots.info: %v", got)
	}
	if !strings.HasPrefix(w.AppToken(), "xapp-1-"+AppID+"-") {
		t.Errorf("the app-level token does not name its app: %.18s…", w.AppToken())
	}
}

func TestBlocksValidateWhereNewBlocksAreRefused(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	w.SetFaults(faults.Switches{RefuseNewBlocks: true})
	chart := `[{"type":"divider"},{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[{"label":"a","value":1}]}}]`
	for _, tc := range []struct {
		args          url.Values
		code, pointer string
	}{
		{url.Values{"blocks": {chart}}, "invalid_blocks", "pointer:/1/type"},
		{url.Values{"message": {`{"blocks":` + chart + `}`}}, "invalid_message", "pointer:/blocks/1/type"},
	} {
		got := form(t, w, "blocks.validate", "", tc.args)
		if got["error"] != tc.code || !strings.Contains(fmt.Sprint(got["errors"]), tc.pointer) {
			t.Errorf("got %v, want %s at %s", got, tc.code, tc.pointer)
		}
	}
}
