package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
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

// SubmitView submits a modal as a person, with the state of its inputs:
// {"block": {"action": {"type": …, "value": …}}}. What the acknowledgement asks for
// (errors, update, push, clear, or closing the modal) is done when it returns.
func (w *Workspace) SubmitView(ctx context.Context, as, viewID string, values any) (Dispatch, error) {
	v, ok := w.views.get(as, viewID)
	if !ok || v.kind() != "modal" {
		return Dispatch{}, fmt.Errorf("%w: modal %s", ErrNoElement, viewID)
	}
	user, _ := w.people.find(as)
	w.trace.Add(trace.UI, "submit", 0, object{"user": as, "view": viewID, "values": values})
	payload := stage{w: w, user: user, view: v}.payload("view_submission")
	delete(payload, "container")
	payload["view"] = v.slack(object{"values": values})
	id := protocol.EnvelopeID()
	payload["trigger_id"], payload["response_urls"] = w.issued.Add(w.triggers.Issue(as, id)), []object{}
	return w.sockets.deliver(ctx, envelope{
		id: id, kind: "interactive", name: "view_submission", payload: payload, answers: true,
		handle: func(answer json.RawMessage) string { return w.answerView(v, answer) },
	})
}

// CloseView closes a modal as a person. The app learns of it when it asked for that.
func (w *Workspace) CloseView(ctx context.Context, as, viewID string) (Dispatch, error) {
	v, ok := w.views.get(as, viewID)
	if !ok || v.kind() != "modal" {
		return Dispatch{}, fmt.Errorf("%w: modal %s", ErrNoElement, viewID)
	}
	user, _ := w.people.find(as)
	w.trace.Add(trace.UI, "close", 0, object{"user": as, "view": viewID})
	w.views.close(as, viewID, v.body["clear_on_close"] == true)
	if v.body["notify_on_close"] != true {
		return Dispatch{}, nil
	}
	payload := stage{w: w, user: user, view: v}.payload("view_closed")
	delete(payload, "container")
	payload["is_cleared"] = v.body["clear_on_close"] == true
	return w.sockets.deliver(ctx, envelope{kind: "interactive", name: "view_closed", payload: payload})
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
