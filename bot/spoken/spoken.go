// Package spoken reads what people write to the bot: events of mentions and direct messages, and the message that a
// shortcut was used on. It knows their format, and which contain no question: messages of bots, edits, and Slack's own
// lines. It neither knows what the words mean nor sends anything.
package spoken

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The types of events that Event reads.
const (
	MentionEvent = "app_mention"
	DirectEvent  = "message" // only direct messages are subscribed to
	HomeEvent    = "app_home_opened"
)

// ErrUnknown is returned for an event that this package does not read.
var ErrUnknown = errors.New("not an event that the app subscribes to")

// Message is an event that one person caused.
type Message struct {
	Type    string // one of the constants
	ID      string // of the event; equal when Slack repeats it
	User    string
	Team    string // the person's workspace, if the event says so
	Channel string
	Thread  string // the thread that it belongs to; empty for none
	Text    string // without the mention of the bot; Slack's escapes are kept
	Tab     string // the tab that was opened
	Ignore  bool   // it needs no answer
}

// envelope is the payload of an event. See https://docs.slack.dev/apis/events-api#event-type-structure.
type envelope struct {
	TeamID         string `json:"team_id"`
	EventID        string `json:"event_id"`
	Authorizations []struct {
		UserID string `json:"user_id"`
		IsBot  bool   `json:"is_bot"`
	} `json:"authorizations"`
	Event inner `json:"event"`
}

// inner is a message event. Unlike messages of people, those of bots have a bot_id, and edits a subtype. See
// https://docs.slack.dev/reference/events/message.
type inner struct {
	Type        string          `json:"type"`
	Subtype     string          `json:"subtype"`
	User        string          `json:"user"`
	UserTeam    string          `json:"user_team"`
	Team        string          `json:"team"`
	BotID       string          `json:"bot_id"`
	AppID       string          `json:"app_id"`
	Channel     string          `json:"channel"`
	ChannelType string          `json:"channel_type"`
	TS          string          `json:"ts"`
	ThreadTS    string          `json:"thread_ts"`
	Text        string          `json:"text"`
	Tab         string          `json:"tab"`
	Hidden      bool            `json:"hidden"`
	Edited      json.RawMessage `json:"edited"`
}

// saying lists the subtypes of messages that people write. Files sent along are not read.
var saying = []string{"", "file_share", "thread_broadcast"}

// Event reads the payload of an event.
func Event(payload json.RawMessage) (Message, error) {
	var e envelope
	if err := json.Unmarshal(payload, &e); err != nil {
		return Message{}, fmt.Errorf("read event: %w", err)
	}
	in := e.Event
	m := Message{
		Type: in.Type, ID: e.EventID, User: in.User, Channel: in.Channel, Thread: in.ThreadTS, Text: in.Text, Tab: in.Tab,
		Team: cmp.Or(in.UserTeam, in.Team, e.TeamID),
	}
	switch in.Type {
	case HomeEvent:
		if in.User == "" {
			return m, fmt.Errorf("%w: %s without a user", ErrUnknown, in.Type)
		}
		m.Team = e.TeamID
	case MentionEvent, DirectEvent:
		m.Ignore = in.ignored() || e.isSelf(in.User)
		m.Text = e.withoutSelf(in.Text)
		m.Ignore = m.Ignore || in.Subtype == "file_share" && strings.TrimSpace(m.Text) == ""
	default:
		return m, fmt.Errorf("%w: %q", ErrUnknown, in.Type)
	}
	return m, nil
}

// ignored reports whether the event is anything but a message that a person has just written to the bot.
func (in inner) ignored() bool {
	byBot := in.BotID != "" || in.AppID != "" || in.User == "USLACKBOT"
	changed := in.Hidden || len(in.Edited) > 0 && string(in.Edited) != "null" || !slices.Contains(saying, in.Subtype)
	elsewhere := in.Type == DirectEvent && in.ChannelType != "im"
	return byBot || changed || elsewhere || in.User == "" || in.Channel == ""
}

func (e envelope) isSelf(user string) bool {
	for _, a := range e.Authorizations {
		if a.IsBot && a.UserID != "" && a.UserID == user {
			return true
		}
	}
	return false
}

// withoutSelf removes mentions of the bot itself from a text.
func (e envelope) withoutSelf(text string) string {
	for _, a := range e.Authorizations {
		if a.UserID != "" {
			text = withoutMention(text, "<@"+a.UserID)
		}
	}
	return strings.TrimSpace(text)
}

// withoutMention removes mentions that start with a prefix, with a name or without. It copies each part of the text
// once, so that long texts take linear time.
func withoutMention(text, mention string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, mention)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		_, after, ends := strings.Cut(rest, ">")
		switch {
		case !ends:
			out.WriteString(mention + rest)
			return out.String()
		case rest[0] == '>' || rest[0] == '|':
			out.WriteByte(' ')
			text = after
		default: // another user whose ID starts with the bot's
			out.WriteString(mention)
			text = rest
		}
	}
}
