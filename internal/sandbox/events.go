package sandbox

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Errors of a [Dispatch] that only slash commands have.
const (
	BadCommandResponse = "invalid_command_response" // the acknowledgement carried a message that Slack refuses
	UnknownCommand     = "unknown_command"          // no app has registered it, or it is not shared with that person
)

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
