package sandbox

import "cmp"

// Ways by which an app says something, beside the methods of the Web API.
const (
	WayAck  = "acknowledgement"
	WayHook = "response_url"
)

// Sight is what came of one try of the app to say something: people see it, or
// they do not. The sandbox knows both for sure, also where the app was told the
// opposite.
type Sight struct {
	Question string  // the envelope that is answered, where Slack can tell: by acknowledgements, response URLs and triggers
	Way      string  // WayAck, WayHook, or a method of the Web API
	User     string  // whose Home tab or modal it is; empty for messages
	Message  Message // as it stands afterwards; of one that nobody sees its Channel at most
	Shown    bool    // people see it
	Fault    string  // why the app was told that it failed; empty where it was told that it did not
}

// watched are the methods by which an app says something.
var watched = map[string]bool{
	"chat.postMessage": true, "chat.postEphemeral": true, "chat.update": true,
	"views.open": true, "views.push": true, "views.update": true, "views.publish": true,
}

// see tells whoever watches.
func (w *Workspace) see(s Sight) {
	if w.opts.Watch != nil {
		w.opts.Watch(s)
	}
}

// seeCall tells what came of a call of the Web API.
func (w *Workspace) seeCall(method string, a args, answer object, fault string) {
	if w.opts.Watch == nil || !watched[method] {
		return
	}
	s := Sight{Way: method, User: a["user_id"], Shown: answer != nil, Fault: fault}
	s.Message.Channel = a["channel"]
	if trigger := a["trigger_id"]; trigger != "" {
		s.User, s.Question = w.triggers.of(trigger)
	}
	ts := cmp.Or(text(answer["ts"]), text(answer["message_ts"]))
	if m, ok := w.rooms.message(cmp.Or(text(answer["channel"]), a["channel"]), ts); ok {
		s.Message = m
	}
	w.see(s)
}
