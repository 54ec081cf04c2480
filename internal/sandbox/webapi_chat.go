package sandbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// Limits of texts, from https://docs.slack.dev/reference/methods/chat.postMessage
// and chat.update.
const (
	updateTextBytes = 4000
	markdownText    = 12_000
	maxAttachments  = 100
)

// room returns the conversation for a channel argument: an ID, a #name, or a user's ID for the conversation with that
// user.
func (w *Workspace) room(name string) (channel, error) {
	if name == "" {
		return channel{}, protocol.Missing("channel")
	}
	if user, ok := w.people.find(name); ok && user.Kind != "bot" {
		name = w.rooms.openDM(user.ID)
	}
	for _, c := range w.rooms.all() {
		if c.ID == name || c.Name != "" && c.Name == strings.TrimPrefix(name, "#") {
			// An app does not even learn of private channels that it is not in.
			if c.Private && !c.has(BotUser) {
				break
			}
			return c, nil
		}
	}
	return channel{}, protocol.Refuse("channel_not_found")
}

// writable finds the conversation and checks that the bot may write there.
func (w *Workspace) writable(name string) (channel, error) {
	c, err := w.room(name)
	switch {
	case err != nil:
		return channel{}, err
	case c.Archived:
		return channel{}, protocol.Refuse("is_archived")
	case !c.has(BotUser):
		return channel{}, protocol.Refuse("not_in_channel")
	}
	return c, nil
}

// contentOf reads and checks what a call wants to say.
func (w *Workspace) contentOf(a protocol.Args) (content, error) {
	c := content{Text: a["text"], Blocks: a.Raw("blocks"), Attachments: a.Raw("attachments"), Metadata: a.Raw("metadata")}
	if text := a["markdown_text"]; text != "" {
		switch {
		case c.Text != "" || !isEmptyList(c.Blocks):
			return c, protocol.Refuse("markdown_text_conflict")
		case utf8.RuneCountInString(text) > markdownText:
			return c, protocol.Refuse("msg_too_long")
		}
		c.Blocks = protocol.Encode([]object{{"type": "markdown", "text": text}})
	}
	return c, w.checkContent(c)
}

// checkContent refuses what Slack refuses in any message.
func (w *Workspace) checkContent(c content) error {
	if c.empty() {
		return protocol.Refuse("no_text")
	}
	if len(c.Metadata) > 0 && string(c.Metadata) != "null" {
		if err := checkMetadata(c.Metadata); err != nil {
			return err
		}
	}
	if err := w.checkAttachments(c.Attachments); err != nil {
		return err
	}
	if isEmptyList(c.Blocks) {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(c.Blocks, &list) != nil {
		return protocol.Refuse("invalid_blocks_format")
	}
	return w.refuseBlocks("message", c.Blocks)
}

func checkMetadata(raw json.RawMessage) error {
	var m struct {
		EventType    string          `json:"event_type"`
		EventPayload json.RawMessage `json:"event_payload"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return protocol.Refuse("invalid_metadata_format")
	}
	empty := len(m.EventPayload) == 0 || string(m.EventPayload) == "null"
	if m.EventType == "" && empty {
		return nil // clients write the zero value where they have none
	}
	if m.EventType == "" || empty || m.EventPayload[0] != '{' {
		return protocol.Refuse("invalid_metadata_schema")
	}
	return nil
}

func (w *Workspace) checkAttachments(raw json.RawMessage) error {
	if isEmptyList(raw) {
		return nil
	}
	var list []struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if json.Unmarshal(raw, &list) != nil {
		return protocol.Refuse("invalid_attachments")
	}
	if len(list) > maxAttachments {
		return protocol.Refuse("too_many_attachments")
	}
	tables := 0
	for i, one := range list {
		if isEmptyList(one.Blocks) {
			continue
		}
		if err := w.refuseBlocks("message", one.Blocks); err != nil {
			return err
		}
		if tables += countBlocks(one.Blocks, "table"); tables > 1 {
			return w.refusedFor("invalid_attachments", []BlockError{{Pointer: fmt.Sprintf("/attachments/%d/blocks", i), Message: "only_one_table_allowed"}})
		}
	}
	return nil
}

// countBlocks counts the blocks of a type. People have seen Slack take more than one
// table in the blocks of a message, and refuse the second one in its attachments:
// https://github.com/NousResearch/hermes-agent/pull/48737
func countBlocks(blocks json.RawMessage, kind string) int {
	var list []struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(blocks, &list)
	n := 0
	for _, b := range list {
		if b.Type == kind {
			n++
		}
	}
	return n
}

func (w *Workspace) chatPostMessage(a protocol.Args) (object, error) {
	c, err := w.writable(a["channel"])
	if err != nil {
		return nil, err
	}
	if err := w.limits.Allow(c.ID); err != nil {
		return nil, err
	}
	say, err := w.contentOf(a)
	if err != nil {
		return nil, err
	}
	m := Message{Channel: c.ID, User: BotUser, Kind: KindApp, Broadcast: a.Bool("reply_broadcast")}
	if m.ThreadTS, err = w.thread(c.ID, a["thread_ts"]); err != nil {
		return nil, err
	}
	say.into(&m)
	m = w.rooms.post(m)
	w.tellOwn(c, m.slack())
	return object{"channel": c.ID, "ts": m.TS, "message": w.withMetadata(m)}, nil
}

// tellOwn sends the app the event of its own message in a conversation with a person, as Slack does: an app that
// answers such events would answer itself.
func (w *Workspace) tellOwn(c channel, inner object) {
	if !c.IM || !w.subscribed("message.im") {
		return
	}
	inner["channel"], inner["channel_type"] = c.ID, "im"
	w.spawn(func() { _, _ = w.event(w.ctx, inner) })
}

// thread returns the ts of the thread that a reply belongs to.
func (w *Workspace) thread(channelID, ts string) (string, error) {
	if ts == "" {
		return "", nil
	}
	parent, ok := w.rooms.message(channelID, ts)
	switch {
	case !ok || parent.EphemeralFor != "":
		return "", protocol.Refuse("thread_not_found")
	case parent.ThreadTS != "":
		return parent.ThreadTS, nil
	}
	return ts, nil
}

func (w *Workspace) withMetadata(m Message) object {
	o := m.slack()
	if len(m.Metadata) > 0 {
		o["metadata"] = m.Metadata
	}
	return o
}

func (w *Workspace) chatPostEphemeral(a protocol.Args) (object, error) {
	c, err := w.writable(a["channel"])
	if err != nil {
		return nil, err
	}
	switch user, ok := w.people.find(a["user"]); {
	case a["user"] == "":
		return nil, protocol.Missing("user")
	case !ok:
		return nil, protocol.Refuse("user_not_found")
	case !c.has(user.ID):
		return nil, protocol.Refuse("user_not_in_channel")
	}
	say, err := w.contentOf(a)
	if err != nil {
		return nil, err
	}
	m := Message{Channel: c.ID, User: BotUser, Kind: KindApp, EphemeralFor: a["user"], ThreadTS: a["thread_ts"]}
	say.into(&m)
	return object{"message_ts": w.rooms.post(m).TS}, nil
}

// own finds a message of the bot that all members see; others fail with code.
func (w *Workspace) own(a protocol.Args, code string) (Message, error) {
	c, err := w.room(a["channel"])
	if err != nil {
		return Message{}, err
	}
	if a["ts"] == "" {
		return Message{}, protocol.Missing("ts")
	}
	m, ok := w.rooms.message(c.ID, a["ts"])
	switch {
	case !ok || m.EphemeralFor != "" || m.Deleted:
		return Message{}, protocol.Refuse("message_not_found")
	case m.User != BotUser || m.Kind != KindApp:
		return Message{}, protocol.Refuse(code)
	case c.Archived:
		return Message{}, protocol.Refuse("is_archived")
	}
	return m, nil
}

func (w *Workspace) chatUpdate(a protocol.Args) (object, error) {
	m, err := w.own(a, "cant_update_message")
	if err != nil {
		return nil, err
	}
	// The documented 4,000 are bytes here, the stricter reading of two.
	if len(a["text"]) > updateTextBytes {
		return nil, protocol.Refuse("msg_too_long")
	}
	say, err := w.contentOf(a)
	if err != nil {
		return nil, err
	}
	before := m.slack()
	m, _ = w.rooms.edit(m.Channel, m.TS, say.over)
	c, _ := w.rooms.get(m.Channel)
	w.tellOwn(c, object{"type": "message", "subtype": "message_changed", "hidden": true, "message": m.slack(), "previous_message": before, "ts": w.clock.ts()})
	return object{"channel": m.Channel, "ts": m.TS, "text": m.Text, "message": w.withMetadata(m)}, nil
}

func (w *Workspace) chatDelete(a protocol.Args) (object, error) {
	m, err := w.own(a, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	w.rooms.remove(m.Channel, m.TS)
	return object{"channel": m.Channel, "ts": m.TS}, nil
}

func (w *Workspace) chatGetPermalink(a protocol.Args) (object, error) {
	c, err := w.room(a["channel"])
	if err != nil {
		return nil, err
	}
	m, ok := w.rooms.message(c.ID, a["message_ts"])
	if !ok || m.EphemeralFor != "" {
		return nil, protocol.Refuse("message_not_found")
	}
	link := w.URL() + "/archives/" + c.ID + "/p" + strings.Replace(m.TS, ".", "", 1)
	return object{"channel": c.ID, "permalink": link}, nil
}
