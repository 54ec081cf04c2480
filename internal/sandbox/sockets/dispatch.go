package sockets

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

// ErrClosed is returned for a delivery that is under way when the workspace closes.
var ErrClosed = errors.New("the sandbox is closed")

// Dispatch is the result of sending one envelope to the app.
type Dispatch struct {
	EnvelopeID string
	Acked      bool
	AckAfter   time.Duration
	AckPayload json.RawMessage
	Err        string // empty if nothing went wrong
	Copies     int    // how often the envelope was sent
}

// Shown returns the delivery for the page.
func (d Dispatch) Shown() map[string]any {
	o := map[string]any{"envelope_id": d.EnvelopeID, "acked": d.Acked, "ack_after_ms": float64(d.AckAfter.Microseconds()) / 1000, "err": d.Err}
	if len(d.AckPayload) > 0 {
		o["ack_payload"] = d.AckPayload
	}
	return o
}

// Envelope is what a connection carries to the app.
type Envelope struct {
	ID      string // a new one where there is none
	Kind    string // slash_commands, interactive, events_api
	Name    string // for the trace
	Payload any
	Answers bool // an acknowledgement may carry a payload
	Attempt int  // of an event that comes again
	Handle  func(payload json.RawMessage) string
}

func (e Envelope) encode(id string) []byte {
	o := map[string]any{"envelope_id": id, "type": e.Kind, "payload": e.Payload, "accepts_response_payload": e.Answers}
	if e.Kind == "events_api" {
		o["retry_attempt"], o["retry_reason"] = e.Attempt, ""
		if e.Attempt > 0 {
			o["retry_reason"] = "timeout"
		}
	}
	return protocol.Encode(o)
}

// Deliver sends an envelope to one connection and waits for its acknowledgement.
// The error is the context's; everything that an app can do wrong is in Delivery.
func (s *Server) Deliver(ctx context.Context, e Envelope) (Dispatch, error) {
	id := cmp.Or(e.ID, protocol.EnvelopeID())
	p := &pending{sent: time.Now(), within: s.o.Ack, handle: s.handler(e), acked: make(chan struct{})}
	s.expect(id, p)
	d := Dispatch{EnvelopeID: id, Copies: s.put(e, id)}
	if d.Copies == 0 {
		d.Err = NoConnection
		s.o.Trace.Fail(e.Name, "no socket connection to deliver to", nil)
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
		s.o.Trace.Fail(e.Name, "not acknowledged in time", map[string]any{"envelope_id": id, "within": p.within.String()})
		return d, nil
	case <-ctx.Done():
		return d, ctx.Err()
	case <-s.o.Context.Done():
		return d, ErrClosed
	}
}

// put writes the envelope to a connection, or to two when it is to come twice. It
// returns how often it did.
func (s *Server) put(e Envelope, id string) (sent int) {
	copies := 1
	if s.o.Faults.Switches().Redeliver {
		copies = 2
	}
	body := e.encode(id)
	for sent < copies && s.hand(e.Name, body) {
		sent++
	}
	return sent
}

// handler returns the function that takes the payload of an acknowledgement.
func (s *Server) handler(e Envelope) func(json.RawMessage) string {
	return func(payload json.RawMessage) string {
		empty := len(payload) == 0 || strings.TrimSpace(string(payload)) == "{}"
		switch {
		case empty && e.Kind != "interactive":
			return ""
		case !empty && !e.Answers:
			s.o.Trace.Fail(e.Name, "the acknowledgement has a payload that Slack does not read", payload)
			return ""
		case e.Handle == nil:
			return ""
		}
		return e.Handle(payload)
	}
}
