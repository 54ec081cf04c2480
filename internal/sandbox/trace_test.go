package sandbox

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

func TestTraceHidesSecrets(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	hook := hookOf(t, w, a, object{"text": "ok"})
	send(t, w, hook, object{"text": "hi"})
	form(t, w, "chat.postMessage", w.BotToken(), url.Values{"channel": {General}, "text": {"my token is " + w.BotToken() + " or xoxp-1-2-3"}})
	form(t, w, "files.getUploadURLExternal", w.BotToken(), url.Values{"filename": {"a"}, "length": {"1"}})
	raw := string(protocol.Encode(w.Trace()))
	for name, secret := range map[string]string{
		"app token": w.AppToken(), "bot token": w.BotToken(), "another token": "xoxp-1-2-3", "verification token": w.verification,
		"response URL": hook[strings.LastIndex(hook, "/")+1:],
	} {
		if strings.Contains(raw, secret) {
			t.Errorf("the trace holds the %s", name)
		}
	}
	for part, why := range map[string]string{`ticket=(hidden)`: "tickets", `/upload/v1/(hidden)`: "upload URLs", `"trigger_id":"(hidden)`: "triggers"} {
		if !strings.Contains(raw, part) {
			t.Errorf("no %q in the trace, so %s are not hidden", part, why)
		}
	}
}

// What the app acknowledges with is kept as it came, so that people can read it and secrets in it are found.
func TestTraceOfAcknowledgements(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	hookOf(t, w, greeted(t, w), object{"text": "as it came " + w.BotToken()})
	for _, e := range w.Trace() {
		if e.Kind == trace.SocketIn {
			var ack struct{ Payload struct{ Text string } }
			if err := json.Unmarshal(e.Body, &ack); err != nil || ack.Payload.Text != "as it came (hidden)" {
				t.Errorf("an acknowledgement is kept as %s: %v", e.Body, err)
			}
			return
		}
	}
	t.Error("no acknowledgement in the trace")
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	for range keepMessages + 5 {
		w.rooms.post(Message{Channel: General, Text: "x", Kind: KindPerson, User: Alice})
		w.trace.Add(trace.UI, "x", 0, nil)
	}
	if got := len(w.Messages(General, Alice)); got != keepMessages {
		t.Errorf("%d messages, want %d", got, keepMessages)
	}
	if got := len(w.Trace()); got != trace.Kept {
		t.Errorf("%d entries, want %d", got, trace.Kept)
	}
	w.trace.Add(trace.UI, "big", 0, strings.Repeat("x", 2*trace.MaxBody))
	if got := len(w.Trace()[trace.Kept-1].Body); got > trace.MaxBody+100 {
		t.Errorf("a body of %d bytes is kept, want at most %d", got, trace.MaxBody)
	}
	for range keepFiles + 5 {
		w.files.announce("a", 1)
	}
	if got := len(w.files.byID); got != keepFiles {
		t.Errorf("%d files, want %d", got, keepFiles)
	}
}
