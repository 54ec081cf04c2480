package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/missingkbs/missingkbs/internal/sandbox/grants"
	"github.com/missingkbs/missingkbs/internal/sandbox/inputs"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// Answers that a submitted modal can get, from
// https://docs.slack.dev/surfaces/modals
type viewAnswer struct {
	Action string            `json:"response_action"`
	Errors map[string]string `json:"errors"`
	View   json.RawMessage   `json:"view"`
}

// BadViewResponse is what [Delivery.Err] says when a modal's submission was
// acknowledged with something that Slack refuses; people read "We had some trouble
// connecting. Try again?".
const BadViewResponse = "invalid_view_response"

// InputError is returned for a modal that a client does not submit: by input block, what it says there.
type InputError struct{ Errors map[string]string }

// Error implements error.
func (e *InputError) Error() string {
	return fmt.Sprintf("sandbox: the modal is not submitted: %v", e.Errors)
}

// responseURLs are those that a submission brings for the conversations that were chosen and that its user sees.
func (w *Workspace) responseURLs(question, as string, chosen []inputs.Conversation) []object {
	urls := []object{}
	for _, c := range chosen {
		if _, _, err := w.seat(as, c.Channel); err == nil {
			urls = append(urls, object{
				"block_id": c.BlockID, "action_id": c.ActionID, "channel_id": c.Channel,
				"response_url": w.hookURL() + w.issued.Add(w.hooks.Issue(grants.Grant{Question: question, User: as, Channel: c.Channel})),
			})
		}
	}
	return urls
}

// SubmitView submits a modal as a person, with the state of its inputs:
// {"block": {"action": {"type": …, "value": …}}}. What the acknowledgement asks for
// (errors, update, push, clear, or closing the modal) is done when it returns.
// What a client would not submit is an [InputError].
func (w *Workspace) SubmitView(ctx context.Context, as, viewID string, values any) (sockets.Dispatch, error) {
	v, ok := w.views.get(as, viewID)
	if !ok || v.kind() != "modal" {
		return sockets.Dispatch{}, fmt.Errorf("%w: modal %s", ErrNoElement, viewID)
	}
	filled := inputs.ReadValues(values)
	if wrong := inputs.Check(protocol.Encode(v.body["blocks"]), filled); len(wrong) > 0 {
		return sockets.Dispatch{}, &InputError{wrong}
	}
	user, _ := w.people.find(as)
	w.trace.Add(trace.UI, "submit", 0, object{"user": as, "view": viewID, "values": values})
	payload := stage{w: w, user: user, view: v}.payload("view_submission")
	delete(payload, "container")
	payload["view"] = v.slack(object{"values": values})
	id := protocol.EnvelopeID()
	payload["trigger_id"] = w.issued.Add(w.triggers.Issue(grants.Grant{User: as, Question: id}))
	payload["response_urls"] = w.responseURLs(id, as, inputs.Conversations(protocol.Encode(v.body["blocks"]), filled))
	return w.sockets.Deliver(ctx, sockets.Envelope{
		ID: id, Kind: "interactive", Name: "view_submission", Payload: payload, Answers: true,
		Handle: func(answer json.RawMessage) string { return w.answerView(v, answer) },
	})
}

// CloseView closes a modal as a person. The app learns of it when it asked for that.
func (w *Workspace) CloseView(ctx context.Context, as, viewID string) (sockets.Dispatch, error) {
	v, ok := w.views.get(as, viewID)
	if !ok || v.kind() != "modal" {
		return sockets.Dispatch{}, fmt.Errorf("%w: modal %s", ErrNoElement, viewID)
	}
	user, _ := w.people.find(as)
	w.trace.Add(trace.UI, "close", 0, object{"user": as, "view": viewID})
	w.views.close(as, viewID, v.body["clear_on_close"] == true)
	if v.body["notify_on_close"] != true {
		return sockets.Dispatch{}, nil
	}
	payload := stage{w: w, user: user, view: v}.payload("view_closed")
	delete(payload, "container")
	payload["is_cleared"] = v.body["clear_on_close"] == true
	return w.sockets.Deliver(ctx, sockets.Envelope{Kind: "interactive", Name: "view_closed", Payload: payload})
}

// answerView does what the acknowledgement of a submission asks for.
func (w *Workspace) answerView(v *view, raw json.RawMessage) string {
	var a viewAnswer
	if len(raw) > 0 && json.Unmarshal(raw, &a) != nil {
		return w.badAnswer("is no object", raw)
	}
	var err error
	switch a.Action {
	case "":
		w.views.close(v.User, v.ID, false)
	case "clear":
		w.views.close(v.User, v.ID, true)
	case "errors":
		return w.checkErrors(v, a, raw)
	case "update", "push":
		var body object
		if body, err = w.decodeView(a.View, "modal"); err != nil {
			break
		}
		if a.Action == "push" {
			_, err = w.views.push(v.User, body)
		} else {
			_, err = w.views.update(v.ID, "", "", body)
		}
	default:
		return w.badAnswer("asks for an unknown response_action", raw)
	}
	if err != nil {
		return w.badAnswer("carries a view that Slack refuses", w.refusalDetail(err))
	}
	return ""
}

func (w *Workspace) badAnswer(reason string, detail any) string {
	w.trace.Fail("view_submission", "the acknowledgement "+reason, detail)
	return BadViewResponse
}

// checkErrors wants each error at an input block: others have no place for it.
func (w *Workspace) checkErrors(v *view, a viewAnswer, raw json.RawMessage) string {
	var blocks []struct {
		Type    string `json:"type"`
		BlockID string `json:"block_id"`
	}
	_ = json.Unmarshal(protocol.Encode(v.body["blocks"]), &blocks)
	var inputs []string
	for _, b := range blocks {
		if b.Type == "input" {
			inputs = append(inputs, b.BlockID)
		}
	}
	for id := range a.Errors {
		if !slices.Contains(inputs, id) {
			return w.badAnswer(fmt.Sprintf("has an error for %q, which is no input block", id), raw)
		}
	}
	if len(a.Errors) == 0 {
		return w.badAnswer("has no errors in it", raw)
	}
	return ""
}

// Shortcut is a shortcut that the workspace's app has registered.
type Shortcut struct {
	Name        string `json:"name"` // what people read
	CallbackID  string `json:"callback_id"`
	Description string `json:"description"`
	OfMessage   bool   `json:"of_message,omitempty"` // in the menu of messages, rather than in that of the workspace
}

// Shortcut uses a global shortcut as a person: the app gets a trigger with which it
// can open a modal within three seconds. See
// https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
func (w *Workspace) Shortcut(ctx context.Context, as, callbackID string) (sockets.Dispatch, error) {
	user, ok := w.people.find(as)
	if !ok || user.Kind == "bot" {
		return sockets.Dispatch{}, fmt.Errorf("sandbox: no person %q", as)
	}
	if !w.offersShortcut(user, callbackID, false) {
		return sockets.Dispatch{}, fmt.Errorf("%w: shortcut %q", ErrNoElement, callbackID)
	}
	w.trace.Add(trace.UI, "shortcut", 0, object{"user": as, "callback_id": callbackID})
	id, payload := protocol.EnvelopeID(), stage{w: w, user: user}.payload("shortcut")
	delete(payload, "container")
	delete(payload, "channel")
	payload["callback_id"], payload["trigger_id"] = callbackID, w.issued.Add(w.triggers.Issue(grants.Grant{User: as, Question: id}))
	return w.sockets.Deliver(ctx, sockets.Envelope{ID: id, Kind: "interactive", Name: "shortcut", Payload: payload})
}

// offersShortcut reports whether a person finds a shortcut in a menu. Like commands, shortcuts are not shared with other
// organisations.
func (w *Workspace) offersShortcut(user person, callbackID string, ofMessage bool) bool {
	known := slices.ContainsFunc(w.opts.Shortcuts, func(s Shortcut) bool { return s.CallbackID == callbackID && s.OfMessage == ofMessage })
	return known && !slices.Contains([]string{Outsider, Stranger, Deactivated}, user.Kind)
}

// MessageShortcut uses a shortcut of a message as a person who sees it, also where the app is no member. The app gets the message,
// and a response URL for the channel. Messages that one person alone sees have no such menu.
func (w *Workspace) MessageShortcut(ctx context.Context, as, channelID, ts, callbackID string) (sockets.Dispatch, error) {
	user, c, err := w.seat(as, channelID)
	if err != nil {
		return sockets.Dispatch{}, err
	}
	m, ok := w.rooms.message(channelID, ts)
	if !ok || m.EphemeralFor != "" || m.Deleted || m.Kind != KindPerson && m.Kind != KindApp || !w.offersShortcut(user, callbackID, true) {
		return sockets.Dispatch{}, fmt.Errorf("%w: shortcut %q of message %s", ErrNoElement, callbackID, ts)
	}
	w.trace.Add(trace.UI, "shortcut", 0, object{"user": as, "callback_id": callbackID, "message": ts})
	id, payload := protocol.EnvelopeID(), stage{w: w, user: user, channel: c, message: m}.payload("message_action")
	delete(payload, "container")
	payload["callback_id"], payload["message_ts"], payload["message"] = callbackID, m.TS, m.slack()
	payload["action_ts"] = protocol.Timestamp(w.clock.now().UnixMicro())
	payload["trigger_id"] = w.issued.Add(w.triggers.Issue(grants.Grant{User: as, Channel: channelID, Question: id}))
	payload["response_url"] = w.hookURL() + w.issued.Add(w.hooks.Issue(grants.Grant{Question: id, User: as, Channel: channelID}))
	return w.sockets.Deliver(ctx, sockets.Envelope{ID: id, Kind: "interactive", Name: "message_action", Payload: payload})
}

func (w *Workspace) uiShortcut(r *http.Request, in struct {
	User       string `json:"user"`
	CallbackID string `json:"callback_id"`
	Channel    string `json:"channel"` // of the message, for a shortcut of one
	MessageTS  string `json:"message_ts"`
},
) (object, error) {
	if in.MessageTS != "" {
		return delivered(w.MessageShortcut(r.Context(), in.User, in.Channel, in.MessageTS, in.CallbackID))
	}
	return delivered(w.Shortcut(r.Context(), in.User, in.CallbackID))
}
