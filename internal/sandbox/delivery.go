package sandbox

import (
	"cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// The ways of a [Delivery] that are not methods of the Web API.
const (
	WayAck  = "acknowledgement"
	WayHook = "response_url"
)

// Delivery is the result of one attempt of the app to show something: users see it
// or they do not. The sandbox knows which, even if the app was told the opposite.
type Delivery struct {
	Question string  // the ID of the envelope that it answers, known for acknowledgements, response URLs and triggers
	Way      string  // WayAck, WayHook, or a method of the Web API
	User     string  // who sees the Home tab or modal; empty for messages
	Message  Message // as it is afterwards; at most its Channel if no user sees it
	Shown    bool    // users see it
	Fault    string  // the failure that the app was told of, if any
}

// reportedMethods are the methods by which an app shows something.
var reportedMethods = map[string]bool{
	"chat.postMessage": true, "chat.postEphemeral": true, "chat.update": true,
	"views.open": true, "views.push": true, "views.update": true, "views.publish": true,
}

// report calls [Options].Watch.
func (w *Workspace) report(s Delivery) {
	if w.opts.Watch != nil {
		w.opts.Watch(s)
	}
}

// reportCall reports the result of a call of the Web API.
func (w *Workspace) reportCall(method string, a protocol.Args, answer object, fault string) {
	if w.opts.Watch == nil || !reportedMethods[method] {
		return
	}
	s := Delivery{Way: method, User: a["user_id"], Shown: answer != nil, Fault: fault}
	s.Message.Channel = a["channel"]
	if trigger := a["trigger_id"]; trigger != "" {
		s.User, s.Question = w.triggers.Of(trigger)
	}
	ts := cmp.Or(protocol.Text(answer["ts"]), protocol.Text(answer["message_ts"]))
	if m, ok := w.rooms.message(cmp.Or(protocol.Text(answer["channel"]), a["channel"]), ts); ok {
		s.Message = m
	}
	w.report(s)
}
