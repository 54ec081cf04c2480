package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// Shortcut is a global shortcut that the workspace's app has registered.
type Shortcut struct {
	Name        string `json:"name"` // what people read
	CallbackID  string `json:"callback_id"`
	Description string `json:"description"`
}

// Shortcut uses a global shortcut as a person: the app gets a trigger with which it
// can open a modal within three seconds. See
// https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
func (w *Workspace) Shortcut(ctx context.Context, as, callbackID string) (Dispatch, error) {
	user, ok := w.people.find(as)
	if !ok || user.Kind == "bot" {
		return Dispatch{}, fmt.Errorf("sandbox: no person %q", as)
	}
	// Like commands, shortcuts are not shared with other organisations.
	known := slices.ContainsFunc(w.opts.Shortcuts, func(s Shortcut) bool { return s.CallbackID == callbackID })
	if !known || user.Kind == Outsider || user.Kind == Stranger || user.Kind == Deactivated {
		return Dispatch{}, fmt.Errorf("%w: shortcut %q", ErrNoElement, callbackID)
	}
	w.trace.Add(trace.UI, "shortcut", 0, object{"user": as, "callback_id": callbackID})
	id, payload := protocol.EnvelopeID(), stage{w: w, user: user}.payload("shortcut")
	delete(payload, "container")
	delete(payload, "channel")
	payload["callback_id"], payload["trigger_id"] = callbackID, w.issued.Add(w.triggers.Issue(as, id))
	return w.sockets.deliver(ctx, envelope{id: id, kind: "interactive", name: "shortcut", payload: payload})
}

func (w *Workspace) uiShortcut(r *http.Request, in struct {
	User       string `json:"user"`
	CallbackID string `json:"callback_id"`
},
) (object, error) {
	return delivered(w.Shortcut(r.Context(), in.User, in.CallbackID))
}
