package sandbox

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

func TestSlashPayload(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	done := command(t, w, "/missingkbs  microsoft-_-edge ")
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	d := await(t, done)
	if d.EnvelopeID != r.EnvelopeID || !d.Acked || d.AckPayload != nil || d.Err != "" {
		t.Errorf("delivery = %+v, want an empty acknowledgement of %s", d, r.EnvelopeID)
	}
	if r.Type != "slash_commands" || !r.Answers {
		t.Errorf("envelope = %+v, want a slash command that takes an answer", r)
	}
	var got map[string]any
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"token", "response_url", "trigger_id"} {
		if got[key] == "" {
			t.Errorf("%s is empty", key)
		}
		delete(got, key)
	}
	want := map[string]any{
		"team_id": TeamID, "team_domain": TeamDomain, "channel_id": General, "channel_name": "general",
		"user_id": Alice, "user_name": "alice", "command": "/missingkbs", "text": "microsoft-_-edge",
		"api_app_id": AppID, "is_enterprise_install": "false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	if got := w.Messages(General, Alice); len(got) != 0 {
		t.Errorf("an empty acknowledgement shows %+v, want nothing", got)
	}
}

func TestAcknowledgementPayloads(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		payload any
		alice   []string // what is to be read
		bob     []string
		err     string
	}{
		{"ephemeral", object{"text": "hi"}, []string{"hi"}, nil, ""},
		{"in channel", object{"text": "hi", "response_type": "in_channel"}, []string{"/missingkbs x", "hi"}, []string{"/missingkbs x", "hi"}, ""},
		{"echo only", object{"response_type": "in_channel"}, []string{"/missingkbs x"}, []string{"/missingkbs x"}, ""},
		{"empty object", object{}, nil, nil, ""},
		{"no message", "text", []string{`/missingkbs failed with the error "invalid_command_response"`}, nil, BadCommandResponse},
		{"bad blocks", object{"blocks": []object{{"type": "sector"}}}, []string{`/missingkbs failed with the error "invalid_command_response"`}, nil, BadCommandResponse},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, Options{})
			a := greeted(t, w)
			done := command(t, w, "/missingkbs x")
			a.ack(a.read().EnvelopeID, tc.payload)
			if d := await(t, done); d.Err != tc.err {
				t.Errorf("error = %q, want %q", d.Err, tc.err)
			}
			if diff := cmp.Diff(tc.alice, texts(w, General, Alice)); diff != "" {
				t.Errorf("Alice reads (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.bob, texts(w, General, Bob)); diff != "" {
				t.Errorf("Bob reads (-want +got):\n%s", diff)
			}
		})
	}
}

func sized(id string, n int) []byte {
	frame := func(filler int) []byte {
		return protocol.Encode(object{"envelope_id": id, "payload": object{"text": strings.Repeat("a", filler)}})
	}
	return frame(n - len(frame(0)))
}

func TestAcknowledgementSize(t *testing.T) {
	t.Parallel()
	for bytes, acked := range map[int]bool{20_479: true, 20_480: false} {
		w := quick(t, Options{}, func(s *timing) {
			if !acked {
				s.ack = 200 * time.Millisecond
			}
		})
		a := greeted(t, w)
		done := command(t, w, "/missingkbs x")
		if err := a.ws.WriteMessage(websocket.TextMessage, sized(a.read().EnvelopeID, bytes)); err != nil {
			t.Fatal(err)
		}
		if d := await(t, done); d.Acked != acked {
			t.Errorf("%d bytes: acked = %v, want %v", bytes, d.Acked, acked)
		}
		if !acked {
			traced(t, w, trace.Error, "20,480 bytes")
		}
	}
}

func TestFragmentedAcknowledgementIsDropped(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.ack = time.Second })
	// A small write buffer makes the client send fragments.
	dialer := websocket.Dialer{WriteBufferSize: 512}
	ws, resp, err := dialer.DialContext(t.Context(), ticketURL(t, w), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	a := &wire{t, ws}
	a.read()

	done := command(t, w, "/missingkbs x")
	a.ack(a.read().EnvelopeID, object{"text": strings.Repeat("a", 3000)})
	if d := await(t, done); d.Acked || d.Err != sockets.NoAck {
		t.Errorf("delivery = %+v, want none acknowledged", d)
	}
	traced(t, w, trace.Error, "several WebSocket frames")

	done = command(t, w, "/missingkbs y")
	a.ack(a.read().EnvelopeID, object{"text": "short"})
	if d := await(t, done); !d.Acked {
		t.Errorf("delivery = %+v, want a whole frame acknowledged after a fragmented one", d)
	}
}

func TestNoAcknowledgement(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.ack = 50 * time.Millisecond })
	a := greeted(t, w)
	done := command(t, w, "/missingkbs x")
	id := a.read().EnvelopeID
	if d := await(t, done); d.Err != sockets.NoAck {
		t.Errorf("error = %q, want %q", d.Err, sockets.NoAck)
	}
	want := []string{"/missingkbs failed because the app did not respond. Please try again or contact the app developer."}
	if diff := cmp.Diff(want, texts(w, General, Alice)); diff != "" {
		t.Errorf("Alice reads (-want +got):\n%s", diff)
	}
	a.ack(id, object{"text": "late"})
	traced(t, w, trace.Error, "too late")
	if got := texts(w, General, Alice); len(got) != 1 {
		t.Errorf("Alice reads %q after a late acknowledgement, want the failure alone", got)
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	if d := await(t, command(t, w, "/missingkbs x")); d.Err != sockets.NoConnection {
		t.Errorf("error = %q, want %q", d.Err, sockets.NoConnection)
	}
	want := []string{`/missingkbs failed with the error "dispatch_failed"`}
	if diff := cmp.Diff(want, texts(w, General, Alice)); diff != "" {
		t.Errorf("Alice reads (-want +got):\n%s", diff)
	}
}

func TestUnusableAcknowledgements(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	for _, body := range []string{`{`, `[]`, `{"payload":{}}`} {
		if err := a.ws.WriteMessage(websocket.TextMessage, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	a.ack("unknown", nil)
	traced(t, w, trace.Error, "unknown")
	if got := len(w.Trace()); got < 4 {
		t.Errorf("%d entries in the trace, want one for each", got)
	}
	done := command(t, w, "/missingkbs x")
	a.ack(a.read().EnvelopeID, nil)
	if d := await(t, done); !d.Acked {
		t.Error("the connection does not work any more")
	}
}

func TestEventsComeAgain(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) {
		s.ack = 300 * time.Millisecond
		s.retries = []time.Duration{0, 0, 0}
	})
	a := greeted(t, w)
	done := later(t, func() (sockets.Dispatch, error) { return w.Mention(t.Context(), Alice, General, "help") })
	var events []string
	for attempt := range 3 {
		r := a.read()
		if *r.RetryAttempt != attempt || (attempt > 0) != (*r.RetryReason == "timeout") {
			t.Errorf("attempt %d, reason %q; want attempt %d", *r.RetryAttempt, *r.RetryReason, attempt)
		}
		var p struct {
			EventID string `json:"event_id"`
			Event   struct{ Type, Text, Channel string }
		}
		if err := json.Unmarshal(r.Payload, &p); err != nil {
			t.Fatal(err)
		}
		if p.Event.Type != "app_mention" || p.Event.Text != "<@"+BotUser+"> help" || p.Event.Channel != General {
			t.Errorf("event = %+v, want the mention", p.Event)
		}
		events = append(events, p.EventID)
		if attempt == 2 {
			a.ack(r.EnvelopeID, nil)
		}
	}
	await(t, done)
	if events[0] != events[1] || events[1] != events[2] {
		t.Errorf("event ids %v, want the same each time", events)
	}
	// What is acknowledged does not come again: the next envelope is another one.
	cmd := command(t, w, "/missingkbs x")
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, cmd)
	if r.Type != "slash_commands" {
		t.Errorf("next envelope is %s, want the command", r.Type)
	}
}
