package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// stateTrace is how many trace entries a page gets at its start.
const stateTrace = 200

// state returns everything that the page shows.
func (w *Workspace) state() object {
	return object{
		"team":  object{"id": TeamID, "name": TeamName},
		"users": w.userList(), "channels": w.channelList(), "messages": w.allMessages(),
		"homes": w.homeList(), "views": w.viewList(), "commands": w.commandList(), "shortcuts": append([]Shortcut{}, w.opts.Shortcuts...),
		"clock": w.Now(), "faults": w.faults.Values(), "fault_list": w.faults.List(),
		"connections": w.Connections(), "trace": w.trace.Newest(stateTrace),
	}
}

func (w *Workspace) userList() []object {
	var out []object
	for _, u := range w.people.all() {
		out = append(out, object{"id": u.ID, "name": u.Name, "real_name": u.RealName, "kind": u.Kind, "team_id": u.Team, "tz": u.TZ})
	}
	return out
}

func (w *Workspace) channelList() []object {
	var out []object
	for _, c := range w.rooms.all() {
		o := object{
			"id": c.ID, "name": c.Name, "is_private": c.Private, "is_ext_shared": c.Shared, "is_im": c.IM,
			"is_archived": c.Archived, "topic": c.Topic, "bot_is_member": c.has(BotUser), "members": c.Members,
		}
		if c.IM {
			o["user"] = c.Members[0]
		}
		out = append(out, o)
	}
	return out
}

func (w *Workspace) allMessages() map[string][]Message {
	out := map[string][]Message{}
	for _, c := range w.rooms.all() {
		out[c.ID] = append([]Message{}, w.rooms.messages(c.ID, func(Message) bool { return true })...)
	}
	return out
}

func (w *Workspace) homeList() object {
	out := object{}
	for _, u := range w.people.all() {
		if home := w.Home(u.ID); home != nil {
			out[u.ID] = home
		}
	}
	return out
}

func (w *Workspace) viewList() object {
	out := object{}
	for _, u := range w.people.all() {
		if open := w.Views(u.ID); len(open) > 0 {
			out[u.ID] = open
		}
	}
	return out
}

func (w *Workspace) commandList() []SlashCommand {
	return append([]SlashCommand{}, w.commands...)
}

// eventTimeout is how long a page may take to read one event.
const eventTimeout = 10 * time.Second

// serveEvents streams changes until the page leaves, is too slow, or the workspace
// closes. See https://html.spec.whatwg.org/multipage/server-sent-events.html
func (w *Workspace) serveEvents(rw http.ResponseWriter, r *http.Request) {
	after := int64(-1)
	if id, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		after = id
	}
	events, complete := w.feed.Subscribe(after)
	defer w.feed.Unsubscribe(events)
	h := rw.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	out := http.NewResponseController(rw)
	write := func(format string, a ...any) bool {
		_ = out.SetWriteDeadline(time.Now().Add(eventTimeout))
		_, err := fmt.Fprintf(rw, format, a...)
		return err == nil && out.Flush() == nil
	}
	if !write("retry: 500\n\n") || !complete && after >= 0 && !write("event: state_reset\ndata: {}\n\n") {
		return
	}
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for {
		select {
		case e, ok := <-events:
			if !ok || !write("id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Name, e.Data) {
				return
			}
		case <-alive.C:
			if !write(": alive\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}
