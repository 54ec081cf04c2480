package sandbox

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// get reads a path of the workspace with headers: name, value, name, value.

// uiState is what the page reads at its start.

type uiState struct {
	Team     map[string]string
	Users    []map[string]string
	Channels []struct {
		ID          string
		IsExtShared bool     `json:"is_ext_shared"`
		IsIM        bool     `json:"is_im"`
		BotIsMember bool     `json:"bot_is_member"`
		User        string   `json:"user"`
		Members     []string `json:"members"`
	}
	Messages    map[string][]Message
	Homes       map[string]json.RawMessage
	Views       map[string][]json.RawMessage
	Commands    []SlashCommand
	Clock       time.Time
	Faults      map[string]any
	FaultList   []struct{ Name, Label, Group, Kind string } `json:"fault_list"`
	Connections int
	Trace       []trace.Entry
}

func stateOf(t *testing.T, w *Workspace) uiState {
	t.Helper()
	_, body := get(t, w, "/ui/state")
	var s uiState
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return s
}

func TestState(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{
		Command: "/missingkbs", Description: "Missing updates", UsageHint: "<software-id>",
		Completions: []Completion{{"help", "what can be asked"}},
		Commands:    []SlashCommand{{Command: "/other"}},
	})
	a := greeted(t, w)
	modal(t, w, a)
	form(t, w, "views.publish", w.BotToken(), url.Values{"user_id": {Bob}, "view": {homeJSON}})
	posted(t, w, General)
	s := stateOf(t, w)
	if s.Team["id"] != TeamID || len(s.Users) != 5 || s.Connections != 1 || len(s.Trace) == 0 || s.Clock.IsZero() {
		t.Errorf("state = %+v, want team, five people, one connection, a trace and the time", s)
	}
	kinds := map[string]string{}
	for _, u := range s.Users {
		kinds[u["id"]] = u["kind"]
	}
	if diff := cmp.Diff(map[string]string{Alice: "member", Bob: "member", Guest: "guest", External: "external", BotUser: "bot"}, kinds); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	for _, c := range s.Channels {
		if c.IsExtShared != (c.ID == SharedChannel) || c.BotIsMember != (c.ID != PrivateChannel) || c.IsIM != strings.HasPrefix(c.ID, "D") || c.IsIM != (c.User != "") {
			t.Errorf("channel = %+v", c)
		}
	}
	if len(s.Messages[General]) != 1 || len(s.Messages[Patching]) != 0 || s.Messages[Patching] == nil {
		t.Errorf("messages = %v, want one in #general and an empty list in #patching", s.Messages)
	}
	if s.Homes[Bob] == nil || len(s.Views[Alice]) != 1 {
		t.Errorf("homes %v, views %v; want Bob's and Alice's", s.Homes, s.Views)
	}
	want := []SlashCommand{{"/missingkbs", "Missing updates", "<software-id>", []Completion{{"help", "what can be asked"}}}, {Command: "/other"}}
	if diff := cmp.Diff(want, s.Commands); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	for _, f := range s.FaultList {
		if _, ok := s.Faults[f.Name]; !ok || f.Label == "" || f.Group != "Slack" || f.Kind == "" {
			t.Errorf("fault = %+v, value %v", f, s.Faults[f.Name])
		}
	}
}

// stream reads server-sent events.

// until returns the next event of that name.

func TestUIDrives(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	ui := func(path string, body any) <-chan map[string]any {
		t.Helper()
		done := make(chan map[string]any, 1)
		go func() {
			_, raw := send(t, w, path, body)
			var answer map[string]any
			_ = json.Unmarshal(raw, &answer)
			done <- answer
		}()
		return done
	}
	acked := func(answer <-chan map[string]any, payload any) (received, map[string]any) {
		t.Helper()
		r := a.read()
		a.ack(r.EnvelopeID, payload)
		return r, <-answer
	}
	_, got := acked(ui("/ui/send", object{"user": Alice, "channel": General, "text": "/missingkbs x"}), object{"text": "found"})
	if d, _ := got["delivery"].(map[string]any); got["ok"] != true || d["acked"] != true || d["ack_after_ms"] == nil {
		t.Errorf("send = %v, want an acknowledged delivery", got)
	}
	r, _ := acked(ui("/ui/send", object{"user": Alice, "channel": General, "text": "hi @missingkbs"}), nil)
	if !strings.Contains(string(r.Payload), "hi <@"+BotUser+">") {
		t.Errorf("event = %s, want the mention by id", r.Payload)
	}
	if got := <-ui("/ui/send", object{"user": Alice, "channel": General, "text": "to people"}); !cmp.Equal(got, map[string]any{"ok": true}) {
		t.Errorf("a message to people = %v, want no delivery", got)
	}
	if got := <-ui("/ui/send", object{"user": Alice, "channel": General, "text": "/nope"}); got["ok"] != false || got["error"] != UnknownCommand {
		t.Errorf("unknown command = %v", got)
	}
	ts := posted(t, w, General)
	if got := <-ui("/ui/send", object{"user": Alice, "channel": General, "text": "/missingkbs x", "thread_ts": ts}); got["ok"] != false {
		t.Errorf("command in a thread = %v, want it refused", got)
	}
	r, got = acked(ui("/ui/action", object{
		"user": Alice, "channel": General, "message_ts": ts, "block_id": "sec", "action_id": "more", "type": "overflow",
		"selected_option": object{"value": "a"}, "state": object{"values": object{"b": object{}}},
	}), nil)
	if got["ok"] != true || !strings.Contains(string(r.Payload), `"state":{"values":{"b":{}}}`) {
		t.Errorf("action = %v, payload %s", got, r.Payload)
	}
	if got := <-ui("/ui/action", object{"user": Alice, "channel": General, "message_ts": ts, "action_id": "nope"}); got["ok"] != false {
		t.Errorf("click on nothing = %v", got)
	}
	id := modal(t, w, a)
	pick := object{"user": Alice, "view_id": id, "block_id": "in", "action_id": "pick", "value": "e"}
	if _, got := acked(ui("/ui/suggest", pick), object{"options": []object{}}); !cmp.Equal(got, map[string]any{"options": []any{}}) {
		t.Errorf("suggest = %v", got)
	}
	submit := object{"user": Alice, "view_id": id, "op": "submit", "state": object{"values": object{}}}
	if got := <-ui("/ui/view", submit); got["ok"] != false || got["errors"] == nil { // as Slack's clients do
		t.Errorf("submit without a required input = %v, want an error at it", got)
	}
	submit["state"] = object{"values": object{"in": object{"pick": object{"type": "external_select", "selected_option": object{"value": "edge"}}}}}
	_, got = acked(ui("/ui/view", submit), object{"response_action": "errors", "errors": object{"in": "no"}})
	if !cmp.Equal(got["errors"], any(map[string]any{"in": "no"})) {
		t.Errorf("submit = %v, want the errors", got)
	}
	if _, got := acked(ui("/ui/view", object{"user": Alice, "view_id": id, "op": "close"}), nil); got["ok"] != true {
		t.Errorf("close = %v", got)
	}
	if _, got := acked(ui("/ui/home", object{"user": Alice}), nil); got["ok"] != true {
		t.Errorf("home = %v", got)
	}
	for path, body := range map[string]any{
		"/ui/send": object{"user": Alice, "channel": General, "text": " "}, "/ui/view": object{"op": "x"}, "/ui/clock": object{"advance": "-1h"},
		"/ui/faults": object{"nope": true}, "/ui/home": object{"user": "x"},
	} {
		if got := <-ui(path, body); got["ok"] != false || got["error"] == "" {
			t.Errorf("%s = %v, want it refused with a reason", path, got)
		}
	}
}
