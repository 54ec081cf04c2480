package sandbox

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// object is a JSON object on its way in or out.
type object = map[string]any

// Kinds of messages, as [Message.Kind] names them.
const (
	KindPerson = "person"       // typed by a person
	KindApp    = "app"          // sent by the app
	KindEcho   = "command_echo" // the slash command that an in_channel answer shows
	KindError  = "error"        // Slack's own words when a command fails
)

// File is a file that was shared with a message.
type File struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Size int    `json:"size"`
	URL  string `json:"url"` // path on the workspace where its bytes are
}

// Message is one line of a channel as one person sees it.
type Message struct {
	TS           string          `json:"ts"`
	Channel      string          `json:"channel"`
	User         string          `json:"user"`
	Text         string          `json:"text"`
	Blocks       json.RawMessage `json:"blocks,omitempty"`
	Attachments  json.RawMessage `json:"attachments,omitempty"`
	EphemeralFor string          `json:"ephemeral_for,omitempty"` // only this person sees it
	ThreadTS     string          `json:"thread_ts,omitempty"`
	Broadcast    bool            `json:"reply_broadcast,omitempty"` // a reply that the channel shows too
	ResponseType string          `json:"response_type,omitempty"`   // ephemeral or in_channel, for answers to commands and clicks
	Edited       bool            `json:"edited"`
	Deleted      bool            `json:"deleted,omitempty"` // what is left of a deleted message that has replies
	Metadata     json.RawMessage `json:"metadata,omitempty"`
	Kind         string          `json:"kind"`
	Files        []File          `json:"files,omitempty"`

	rich []any // the rich text of what a person wrote, as Slack sends it beside the text; the page shows the text
}

// Unescape undoes Slack's escaping of text, for a terminal.
func Unescape(text string) string { return unescaped.Replace(text) }

var unescaped = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

func (m Message) visibleTo(user string) bool {
	return m.EphemeralFor == "" || m.EphemeralFor == user
}

func (m Message) isReply() bool { return m.ThreadTS != "" && m.ThreadTS != m.TS }

// content is what an app may say in a message.
type content struct {
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	Attachments json.RawMessage `json:"attachments"`
	Metadata    json.RawMessage `json:"metadata"`
}

func (c content) empty() bool {
	return c.Text == "" && isEmptyList(c.Blocks) && isEmptyList(c.Attachments)
}

// isEmptyList returns true if a JSON list is absent, null or without elements.
func isEmptyList(list json.RawMessage) bool {
	return slices.Contains([]string{"", "null", "[]"}, string(list))
}

// over puts the content over an older one, as chat.update does: blocks and
// attachments that are not given stay, an empty list takes them away.
func (c content) over(m *Message) {
	if len(c.Blocks) == 0 {
		c.Blocks = m.Blocks
	}
	if len(c.Attachments) == 0 {
		c.Attachments = m.Attachments
	}
	c.into(m)
}

// into makes the content that of m, and leaves nothing of an older one but its
// metadata.
func (c content) into(m *Message) {
	m.Text, m.Blocks, m.Attachments = cut(c.Text, 40_000), nil, nil
	if !isEmptyList(c.Blocks) {
		m.Blocks = protocol.WithIDs(c.Blocks)
	}
	if !isEmptyList(c.Attachments) {
		m.Attachments = c.Attachments
	}
	if len(c.Metadata) > 0 && string(c.Metadata) != "null" {
		m.Metadata = c.Metadata
	}
}

// cut shortens text to n characters, silently, as Slack does.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	if r := []rune(text); len(r) > n {
		return string(r[:n])
	}
	return text
}

// slack returns the message as the Web API and payloads show it.
func (m Message) slack() object {
	o := object{"type": "message", "user": m.User, "text": m.Text, "ts": m.TS, "team": TeamID}
	if m.Kind == KindApp {
		o["bot_id"], o["app_id"] = BotID, AppID
		o["bot_profile"] = object{"id": BotID, "app_id": AppID, "name": BotName, "deleted": false, "team_id": TeamID}
	}
	if m.Deleted {
		o["subtype"] = "tombstone"
	}
	if m.Edited {
		o["edited"] = object{"user": m.User, "ts": m.TS}
	}
	if m.ThreadTS != "" {
		o["thread_ts"] = m.ThreadTS
	}
	for key, part := range map[string]json.RawMessage{"blocks": m.Blocks, "attachments": m.Attachments} {
		if len(part) > 0 {
			o[key] = part
		}
	}
	if len(m.Files) > 0 {
		o["files"] = m.Files
	}
	if len(m.rich) > 0 {
		o["blocks"] = m.rich
	}
	return o
}
