package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// failing is a call that Slack refuses.

func TestTokens(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	tests := []struct{ method, token, want string }{
		{"auth.test", "", "not_authed"},
		{"auth.test", "xoxb-made-up", "invalid_auth"},
		{"auth.test", w.AppToken(), "not_allowed_token_type"},
		{"apps.connections.open", w.BotToken(), "not_allowed_token_type"},
		{"auth.test", w.BotToken(), "<nil>"},
		{"blocks.validate", "", "invalid_arguments"}, // needs no token
	}
	for _, tc := range tests {
		if got := fmt.Sprint(form(t, w, tc.method, tc.token, nil)["error"]); got != tc.want {
			t.Errorf("%s with %q: error = %s, want %s", tc.method, tc.token, got, tc.want)
		}
	}
	if got := form(t, w, "auth.test", "", url.Values{"token": {w.BotToken()}}); got["ok"] != true {
		t.Errorf("token in a form: %v, want ok", got)
	}
	if got := post(t, w, "auth.test", "", object{"token": w.BotToken()}); got["error"] != "not_authed" {
		t.Errorf("token in JSON: %v, want not_authed", got)
	}
	if other := workspace(t, Options{}); other.BotToken() == w.BotToken() || other.AppToken() == w.AppToken() {
		t.Error("two workspaces have the same tokens")
	}
}

func TestMissingScope(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Scopes: []string{"commands", "users:read"}})
	got := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "text": {"hi"}})
	want := map[string]any{"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "commands,users:read"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// Each kind of conversation has scopes of its own.
func TestScopesByKindOfConversation(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{General: "channels", PrivateChannel: "groups", AliceDM: "im"}
	for method, right := range map[string]string{"conversations.info": "read", "conversations.members": "read", "conversations.history": "history"} {
		for _, granted := range []string{"channels", "groups", "im"} {
			w := workspace(t, Options{Scopes: []string{granted + ":" + right}})
			w.Invite(PrivateChannel, BotUser)
			for channel, kind := range kinds {
				got := form(t, w, method, w.BotToken(), url.Values{"channel": {channel}})
				if ok := kind == granted; ok && got["ok"] != true || !ok && (got["error"] != "missing_scope" || got["needed"] != kind+":"+right) {
					t.Errorf("%s of %s with %s:%s: %v", method, channel, granted, right, got)
				}
			}
		}
	}
}

func TestPointersInRefusals(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	blocks := []object{{"type": "header", "text": object{"type": "plain_text", "text": strings.Repeat("a", 151)}}}
	got := post(t, w, "chat.postMessage", w.BotToken(), object{"channel": General, "blocks": blocks})
	line := "must be less than 151 characters [json-pointer:/blocks/0/text/text]"
	want := map[string]any{
		"ok": false, "error": "invalid_blocks", "errors": []any{line},
		"response_metadata": map[string]any{"messages": []any{"[ERROR] " + line}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	view := strings.Replace(modalJSON, "Ask", strings.Repeat("a", 25), 1)
	got = post(t, w, "views.open", w.BotToken(), object{"trigger_id": "x", "view": view})
	if text := fmt.Sprint(got); got["error"] != "invalid_arguments" || !strings.Contains(text, "[json-pointer:/view/title/text]") {
		t.Errorf("answer = %v, want invalid_arguments at /view/title/text", got)
	}
}

func TestBlocksValidate(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	tests := []struct {
		args url.Values
		want string
	}{
		{url.Values{"blocks": {`[{"type":"divider"}]`}}, "map[ok:true]"},
		{url.Values{"view": {modalJSON}}, "map[ok:true]"},
		{url.Values{"message": {`{"blocks":[{"type":"divider"}]}`}}, "map[ok:true]"},
		{url.Values{"message": {`{"blocks":[{"type":"x"}]}`}}, "map[error:invalid_message errors:[map[code:failed_constraint message:unsupported type: x pointer:/blocks/0/type]] ok:false]"},
		{url.Values{"message": {`{"text":"x"}`}}, "map[error:invalid_message errors:[map[code:failed_constraint message:invalid additional property: text pointer:/text]] ok:false]"},
		{url.Values{"message": {`[]`}}, "map[error:invalid_message errors:[map[code:failed_constraint message:must provide an object pointer:]] ok:false]"},
		{url.Values{"view": {`{"type":"home"}`}}, "map[error:invalid_view errors:[map[code:failed_constraint message:missing required field: blocks pointer:]] ok:false]"},
		{url.Values{"view": {`{"type":"home","blocks":[{"type":"x"}]}`}}, "map[error:invalid_view errors:[map[code:failed_constraint message:unsupported type: x pointer:/blocks/0/type]] ok:false]"},
		{url.Values{"blocks": {`[{"type":"x"}]`}}, "map[error:invalid_blocks errors:[map[code:failed_constraint message:unsupported type: x pointer:/0/type]] ok:false]"},
	}
	for _, tc := range tests {
		if got := fmt.Sprint(form(t, w, "blocks.validate", "", tc.args)); got != tc.want {
			t.Errorf("%v:\n got %s\nwant %s", tc.args, got, tc.want)
		}
	}
}

func TestBodiesOfEveryKind(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	post(t, w, "chat.postMessage", w.BotToken(), object{"channel": General, "text": "json", "blocks": []object{{"type": "divider"}}, "thread_ts": nil})
	form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {"#general"}, "text": {"form"}, "blocks": {`[{"type":"divider"}]`}})
	multi := "--b\r\nContent-Disposition: form-data; name=\"channel\"\r\n\r\n" + General + "\r\n--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nmulti\r\n--b--\r\n"
	call(t, w, "chat.postMessage", w.BotToken(), "multipart/form-data; boundary=b", strings.NewReader(multi))
	if diff := cmp.Diff([]string{"json", "form", "multi"}, texts(w, General, Bob)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	for _, m := range w.Messages(General, Bob)[:2] {
		if !strings.Contains(string(m.Blocks), `"block_id":"`) {
			t.Errorf("blocks = %s, want made-up block ids", m.Blocks)
		}
	}
	got := call(t, w, "chat.postMessage", w.BotToken(), "application/json", strings.NewReader("{"))
	if got["error"] != "invalid_json" {
		t.Errorf("broken JSON: %v", got)
	}
}

func TestStrictLimitsMessages(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{Strict: true}, func(s *timing) { s.message = time.Hour })
	hi := func(channel string) (*http.Response, string) {
		t.Helper()
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.APIURL()+"chat.postMessage?text=hi&channel="+channel, nil)
		req.Header.Set("Authorization", "Bearer "+w.BotToken())
		resp, body := do(t, req)
		return resp, string(body)
	}
	if resp, body := hi(General); resp.StatusCode != http.StatusOK || !strings.Contains(body, `"ok":true`) {
		t.Errorf("first: %d %s, want ok", resp.StatusCode, body)
	}
	resp, body := hi(General)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "3600" || !strings.Contains(body, `"error":"ratelimited"`) {
		t.Errorf("second: %d, Retry-After %q, %s; want 429 for an hour", resp.StatusCode, resp.Header.Get("Retry-After"), body)
	}
	if resp, _ := hi(Patching); resp.StatusCode != http.StatusOK {
		t.Errorf("another channel: %d, want ok", resp.StatusCode)
	}
	if scopes := resp.Header.Get("X-Oauth-Scopes"); !strings.Contains(scopes, "chat:write") {
		t.Errorf("X-OAuth-Scopes = %q, want chat:write among them", scopes)
	}
}

func TestWebAPIFaults(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	blocks := `[{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[{"label":"a","value":1}]}}]`
	chart := url.Values{"channel": {General}, "blocks": {blocks}}
	w.SetFaults(faults.Switches{RefuseNewBlocks: true})
	got := form(t, w, "chat.postMessage", w.BotToken(), chart)
	if got["error"] != "invalid_blocks" || !strings.Contains(fmt.Sprint(got["errors"]), "/blocks/0/type") {
		t.Errorf("new block: %v, want invalid_blocks at its type", got)
	}
	w.SetFaults(faults.Switches{WebAPIError: "internal_error"})
	if got := form(t, w, "auth.test", w.BotToken(), nil); got["error"] != "internal_error" {
		t.Errorf("auth.test: %v, want internal_error", got)
	}
	w.SetFaults(faults.Switches{RateLimited: true})
	if got := form(t, w, "auth.test", w.BotToken(), nil); got["error"] != "ratelimited" {
		t.Errorf("auth.test: %v, want ratelimited", got)
	}
	w.SetFaults(faults.Switches{})
	if got := form(t, w, "chat.postMessage", w.BotToken(), chart); got["ok"] != true {
		t.Errorf("without faults: %v, want ok", got)
	}
}

// Reports differ on two tables in one message; Slack was seen to take them in its blocks.
func TestTwoTables(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	if got := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "blocks": {twoTables}}); got["ok"] != true {
		t.Errorf("in blocks: %v", got)
	}
	if got := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "attachments": {`[{"blocks":` + oneTable + `}]`}}); got["ok"] != true {
		t.Errorf("one in an attachment: %v", got)
	}
}

// A header that has nothing to say is not sent.
func TestScopeHeaders(t *testing.T) {
	t.Parallel()
	all := workspace(t, Options{})
	none := workspace(t, Options{Scopes: []string{}})
	for _, tc := range []struct {
		w            *Workspace
		method       string
		has, accepts []string
	}{
		{all, "chat.postMessage", []string{strings.Join(all.scopes(), ",")}, []string{"chat:write"}},
		{all, "auth.test", []string{strings.Join(all.scopes(), ",")}, nil},
		{none, "auth.test", nil, nil},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, tc.w.APIURL()+tc.method, nil)
		req.Header.Set("Authorization", "Bearer "+tc.w.BotToken())
		resp, _ := do(t, req)
		has, accepts := resp.Header.Values("X-OAuth-Scopes"), resp.Header.Values("X-Accepted-OAuth-Scopes")
		if !slices.Equal(has, tc.has) || !slices.Equal(accepts, tc.accepts) {
			t.Errorf("%s: scopes %q, accepted %q; want %q, %q", tc.method, has, accepts, tc.has, tc.accepts)
		}
	}
}
