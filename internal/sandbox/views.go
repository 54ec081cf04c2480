package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

const maxStack = 3 // modals over each other

// view is a modal or a Home tab that the app has opened.
type view struct {
	ID, User, Hash, Root, Previous string

	installed string // the workspace or organisation in which the app is installed
	body      object // as the app sent it, ids filled in
}

// kind is modal or home.
func (v *view) kind() string { return protocol.Text(v.body["type"]) }

// slack returns the view as answers and payloads show it, with state if there is any.
func (v *view) slack(state any) object {
	o := object{
		"id": v.ID, "team_id": TeamID, "hash": v.Hash, "root_view_id": v.Root, "previous_view_id": nil,
		"app_id": AppID, "bot_id": BotID, "app_installed_team_id": v.installed,
		"callback_id": "", "private_metadata": "", "external_id": "", "title": nil, "submit": nil, "close": nil,
		"clear_on_close": false, "notify_on_close": false, "state": object{"values": object{}},
	}
	maps.Copy(o, v.body)
	if v.Previous != "" {
		o["previous_view_id"] = v.Previous
	}
	if state != nil {
		o["state"] = state
	}
	return o
}

// views keeps what is open in front of each person.
type views struct {
	w *Workspace

	mu     sync.Mutex
	stacks map[string][]*view // modals of a user, the topmost last
	homes  map[string]*view
}

func newViews(w *Workspace) *views {
	return &views{w: w, stacks: map[string][]*view{}, homes: map[string]*view{}}
}

// decodeView reads and checks a view that the app sent for one of the kinds.
func (w *Workspace) decodeView(raw json.RawMessage, kind string) (object, error) {
	if len(raw) == 0 {
		return nil, protocol.Missing("view")
	}
	if err := w.refuseView(raw, kind); err != nil {
		return nil, err
	}
	var body object
	if json.Unmarshal(raw, &body) != nil {
		return nil, protocol.Refuse("invalid_arguments")
	}
	body["blocks"] = protocol.WithIDs(protocol.Encode(body["blocks"]))
	return body, nil
}

// open starts a new stack with the view.
func (v *views) open(user string, body object) (*view, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.takenLocked(protocol.Text(body["external_id"]), nil) {
		return nil, protocol.Refuse("duplicate_external_id")
	}
	made := &view{ID: protocol.ObjectID("V"), User: user, installed: v.w.installedIn(), body: body}
	made.Root = made.ID
	v.stacks[user] = []*view{made}
	return v.shownLocked(made), nil
}

// push puts the view over the one that is open.
func (v *views) push(user string, body object) (*view, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	stack := v.stacks[user]
	switch {
	case len(stack) == 0:
		return nil, protocol.Refuse("not_found")
	case len(stack) >= maxStack:
		return nil, protocol.Refuse("push_limit_reached")
	case v.takenLocked(protocol.Text(body["external_id"]), nil):
		return nil, protocol.Refuse("duplicate_external_id")
	}
	made := &view{ID: protocol.ObjectID("V"), User: user, installed: v.w.installedIn(), Root: stack[0].ID, Previous: stack[len(stack)-1].ID, body: body}
	v.stacks[user] = append(stack, made)
	return v.shownLocked(made), nil
}

// takenLocked returns true if another view has the external id.
func (v *views) takenLocked(external string, but *view) bool {
	return external != "" && slices.ContainsFunc(v.allLocked(), func(o *view) bool { return o != but && protocol.Text(o.body["external_id"]) == external })
}

func (v *views) allLocked() []*view {
	var out []*view
	for _, stack := range v.stacks {
		out = append(out, stack...)
	}
	return slices.AppendSeq(out, maps.Values(v.homes))
}

// shownLocked gives the view a new hash, tells the page and returns a
// copy that nothing changes any more.
func (v *views) shownLocked(of *view) *view {
	of.Hash = fmt.Sprintf("%d.%s", v.w.clock.now().Unix(), protocol.RandomHex(4))
	name := "view"
	if of.kind() == "home" {
		name = "home"
	}
	v.w.feed.Send(name, object{"user": of.User, "view": of.slack(nil)})
	v.w.rooms.nudge()
	out := *of
	return &out
}

// update puts another body into a view found by id or external id. An empty hash
// always fits.
func (v *views) update(id, external, hash string, body object) (*view, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	found := v.allLocked()
	i := slices.IndexFunc(found, func(o *view) bool {
		return id != "" && o.ID == id || external != "" && protocol.Text(o.body["external_id"]) == external
	})
	if i < 0 {
		return nil, protocol.Refuse("not_found")
	}
	one := found[i]
	switch {
	case hash != "" && hash != one.Hash:
		return nil, protocol.Refuse("hash_conflict")
	case v.takenLocked(protocol.Text(body["external_id"]), one):
		return nil, protocol.Refuse("duplicate_external_id")
	}
	one.body = body
	return v.shownLocked(one), nil
}

// publish makes the view the user's Home tab.
func (v *views) publish(user, hash string, body object) (*view, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	home := v.homes[user]
	if home != nil && hash != "" && hash != home.Hash {
		return nil, protocol.Refuse("hash_conflict")
	}
	if home == nil {
		home = &view{ID: protocol.ObjectID("V"), User: user, installed: v.w.installedIn()}
		home.Root = home.ID
		v.homes[user] = home
	}
	home.body = body
	return v.shownLocked(home), nil
}

// get returns a copy of what the user has open under the id.
func (v *views) get(user, id string) (*view, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.allLocked() {
		if one.ID == id && one.User == user {
			out := *one
			return &out, true
		}
	}
	return nil, false
}

// close takes a modal and those over it away; all takes the whole stack.
func (v *views) close(user, id string, all bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	stack := v.stacks[user]
	i := slices.IndexFunc(stack, func(o *view) bool { return o.ID == id })
	if i < 0 {
		return
	}
	if all {
		i = 0
	}
	for _, gone := range slices.Backward(stack[i:]) {
		v.w.feed.Send("view_closed", object{"user": user, "view_id": gone.ID})
	}
	v.stacks[user] = stack[:i]
	v.w.rooms.nudge()
}

// Views returns the modals that a person has open, the topmost last, as Slack's
// JSON shows a view.
func (w *Workspace) Views(as string) []json.RawMessage {
	w.views.mu.Lock()
	defer w.views.mu.Unlock()
	var out []json.RawMessage
	for _, v := range w.views.stacks[as] {
		out = append(out, protocol.Encode(v.slack(nil)))
	}
	return out
}

// Home returns a person's Home tab as Slack's JSON shows a view, nil when the app
// has published none.
func (w *Workspace) Home(as string) json.RawMessage {
	w.views.mu.Lock()
	defer w.views.mu.Unlock()
	if v := w.views.homes[as]; v != nil {
		return protocol.Encode(v.slack(nil))
	}
	return nil
}

// OpenHome opens the app's Home tab as a person.
func (w *Workspace) OpenHome(ctx context.Context, as string) (sockets.Dispatch, error) {
	user, ok := w.people.find(as)
	if !ok || user.Kind == "bot" {
		return sockets.Dispatch{}, fmt.Errorf("sandbox: no person %q", as)
	}
	w.trace.Add(trace.UI, "open home", 0, object{"user": as})
	if !w.subscribed("app_home_opened") {
		return sockets.Dispatch{}, nil
	}
	inner := object{"type": "app_home_opened", "user": as, "channel": w.rooms.openDM(as), "tab": "home"}
	if home := w.Home(as); home != nil {
		inner["view"] = home
	}
	return w.event(ctx, inner)
}
