package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Errors of a [Dispatch].
const (
	NoConnection = "dispatch_failed"   // the app has no socket open
	NoAck        = "operation_timeout" // no acknowledgement in three seconds
)

// errClosed is returned for a delivery that is under way when the workspace closes.
var errClosed = errors.New("the sandbox is closed")

// Dispatch is the result of sending one envelope to the app.
type Dispatch struct {
	EnvelopeID string
	Acked      bool
	AckAfter   time.Duration
	AckPayload json.RawMessage
	Err        string // empty if nothing went wrong
	Copies     int    // how often the envelope was sent
}

// shown returns the delivery for the page.
func (d Dispatch) shown() map[string]any {
	o := map[string]any{"envelope_id": d.EnvelopeID, "acked": d.Acked, "ack_after_ms": float64(d.AckAfter.Microseconds()) / 1000, "err": d.Err}
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
	o := map[string]any{"envelope_id": id, "type": e.kind, "payload": e.payload, "accepts_response_payload": e.answers}
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
	p := &pending{sent: time.Now(), within: s.o.Ack, handle: s.handler(e), acked: make(chan struct{})}
	s.expect(id, p)
	d := Dispatch{EnvelopeID: id, Copies: s.put(e, id)}
	if d.Copies == 0 {
		d.Err = NoConnection
		s.o.Trace.Fail(e.name, "no socket connection to deliver to", nil)
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
		s.o.Trace.Fail(e.name, "not acknowledged in time", map[string]any{"envelope_id": id, "within": p.within.String()})
		return d, nil
	case <-ctx.Done():
		return d, ctx.Err()
	case <-s.o.Context.Done():
		return d, errClosed
	}
}

// put writes the envelope to a connection, or to two when it is to come twice. It
// returns how often it did.
func (s *sockets) put(e envelope, id string) (sent int) {
	copies := 1
	if s.o.Faults.Switches().Redeliver {
		copies = 2
	}
	body := e.encode(id)
	for sent < copies && s.hand(e.name, body) {
		sent++
	}
	return sent
}

// handler returns the function that takes the payload of an acknowledgement.
func (s *sockets) handler(e envelope) func(json.RawMessage) string {
	return func(payload json.RawMessage) string {
		empty := len(payload) == 0 || strings.TrimSpace(string(payload)) == "{}"
		switch {
		case empty && e.kind != "interactive":
			return ""
		case !empty && !e.answers:
			s.o.Trace.Fail(e.name, "the acknowledgement has a payload that Slack does not read", payload)
			return ""
		case e.handle == nil:
			return ""
		}
		return e.handle(payload)
	}
}
