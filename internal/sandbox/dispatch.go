package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// The errors of a [Dispatch].
const (
	NoConnection       = "dispatch_failed"          // the app has no socket open
	NoAck              = "operation_timeout"        // no acknowledgement in three seconds
	BadCommandResponse = "invalid_command_response" // the acknowledgement carried a message that Slack refuses
	UnknownCommand     = "unknown_command"          // no app has registered it, or it is not shared with that person
)

// Dispatch is the result of sending one envelope to the app.
type Dispatch struct {
	EnvelopeID string
	Acked      bool
	AckAfter   time.Duration
	AckPayload json.RawMessage
	Err        string // empty when all went well
	Copies     int    // how often the envelope was sent
}

// shown returns the delivery for the page.
func (d Dispatch) shown() object {
	o := object{"envelope_id": d.EnvelopeID, "acked": d.Acked, "ack_after_ms": float64(d.AckAfter.Microseconds()) / 1000, "err": d.Err}
	if len(d.AckPayload) > 0 {
		o["ack_payload"] = d.AckPayload
	}
	return o
}

// envelope is what a connection carries to the app.
type envelope struct {
	id      string // a new one where there is none
	kind    string // slash_commands, interactive, events_api
	name    string // for the trace
	payload any
	answers bool // an acknowledgement may carry a payload
	attempt int  // of an event that comes again
	handle  func(payload json.RawMessage) string
}

func (e envelope) encode(id string) []byte {
	o := object{"envelope_id": id, "type": e.kind, "payload": e.payload, "accepts_response_payload": e.answers}
	if e.kind == "events_api" {
		o["retry_attempt"], o["retry_reason"] = e.attempt, ""
		if e.attempt > 0 {
			o["retry_reason"] = "timeout"
		}
	}
	return protocol.Encode(o)
}

// deliver sends an envelope to one connection and waits for its acknowledgement.
// The error is the context's; everything that an app can do wrong is in Delivery.
func (s *sockets) deliver(ctx context.Context, e envelope) (Dispatch, error) {
	id := cmp.Or(e.id, protocol.EnvelopeID())
	p := &pending{sent: time.Now(), within: s.w.timing.ack, handle: s.handler(e), acked: make(chan struct{})}
	s.expect(id, p)
	d := Dispatch{EnvelopeID: id, Copies: s.put(e, id)}
	if d.Copies == 0 {
		d.Err = NoConnection
		s.w.trace.Fail(e.name, "no socket connection to deliver to", nil)
		return d, nil
	}
	timer := time.NewTimer(p.within)
	defer timer.Stop()
	select {
	case <-p.acked:
		d.Acked, d.AckAfter, d.AckPayload, d.Err = true, p.after, p.payload, p.fault
		return d, nil
	case <-timer.C:
		d.Err = NoAck
		s.w.trace.Fail(e.name, "not acknowledged in time", object{"envelope_id": id, "within": p.within.String()})
		return d, nil
	case <-ctx.Done():
		return d, ctx.Err()
	case <-s.w.ctx.Done():
		return d, ErrClosed
	}
}

// put writes the envelope to a connection, or to two when it is to come twice. It
// returns how often it did.
func (s *sockets) put(e envelope, id string) (sent int) {
	copies := 1
	if s.w.faults.Switches().Redeliver {
		copies = 2
	}
	body := e.encode(id)
	for sent < copies && s.hand(e.name, body) {
		sent++
	}
	return sent
}

// handler returns what to do with the payload of an acknowledgement.
func (s *sockets) handler(e envelope) func(json.RawMessage) string {
	return func(payload json.RawMessage) string {
		empty := len(payload) == 0 || strings.TrimSpace(string(payload)) == "{}"
		switch {
		case empty && e.kind != "interactive":
			return ""
		case !empty && !e.answers:
			s.w.trace.Fail(e.name, "the acknowledgement has a payload that Slack does not read", payload)
			return ""
		case e.handle == nil:
			return ""
		}
		return e.handle(payload)
	}
}

// event delivers an Events API event. One that is not acknowledged comes again, as
// from Slack, while the workspace runs; what is returned tells of the first try.
func (w *Workspace) event(ctx context.Context, inner object) (Dispatch, error) {
	name, _ := inner["type"].(string)
	e := envelope{kind: "events_api", name: name, payload: w.eventPayload(inner)}
	d, err := w.sockets.deliver(ctx, e)
	if err != nil || d.Acked {
		return d, err
	}
	w.spawn(func() { w.redeliver(e) })
	return d, nil
}

func (w *Workspace) redeliver(e envelope) {
	for _, wait := range w.timing.retries {
		select {
		case <-time.After(wait):
		case <-w.ctx.Done():
			return
		}
		e.attempt++
		if d, err := w.sockets.deliver(w.ctx, e); err != nil || d.Acked {
			return
		}
	}
}

func (w *Workspace) eventPayload(inner object) object {
	now := w.clock.now()
	inner["event_ts"] = protocol.Timestamp(now.UnixMicro())
	external := false
	if id, ok := inner["channel"].(string); ok {
		c, _ := w.rooms.get(id)
		external = c.Shared
	}
	team, enterprise := TeamID, any(nil)
	if u, ok := w.people.find(protocol.Text(inner["user"])); ok {
		team = w.teamOf(u)
	}
	if w.inOrg() {
		enterprise = OrgID
	}
	return object{
		"token": w.verification, "team_id": team, "context_team_id": team, "context_enterprise_id": enterprise, "api_app_id": AppID,
		"event": inner, "type": "event_callback", "event_id": protocol.ObjectID("Ev"), "event_time": now.Unix(),
		"authorizations":        []object{{"enterprise_id": enterprise, "team_id": team, "user_id": BotUser, "is_bot": true, "is_enterprise_install": w.opts.OrgWide}},
		"is_ext_shared_channel": external, "event_context": "4-" + protocol.RandomHex(16),
	}
}
