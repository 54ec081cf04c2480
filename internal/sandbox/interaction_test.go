package sandbox

import (
	"encoding/json"
	"errors"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

const everyPlace = `[
	{"type":"section","block_id":"sec","text":{"type":"mrkdwn","text":"x"},"accessory":{"type":"overflow","action_id":"more","options":[{"text":{"type":"plain_text","text":"A"},"value":"a"},{"text":{"type":"plain_text","text":"B"},"value":"b"}]}},
	{"type":"actions","block_id":"act","elements":[{"type":"button","action_id":"go","value":"search edge","style":"primary","text":{"type":"plain_text","text":"Go"}},{"type":"datepicker","action_id":"day"}]},
	{"type":"data_table","block_id":"tab","caption":"c","rows":[[{"type":"raw_text","text":"KB"}],[{"type":"action_cell","element":{"type":"button","action_id":"cell","url":"https://example.com","text":{"type":"plain_text","text":"Open"}}}]]},
	{"type":"card","block_id":"card","title":{"type":"plain_text","text":"t"},"actions":[{"type":"button","action_id":"carded","text":{"type":"plain_text","text":"C"}}]},
	{"type":"container","block_id":"box","title":{"type":"plain_text","text":"t"},"child_blocks":[{"type":"actions","block_id":"inner","elements":[{"type":"button","action_id":"boxed","text":{"type":"plain_text","text":"B"}}]}]},
	{"type":"layout","block_id":"lay","label":"l","rows":[{"items":[{"block":{"type":"actions","block_id":"laid","elements":[{"type":"button","action_id":"go","text":{"type":"plain_text","text":"G"}}]}}]}],"fallback":[{"type":"actions","elements":[{"type":"button","action_id":"unseen","text":{"type":"plain_text","text":"U"}}]}]}]`

// posted posts a button in every place that can hold one and returns the message's ts.
func posted(t *testing.T, w *Workspace, channel string) string {
	t.Helper()
	answer := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {channel}, "text": {"all"}, "blocks": {everyPlace}})
	ts, _ := answer["ts"].(string)
	if ts == "" {
		t.Fatalf("chat.postMessage: %v", answer)
	}
	return ts
}

// clicked runs a click and returns what the app receives.
func clicked(t *testing.T, a *wire, click func() (sockets.Dispatch, error)) map[string]any {
	t.Helper()
	done := later(t, click)
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	var p map[string]any
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		t.Fatal(err)
	}
	if r.Type != "interactive" {
		t.Errorf("envelope of type %s, want interactive", r.Type)
	}
	return p
}

func TestClickFindsElementsEverywhere(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	ts := posted(t, w, General)
	option := func(text, value string) map[string]any {
		return map[string]any{"text": map[string]any{"type": "plain_text", "text": text}, "value": value}
	}
	label := func(text string) map[string]any { return map[string]any{"type": "plain_text", "text": text} }
	tests := []struct {
		action  string
		choices []Choice
		want    map[string]any
	}{
		{"go", nil, map[string]any{"type": "button", "block_id": "act", "value": "search edge", "style": "primary", "text": label("Go")}},
		{"go", []Choice{InBlock("laid")}, map[string]any{"type": "button", "block_id": "laid", "text": label("G")}},
		{"more", []Choice{Select("b")}, map[string]any{"type": "overflow", "block_id": "sec", "selected_option": option("B", "b")}},
		{"day", []Choice{With("selected_date", "2026-11-24")}, map[string]any{"type": "datepicker", "block_id": "act", "selected_date": "2026-11-24"}},
		{"cell", nil, map[string]any{"type": "button", "block_id": "tab", "url": "https://example.com", "text": label("Open")}},
		{"carded", nil, map[string]any{"type": "button", "block_id": "card", "text": label("C")}},
		{"boxed", nil, map[string]any{"type": "button", "block_id": "inner", "text": label("B")}},
	}
	for _, tc := range tests {
		ctx := soon(t)
		p := clicked(t, a, func() (sockets.Dispatch, error) { return w.Click(ctx, Bob, General, ts, tc.action, tc.choices...) })
		tc.want["action_id"] = tc.action
		actions := p["actions"].([]any)
		ignore := cmpopts.IgnoreMapEntries(func(k string, _ any) bool { return k == "action_ts" })
		if diff := cmp.Diff([]any{tc.want}, actions, ignore); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.action, diff)
		}
	}
}

func TestClickPayload(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	ts := posted(t, w, SharedChannel)
	ctx := soon(t)
	p := clicked(t, a, func() (sockets.Dispatch, error) { return w.Click(ctx, External, SharedChannel, ts, "go") })
	message, _ := p["message"].(map[string]any)
	if message["ts"] != ts || message["blocks"] == nil {
		t.Errorf("message = %v, want it with its blocks", message)
	}
	if p["response_url"] == nil || p["trigger_id"] == nil || p["token"] == nil || len(p["actions"].([]any)) != 1 {
		t.Errorf("payload = %v, want response_url, trigger_id, token and an action", p)
	}
	for _, key := range []string{"message", "response_url", "trigger_id", "token", "actions"} {
		delete(p, key)
	}
	want := map[string]any{
		"type": "block_actions", "api_app_id": AppID, "enterprise": nil, "is_enterprise_install": false,
		"user":      map[string]any{"id": External, "username": "eve", "name": "eve", "team_id": ExternalTeamID},
		"team":      map[string]any{"id": TeamID, "domain": TeamDomain},
		"channel":   map[string]any{"id": SharedChannel, "name": "vendor-bridge"},
		"container": map[string]any{"type": "message", "message_ts": ts, "channel_id": SharedChannel, "is_ephemeral": false},
		"state":     map[string]any{"values": map[string]any{}},
	}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
}

func TestClickOnEphemeral(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	form(t, w, "chat.postEphemeral", w.BotToken(), url.Values{"channel": {General}, "user": {Alice}, "blocks": {everyPlace}})
	ts := w.Messages(General, Alice)[0].TS
	if _, err := w.Click(soon(t), Bob, General, ts, "go"); !errors.Is(err, ErrNoElement) {
		t.Errorf("Bob clicks what only Alice sees: %v, want ErrNoElement", err)
	}
	ctx := soon(t)
	p := clicked(t, a, func() (sockets.Dispatch, error) { return w.Click(ctx, Alice, General, ts, "go") })
	if p["message"] != nil || p["container"].(map[string]any)["is_ephemeral"] != true {
		t.Errorf("payload = %v, want an ephemeral container and no message", p)
	}
	hook := p["response_url"].(string)
	send(t, w, hook, object{"text": "replaced", "replace_original": true})
	if m := w.Messages(General, Alice)[0]; m.Text != "replaced" || m.TS != ts || m.EphemeralFor != Alice || len(m.Blocks) > 0 {
		t.Errorf("message = %+v, want it replaced as a whole", m)
	}
	send(t, w, hook, object{"delete_original": true})
	if got := w.Messages(General, Alice); len(got) != 0 {
		t.Errorf("messages = %+v, want none", got)
	}
}

func TestClickOnNothing(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	ts := posted(t, w, General)
	if _, err := w.Message(t.Context(), Alice, General, "words"); err != nil {
		t.Fatal(err)
	}
	words := w.Messages(General, Alice)[1].TS
	tests := []struct {
		name, as, ts, action string
		choices              []Choice
	}{
		{"no message", Alice, "1.000001", "go", nil},
		{"a person's message", Alice, words, "go", nil},
		{"no element", Alice, ts, "nope", nil},
		{"only in the fallback", Alice, ts, "unseen", nil},
		{"other block", Alice, ts, "go", []Choice{InBlock("tab")}},
		{"no option", Alice, ts, "more", []Choice{Select("z")}},
		{"not in the channel", External, ts, "go", nil},
		{"no field of an action", Alice, ts, "go", []Choice{With("user", "x")}},
	}
	for _, tc := range tests {
		if _, err := w.Click(soon(t), tc.as, General, tc.ts, tc.action, tc.choices...); err == nil {
			t.Errorf("%s: no error", tc.name)
		}
	}
}

func TestElementsGetIDs(t *testing.T) {
	t.Parallel()
	blocks := `[{"type":"section","text":{"type":"mrkdwn","text":"<a & b>"},"accessory":{"type":"button","text":{"type":"plain_text","text":"x"}}},
		{"type":"layout","label":"l","rows":[{"items":[{"block":{"type":"carousel","elements":[{"type":"card","actions":[{"type":"button","text":{}}]}]}}]}]}]`
	var tree []any
	if err := json.Unmarshal(protocol.WithIDs(json.RawMessage(blocks)), &tree); err != nil {
		t.Fatal(err)
	}
	var ids int
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case object:
			if protocol.Text(v["block_id"]) != "" || protocol.Text(v["action_id"]) != "" {
				ids++
			}
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(tree)
	if ids != 6 { // section, its button, layout, carousel, card, its button
		t.Errorf("%d ids in %s, want 6", ids, protocol.Encode(tree))
	}
}

// modal opens modalJSON for Alice through a command's trigger.

func TestSuggest(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	id := modal(t, w, a)
	edge := object{"text": object{"type": "plain_text", "text": "Edge"}, "value": "microsoft-_-edge"}
	for _, tc := range []struct {
		answer any
		err    string
	}{
		{object{"options": []object{edge}}, ""},
		{object{"options": []string{"edge"}}, "invalid_options"},
		{nil, "invalid_options"},
	} {
		ctx := soon(t)
		done := later(t, func() (sockets.Dispatch, error) {
			return w.Suggest(ctx, Alice, Target{ViewID: id, ActionID: "pick"}, "edg")
		})
		r := a.read()
		if field(t, r, "type") != "block_suggestion" || field(t, r, "value") != "edg" || field(t, r, "action_id") != "pick" || field(t, r, "block_id") != "in" {
			t.Errorf("payload = %s, want the query", r.Payload)
		}
		a.ack(r.EnvelopeID, tc.answer)
		if d := await(t, done); d.Err != tc.err {
			t.Errorf("%v: error = %q, want %q", tc.answer, d.Err, tc.err)
		}
	}
}

func TestMessageEvents(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	ctx := soon(t)
	if d, err := w.Message(ctx, Alice, General, "no mention"); err != nil || d.EnvelopeID != "" {
		t.Errorf("%+v, %v; want no event", d, err)
	}
	done := later(t, func() (sockets.Dispatch, error) { return w.Message(ctx, Alice, AliceDM, "hi") })
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	var p struct {
		Event struct {
			Type    string `json:"type"`
			Channel string `json:"channel_type"`
		}
	}
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		t.Fatal(err)
	}
	if p.Event.Type != "message" || p.Event.Channel != "im" {
		t.Errorf("event = %s, want message in an im", r.Payload)
	}
	quiet := workspace(t, Options{Events: []string{}})
	if d, err := quiet.Mention(ctx, Alice, General, "hi"); err != nil || d.EnvelopeID != "" {
		t.Errorf("%+v, %v; want no event without a subscription", d, err)
	}
}
