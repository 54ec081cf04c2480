package sandbox

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// newConnections makes the Socket Mode side of the workspace.
func newConnections(w *Workspace) *sockets.Server {
	return sockets.New(sockets.Options{
		Context: w.ctx, Enter: w.enter, Spawn: w.spawn, URL: w.socketURL, AppID: AppID,
		Changed: func(connections int) {
			w.feed.Send("connections", object{"connections": connections})
			w.rooms.nudge()
		},
		Trace: w.trace, Faults: w.faults, Issued: &w.issued,
		Ack: w.timing.ack, TicketLife: w.timing.ticket, Ping: w.timing.ping,
		Warning: w.timing.warning, Lifetime: w.timing.lifetime,
	})
}

// Connections returns how many sockets the app has open.
func (w *Workspace) Connections() int { return len(w.sockets.Open()) }

// WaitConnected waits until the app has at least n sockets open.
func (w *Workspace) WaitConnected(ctx context.Context, n int) error {
	return w.Wait(ctx, func() bool { return w.Connections() >= n })
}

// Disconnect asks the app to end every socket, for one of Slack's reasons: warning (the
// connection ends ten seconds later), refresh_requested or link_disabled (it ends
// at once).
func (w *Workspace) Disconnect(reason string) { w.sockets.DisconnectAll(reason) }

// Drop cuts every socket without a word, as a broken network does.
func (w *Workspace) Drop() { w.sockets.DropAll() }

// DisconnectOne asks the oldest socket to go, as [Workspace.Disconnect] asks all. It
// returns false if there is none.
func (w *Workspace) DisconnectOne(reason string) bool { return w.sockets.DisconnectOne(reason) }

// DropOne cuts the oldest socket without a word, after what is queued on it. It returns
// false if there is none.
func (w *Workspace) DropOne() bool { return w.sockets.DropOne() }

// Stall makes every open socket go dead without closing, as when a router forgets a
// connection: it sends nothing more, and what the app sends is lost.
func (w *Workspace) Stall() { w.sockets.Stall() }

// StallOne is [Workspace.Stall] for the oldest socket that still works. It returns false
// if there is none.
func (w *Workspace) StallOne() bool { return w.sockets.StallOne() }

// Babble sends a message that need not mean anything on the oldest socket. It returns
// false if none takes it.
func (w *Workspace) Babble(message string) bool { return w.sockets.Babble(message) }

// Errors of a [Dispatch] that only slash commands have.
const (
	BadCommandResponse = "invalid_command_response" // the acknowledgement carried a message that Slack refuses
	UnknownCommand     = "unknown_command"          // no app has registered it, or it is not shared with that person
)

// event delivers an Events API event. One that is not acknowledged comes again, as
// from Slack, while the workspace runs; what is returned tells of the first try.
func (w *Workspace) event(ctx context.Context, inner object) (sockets.Dispatch, error) {
	name, _ := inner["type"].(string)
	e := sockets.Envelope{Kind: "events_api", Name: name, Payload: w.eventPayload(inner)}
	d, err := w.sockets.Deliver(ctx, e)
	if err != nil || d.Acked {
		return d, err
	}
	w.spawn(func() { w.redeliver(e) })
	return d, nil
}

func (w *Workspace) redeliver(e sockets.Envelope) {
	for _, wait := range w.timing.retries {
		select {
		case <-time.After(wait):
		case <-w.ctx.Done():
			return
		}
		e.Attempt++
		if d, err := w.sockets.Deliver(w.ctx, e); err != nil || d.Acked {
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
