package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// keepMessages bounds the messages of one channel; older ones are dropped.
const keepMessages = 1000

// channel is a conversation of any kind.
type channel struct {
	ID, Name, Topic string
	Private         bool
	Shared          bool // with another organisation
	IM              bool
	Archived        bool
	Members         []string
	Teams           []string // workspaces of the organisation that it is in; nil for the one

	messages []*Message
}

func (c *channel) has(user string) bool { return slices.Contains(c.Members, user) }

// rooms holds channels and messages, and wakes callers that wait for a change.
type rooms struct {
	w *Workspace

	mu      sync.Mutex
	list    []*channel
	changed chan struct{} // closed and replaced at each change
}

func newRooms(w *Workspace) *rooms {
	r := &rooms{w: w, changed: make(chan struct{}), list: []*channel{
		{ID: General, Name: "general", Topic: "Company-wide news", Members: []string{Alice, Bob, Guest, BotUser}},
		{ID: Patching, Name: "patching", Topic: "Windows updates, week by week", Members: []string{Alice, Bob, Guest, BotUser}},
		{ID: SharedChannel, Name: "vendor-bridge", Topic: "Shared with Other Org", Shared: true, Members: []string{Alice, Bob, External, BotUser}},
		{ID: PrivateChannel, Name: "secops", Topic: "The bot is not here", Private: true, Members: []string{Alice, Bob}},
	}}
	for _, user := range []string{Alice, Bob, Guest} {
		r.openDM(user)
	}
	return r
}

// openDM returns the id of the user's conversation with the bot.
func (r *rooms) openDM(user string) string {
	id := "D" + strings.TrimPrefix(user, "U")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.findLocked(id) == nil {
		r.list = append(r.list, &channel{ID: id, IM: true, Members: []string{user, BotUser}})
	}
	return id
}

func (r *rooms) findLocked(id string) *channel {
	for _, c := range r.list {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// get returns a copy of a channel without its messages.
func (r *rooms) get(id string) (channel, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.findLocked(id)
	if c == nil {
		return channel{}, false
	}
	return c.copy(), true
}

func (c *channel) copy() channel {
	out := *c
	out.Members, out.messages = slices.Clone(c.Members), nil
	return out
}

// all returns copies of all channels without their messages.
func (r *rooms) all() []channel {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]channel, 0, len(r.list))
	for _, c := range r.list {
		out = append(out, c.copy())
	}
	return out
}

// change lets f alter a channel and reports whether there is one.
func (r *rooms) change(id string, f func(*channel)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.findLocked(id)
	if c == nil {
		return false
	}
	f(c)
	r.wakeLocked()
	return true
}

func (r *rooms) wakeLocked() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// nextChange returns a channel that is closed at the next change.
func (r *rooms) nextChange() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// nudge wakes waiters for changes that other parts hold.
func (r *rooms) nudge() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wakeLocked()
}

// post gives m its ts and appends it.
func (r *rooms) post(m Message) Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.findLocked(m.Channel)
	if c == nil {
		return m
	}
	m.TS = r.w.clock.ts()
	kept := m
	c.messages = append(c.messages, &kept)
	if extra := len(c.messages) - keepMessages; extra > 0 {
		c.messages = slices.Delete(c.messages, 0, extra)
	}
	r.wakeLocked()
	r.w.feed.Send("message", object{"channel": m.Channel, "message": m})
	return m
}

// message returns one message.
func (r *rooms) message(channelID, ts string) (Message, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.findMessageLocked(channelID, ts); m != nil {
		return *m, true
	}
	return Message{}, false
}

func (r *rooms) findMessageLocked(channelID, ts string) *Message {
	c := r.findLocked(channelID)
	if c == nil {
		return nil
	}
	for _, m := range slices.Backward(c.messages) {
		if m.TS == ts {
			return m
		}
	}
	return nil
}

// edit lets f alter a message and marks it as edited.
func (r *rooms) edit(channelID, ts string, f func(*Message)) (Message, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.findMessageLocked(channelID, ts)
	if m == nil || m.Deleted {
		return Message{}, false
	}
	f(m)
	m.Edited = true
	r.wakeLocked()
	r.w.feed.Send("message", object{"channel": channelID, "message": *m})
	return *m, true
}

// remove deletes a message. One with replies leaves a mark, as in Slack.
func (r *rooms) remove(channelID, ts string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, m := r.findLocked(channelID), r.findMessageLocked(channelID, ts)
	if m == nil || m.Deleted {
		return
	}
	replied := slices.ContainsFunc(c.messages, func(o *Message) bool { return o != m && o.ThreadTS == ts })
	if replied {
		*m = Message{TS: ts, Channel: channelID, User: m.User, Kind: m.Kind, ThreadTS: m.ThreadTS, Text: "This message was deleted.", Deleted: true}
		r.w.feed.Send("message", object{"channel": channelID, "message": *m})
	} else {
		c.messages = slices.DeleteFunc(c.messages, func(o *Message) bool { return o == m })
		r.w.feed.Send("message_deleted", object{"channel": channelID, "ts": ts})
	}
	r.wakeLocked()
}

// messages returns copies of those messages of a channel that keep wants, oldest first.
func (r *rooms) messages(channelID string, keep func(Message) bool) []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Message
	if c := r.findLocked(channelID); c != nil {
		for _, m := range c.messages {
			if keep(*m) {
				out = append(out, *m)
			}
		}
	}
	return out
}

// Messages returns the messages that a person sees in a channel now, oldest first,
// ephemeral ones included. A person who is not in the channel sees none.
func (w *Workspace) Messages(channelID, as string) []Message {
	if c, ok := w.rooms.get(channelID); !ok || !c.has(as) {
		return nil
	}
	return w.rooms.messages(channelID, func(m Message) bool { return m.visibleTo(as) })
}

// Wait returns when done says true: at once, or after a change of messages, views,
// files or channels that makes it so. The error is the context's, if that ends first.
func (w *Workspace) Wait(ctx context.Context, done func() bool) error {
	for {
		changed := w.rooms.nextChange() // before looking, so that no change is missed
		if done() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-w.ctx.Done():
			return ErrClosed
		}
	}
}

// ErrClosed is returned by what waits when the workspace is closed.
var ErrClosed = sockets.ErrClosed

// WaitMessage returns the first message that the person sees in the channel and ok
// accepts, waiting for it if need be. When the context ends first the error lists
// what was there instead.
func (w *Workspace) WaitMessage(ctx context.Context, channelID, as string, ok func(Message) bool) (Message, error) {
	var found Message
	err := w.Wait(ctx, func() bool {
		seen := w.Messages(channelID, as)
		i := slices.IndexFunc(seen, ok)
		if i >= 0 {
			found = seen[i]
		}
		return i >= 0
	})
	if err != nil {
		seen, _ := json.Marshal(w.Messages(channelID, as))
		return Message{}, fmt.Errorf("wait for a message in %s as %s, which shows %s: %w", channelID, as, cut(string(seen), 2000), err)
	}
	return found, nil
}

// Archive archives a channel: posting there fails from now on with is_archived.
func (w *Workspace) Archive(channelID string) bool {
	return w.rooms.change(channelID, func(c *channel) { c.Archived = true })
}

// Share connects a channel with another organisation, or ends that.
func (w *Workspace) Share(channelID string, shared bool) bool {
	return w.rooms.change(channelID, func(c *channel) { c.Shared = shared })
}

// Kick takes a user, often [BotUser], out of a channel.
func (w *Workspace) Kick(channelID, user string) bool {
	return w.rooms.change(channelID, func(c *channel) {
		c.Members = slices.DeleteFunc(c.Members, func(m string) bool { return m == user })
	})
}

// Invite takes a user into a channel.
func (w *Workspace) Invite(channelID, user string) bool {
	return w.rooms.change(channelID, func(c *channel) {
		if !c.has(user) {
			c.Members = append(c.Members, user)
		}
	})
}
