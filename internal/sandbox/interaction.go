package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/grants"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// Target says where an interactive element is: in a message or in a view.
type Target struct {
	Channel, TS string // of a message
	ViewID      string // of a modal or Home tab
	BlockID     string // may be empty when the action id is enough
	ActionID    string
}

// Input is what a person did with an element. The zero value is a plain click.
type Input struct {
	Fields object          // of the action: selected_option, selected_date, value …; a button's own value needs none
	State  json.RawMessage // {"values": …} of the inputs around the element
}

// Choice changes an [Input] of [Workspace.Click].
type Choice func(*Target, *Input)

// InBlock names the block when several have an element with that action id.
func InBlock(id string) Choice { return func(t *Target, _ *Input) { t.BlockID = id } }

// Select chooses the option with that value, in a menu or radio buttons.
func Select(value string) Choice {
	return func(_ *Target, in *Input) { in.Fields = object{"selected_option": object{"value": value}} }
}

// With sets a field of the action, such as selected_date.
func With(field string, value any) Choice {
	return func(_ *Target, in *Input) {
		in.Fields = maps.Clone(in.Fields)
		if in.Fields == nil {
			in.Fields = object{}
		}
		in.Fields[field] = value
	}
}

// ErrNoElement is returned for a click on something that the person does not see.
var ErrNoElement = errors.New("sandbox: no such element in sight")

// Click uses an element of a message as a person: a button, a menu or anything
// else that has the action id, in any block. It returns when the app has
// acknowledged, or after three seconds; see [Workspace.Command] for failures.
func (w *Workspace) Click(ctx context.Context, as, channelID, ts, actionID string, choices ...Choice) (sockets.Dispatch, error) {
	at, in := Target{Channel: channelID, TS: ts, ActionID: actionID}, Input{}
	for _, choose := range choices {
		choose(&at, &in)
	}
	return w.Act(ctx, as, at, in)
}

// Act uses an element of a message or view as a person.
func (w *Workspace) Act(ctx context.Context, as string, at Target, in Input) (sockets.Dispatch, error) {
	s, err := w.stage(as, at)
	if err != nil {
		return sockets.Dispatch{}, err
	}
	action, err := s.action(in)
	if err != nil {
		return sockets.Dispatch{}, err
	}
	w.trace.Add(trace.UI, "click", 0, object{"user": as, "action": action})
	payload := s.payload("block_actions")
	payload["actions"] = []object{action}
	id := protocol.EnvelopeID()
	payload["trigger_id"] = w.issued.Add(w.triggers.Issue(grants.Grant{User: as, Channel: at.Channel, Question: id}))
	if s.view == nil {
		payload["state"] = object{"values": object{}}
		payload["response_url"] = w.hookURL() + w.issued.Add(w.hooks.Issue(grants.Grant{Question: id, User: as, Channel: at.Channel, Original: at.TS}))
	}
	if len(in.State) > 0 {
		payload["state"] = in.State
		if s.view != nil {
			payload["view"] = s.view.slack(in.State)
		}
	}
	return w.sockets.Deliver(ctx, sockets.Envelope{ID: id, Kind: "interactive", Name: "block_actions", Payload: payload})
}

// Suggest types a query into an external select and returns the answer, which
// holds options or option_groups.
func (w *Workspace) Suggest(ctx context.Context, as string, at Target, query string) (sockets.Dispatch, error) {
	s, err := w.stage(as, at)
	if err != nil {
		return sockets.Dispatch{}, err
	}
	payload := s.payload("block_suggestion")
	payload["action_id"], payload["block_id"], payload["value"] = protocol.Text(s.element["action_id"]), s.block, query
	return w.sockets.Deliver(ctx, sockets.Envelope{
		Kind: "interactive", Name: "block_suggestion", Payload: payload, Answers: true,
		Handle: func(answer json.RawMessage) string { return w.checkSuggestion(answer) },
	})
}

// stage is an element in front of a person.
type stage struct {
	w       *Workspace
	user    person
	channel channel
	message Message
	view    *view // nil: in a message
	element object
	block   string
}

// stage finds an element that the person can see.
func (w *Workspace) stage(as string, at Target) (stage, error) {
	s := stage{w: w}
	blocks, err := s.look(as, at)
	if err != nil {
		return s, err
	}
	var ok bool
	if s.element, s.block, ok = protocol.FindElement(blocks, at.BlockID, at.ActionID); !ok {
		return s, fmt.Errorf("%w: %q", ErrNoElement, at.ActionID)
	}
	return s, nil
}

// look finds the message or view and returns its blocks.
func (s *stage) look(as string, at Target) (json.RawMessage, error) {
	var ok bool
	if at.ViewID != "" {
		if s.user, ok = s.w.people.find(as); !ok {
			return nil, fmt.Errorf("sandbox: no person %q", as)
		}
		if s.view, ok = s.w.views.get(as, at.ViewID); !ok {
			return nil, fmt.Errorf("%w: view %s", ErrNoElement, at.ViewID)
		}
		return protocol.Encode(s.view.body["blocks"]), nil
	}
	var err error
	if s.user, s.channel, err = s.w.seat(as, at.Channel); err != nil {
		return nil, err
	}
	s.message, ok = s.w.rooms.message(at.Channel, at.TS)
	if !ok || !s.message.visibleTo(as) || s.message.Kind != KindApp {
		return nil, fmt.Errorf("%w: message %s", ErrNoElement, at.TS)
	}
	if len(s.message.Attachments) > 0 {
		return protocol.Encode([]json.RawMessage{s.message.Blocks, s.message.Attachments}), nil
	}
	return s.message.Blocks, nil
}

// payload returns what interactions of every type have. See
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (s stage) payload(kind string) object {
	o := object{
		"type": kind, "token": s.w.verification, "api_app_id": AppID,
		"user":       object{"id": s.user.ID, "username": s.user.Name, "name": s.user.Name, "team_id": s.user.Team},
		"team":       object{"id": TeamID, "domain": TeamDomain},
		"enterprise": nil,
	}
	s.w.enterprise(o)
	if s.view != nil {
		if s.w.opts.OrgWide { // outside of channels Slack names the organisation as a person's team
			o["user"].(object)["team_id"] = OrgID
		}
		o["container"] = object{"type": "view", "view_id": s.view.ID}
		o["view"] = s.view.slack(nil)
		return o
	}
	ephemeral := s.message.EphemeralFor != ""
	container := object{"type": "message", "message_ts": s.message.TS, "channel_id": s.channel.ID, "is_ephemeral": ephemeral}
	if s.message.ThreadTS != "" {
		container["thread_ts"] = s.message.ThreadTS
	}
	o["container"] = container
	o["channel"] = object{"id": s.channel.ID, "name": s.channel.payloadName()}
	if !ephemeral { // Slack does not send back what only one person saw
		o["message"] = s.w.withMetadata(s.message)
	}
	return o
}

// action returns the entry of "actions".
func (s stage) action(in Input) (object, error) {
	a := object{
		"type": s.element["type"], "action_id": s.element["action_id"], "block_id": s.block,
		"action_ts": protocol.Timestamp(time.Now().UnixMicro()),
	}
	for _, key := range []string{"text", "value", "style", "url", "placeholder"} {
		if v, ok := s.element[key]; ok {
			a[key] = v
		}
	}
	for key, value := range in.Fields {
		if key != "value" && !strings.HasPrefix(key, "selected_") && key != "rich_text_value" {
			return nil, fmt.Errorf("sandbox: %q is no field of an action", key)
		}
		a[key] = value
	}
	return a, s.resolve(a)
}

// resolve replaces a chosen value by the whole option, and refuses options that
// the menu does not have.
func (s stage) resolve(a object) error {
	chosen, ok := a["selected_option"].(object)
	kind := protocol.Text(s.element["type"])
	if !ok || kind == "external_select" {
		return nil
	}
	for _, option := range options(s.element) {
		if option["value"] == chosen["value"] {
			a["selected_option"] = option
			return nil
		}
	}
	return fmt.Errorf("%w: option %q", ErrNoElement, chosen["value"])
}

// options lists the options of a menu, those in groups too.
func options(element object) []object {
	var out []object
	add := func(list any) {
		entries, _ := list.([]any)
		for _, one := range entries {
			if o, ok := one.(object); ok {
				out = append(out, o)
			}
		}
	}
	add(element["options"])
	groups, _ := element["option_groups"].([]any)
	for _, group := range groups {
		if g, ok := group.(object); ok {
			add(g["options"])
		}
	}
	return out
}
