package sandbox

import (
	"github.com/missingkbs/missingkbs/internal/sandbox/inputs"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

func (w *Workspace) viewsOpen(a protocol.Args) (object, error) {
	return w.raise(a, w.views.open)
}

func (w *Workspace) viewsPush(a protocol.Args) (object, error) {
	return w.raise(a, w.views.push)
}

// raise opens a modal for the user of the trigger. The view is checked
// first: a refused call does not use the trigger up.
func (w *Workspace) raise(a protocol.Args, open func(user string, body object) (*view, error)) (object, error) {
	body, err := w.decodeView(a.Raw("view"), "modal")
	if err != nil {
		return nil, err
	}
	trigger, err := w.triggers.Redeem(a["trigger_id"])
	if err != nil {
		return nil, err
	}
	body["blocks"] = inputs.InConversation(protocol.Encode(body["blocks"]), trigger.Channel)
	return answerView(open(trigger.User, body))
}

func (w *Workspace) viewsUpdate(a protocol.Args) (object, error) {
	if a["view_id"] == "" && a["external_id"] == "" {
		return nil, protocol.Missing("view_id")
	}
	body, err := w.decodeView(a.Raw("view"), "")
	if err != nil {
		return nil, err
	}
	return answerView(w.views.update(a["view_id"], a["external_id"], a["hash"], body))
}

func (w *Workspace) viewsPublish(a protocol.Args) (object, error) {
	user, ok := w.people.find(a["user_id"])
	switch {
	case a["user_id"] == "":
		return nil, protocol.Missing("user_id")
	case !ok || user.Kind == "bot":
		return nil, protocol.Refuse("user_not_found")
	}
	body, err := w.decodeView(a.Raw("view"), "home")
	if err != nil {
		return nil, err
	}
	return answerView(w.views.publish(user.ID, a["hash"], body))
}

func answerView(v *view, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	return object{"view": v.slack(nil)}, nil
}
