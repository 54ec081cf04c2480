package sandbox

import (
	"encoding/json"
	"errors"
	"net/url"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// What people write is sent as Slack writes it, in events and with shortcuts; messages that one person alone sees have no menu.
func TestMessageShortcut(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Events: []string{}, Shortcuts: []Shortcut{{Name: "Ask", CallbackID: "ask"}, {Name: "Look", CallbackID: "look", OfMessage: true}}})
	a := greeted(t, w)
	ctx := soon(t)
	if _, err := w.Message(ctx, Bob, General, "a < b & https://example.com/?x&y"); err != nil {
		t.Fatal(err)
	}
	ts := w.Messages(General, Alice)[0].TS
	p := clicked(t, a, func() (sockets.Dispatch, error) { return w.MessageShortcut(ctx, Alice, General, ts, "look") })
	message, _ := p["message"].(map[string]any)
	if p["type"] != "message_action" || p["callback_id"] != "look" || p["message_ts"] != ts || p["container"] != nil || p["response_url"] == nil || p["trigger_id"] == nil {
		t.Errorf("payload = %v, want a shortcut of a message", p)
	}
	if message["user"] != Bob || message["text"] != "a &lt; b &amp; <https://example.com/?x&amp;y>" || message["blocks"] == nil {
		t.Errorf("message = %v", message)
	}
	private := form(t, w, "chat.postEphemeral", w.BotToken(), url.Values{"channel": {General}, "user": {Alice}, "text": {"psst"}})
	for _, c := range []struct{ who, ts, id string }{
		{External, ts, "look"}, {Alice, ts, "ask"}, {Alice, ts, "other"}, {Alice, "1.000001", "look"}, {Alice, textOf(private, "message_ts"), "look"},
	} {
		if _, err := w.MessageShortcut(ctx, c.who, General, c.ts, c.id); err == nil {
			t.Errorf("%s uses %s on %s", c.who, c.id, c.ts)
		}
	}
	if _, err := w.Shortcut(ctx, Alice, "look"); !errors.Is(err, ErrNoElement) {
		t.Errorf("the shortcut of messages is used without one: %v", err)
	}
}

// The app is told of its own direct messages, as Slack does.
func TestOwnMessagesAreEvents(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	sent := form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {Alice}, "text": {"hi"}})
	event := func() map[string]any {
		t.Helper()
		r := a.read()
		a.ack(r.EnvelopeID, nil)
		var p struct{ Event map[string]any }
		if err := json.Unmarshal(r.Payload, &p); err != nil {
			t.Fatal(err)
		}
		return p.Event
	}
	if e := event(); e["type"] != "message" || e["bot_id"] != BotID || e["channel_type"] != "im" || e["text"] != "hi" {
		t.Errorf("event = %v, want the app's own message", e)
	}
	form(t, w, "chat.update", w.BotToken(), url.Values{"channel": {AliceDM}, "ts": {textOf(sent, "ts")}, "text": {"ho"}})
	if e := event(); e["subtype"] != "message_changed" || e["hidden"] != true {
		t.Errorf("event = %v, want the change", e)
	}
	form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "text": {"to all"}})
	d, err := w.Message(soon(t), Alice, General, "quiet")
	if err != nil || d.EnvelopeID != "" {
		t.Errorf("%+v, %v: a channel's messages are no events", d, err)
	}
}

// textOf is a text in an answer.
func textOf(o map[string]any, key string) string {
	s, _ := o[key].(string)
	return s
}

func TestShortcut(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Shortcuts: []Shortcut{{Name: "Ask", CallbackID: "ask"}}})
	a := greeted(t, w)
	ctx := soon(t)
	p := clicked(t, a, func() (sockets.Dispatch, error) { return w.Shortcut(ctx, Alice, "ask") })
	if p["type"] != "shortcut" || p["callback_id"] != "ask" || p["channel"] != nil || p["container"] != nil || p["response_url"] != nil {
		t.Errorf("payload = %v, want a shortcut that comes from no channel", p)
	}
	trigger, _ := p["trigger_id"].(string)
	if got := form(t, w, "views.open", w.BotToken(), url.Values{"trigger_id": {trigger}, "view": {modalJSON}}); got["view"] == nil {
		t.Errorf("views.open with its trigger: %v", got)
	}
	for _, c := range []struct{ who, id string }{{External, "ask"}, {Alice, "other"}} {
		if _, err := w.Shortcut(ctx, c.who, c.id); !errors.Is(err, ErrNoElement) {
			t.Errorf("%s uses %s: %v, want ErrNoElement", c.who, c.id, err)
		}
	}
}
