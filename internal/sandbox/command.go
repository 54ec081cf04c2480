package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/internal/sandbox/grants"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// Command types a slash command, such as "/missingkbs help", as a person in a channel. It returns when the app has
// acknowledged and the content of the acknowledgement is shown, or after three seconds. What went wrong for the person
// is in [Delivery.Err] and shown in the channel as Slack shows it. The error is for things that no person could do, and
// for the end of the context.
func (w *Workspace) Command(ctx context.Context, as, channelID, text string) (sockets.Dispatch, error) {
	user, c, err := w.seat(as, channelID)
	if err != nil {
		return sockets.Dispatch{}, err
	}
	name, words, _ := strings.Cut(strings.TrimSpace(text), " ")
	w.trace.Add(trace.UI, "command", 0, object{"user": as, "channel": channelID, "text": text})
	known := slices.ContainsFunc(w.commands, func(s SlashCommand) bool { return s.Command == name })
	// Commands are not shared with the other organisations of a channel:
	// https://docs.slack.dev/apis/slack-connect
	if !known || slices.Contains([]string{Outsider, Stranger, Deactivated}, user.Kind) {
		w.say(user, c, fmt.Sprintf("%s is not a valid command. In Slack, all messages that start with the \"/\" character are interpreted as commands.", name))
		return sockets.Dispatch{Err: UnknownCommand}, nil
	}
	typed := typedCommand{id: protocol.EnvelopeID(), user: user, channel: c, name: name, words: strings.TrimSpace(words)}
	typed.hook = w.issued.Add(w.hooks.Issue(grants.Grant{Question: typed.id, User: user.ID, Channel: c.ID, Command: true}))
	d, err := w.sockets.Deliver(ctx, sockets.Envelope{
		ID: typed.id, Kind: "slash_commands", Name: name, Payload: w.slashPayload(typed), Answers: true,
		Handle: func(payload json.RawMessage) string { return w.answerCommand(typed, payload) },
	})
	w.explain(typed, d.Err)
	return d, err
}

// typedCommand is a slash command on its way.
type typedCommand struct {
	id          string // of its envelope
	user        person
	channel     channel
	name, words string
	hook        string // path of its response URL
}

// seat returns a person, and a channel that the person is in.
func (w *Workspace) seat(as, channelID string) (person, channel, error) {
	user, ok := w.people.find(as)
	if !ok || user.Kind == "bot" {
		return person{}, channel{}, fmt.Errorf("sandbox: no person %q", as)
	}
	c, ok := w.rooms.get(channelID)
	if !ok || !c.has(as) {
		return person{}, channel{}, fmt.Errorf("sandbox: %s is not in channel %q", user.Name, channelID)
	}
	return user, c, nil
}

// slashPayload is documented at https://docs.slack.dev/interactivity/implementing-slash-commands
func (w *Workspace) slashPayload(t typedCommand) object {
	o := object{
		"token": w.verification, "team_id": w.teamOf(t.user), "team_domain": TeamDomain,
		"channel_id": t.channel.ID, "channel_name": t.channel.payloadName(),
		"user_id": t.user.ID, "user_name": t.user.Name, "command": t.name, "text": t.words,
		"api_app_id": AppID, "is_enterprise_install": strconv.FormatBool(w.opts.OrgWide),
		"response_url": w.hookURL() + t.hook, "trigger_id": w.issued.Add(w.triggers.Issue(grants.Grant{User: t.user.ID, Channel: t.channel.ID, Question: t.id})),
	}
	if w.inOrg() {
		o["enterprise_id"], o["enterprise_name"] = OrgID, OrgName
	}
	return o
}

// payloadName is the channel's name as commands and clicks carry it.
func (c channel) payloadName() string {
	switch {
	case c.IM:
		return "directmessage"
	case c.Private:
		return "privategroup"
	}
	return c.Name
}

// answerCommand shows the message that an acknowledgement carried.
func (w *Workspace) answerCommand(t typedCommand, payload json.RawMessage) string {
	m, fault := w.showCommand(t, payload)
	if m.TS != "" || fault != "" {
		w.report(Delivery{Question: t.id, Way: WayAck, Message: m, Shown: m.TS != "", Fault: fault})
	}
	return fault
}

func (w *Workspace) showCommand(t typedCommand, payload json.RawMessage) (m Message, fault string) {
	var a answer
	if err := json.Unmarshal(payload, &a); err != nil {
		w.trace.Fail(t.name, "the acknowledgement is no message", payload)
		return m, BadCommandResponse
	}
	if a.empty() && a.ResponseType != inChannel {
		return m, ""
	}
	if !a.empty() {
		if err := w.checkContent(a.content); err != nil {
			w.trace.Fail(t.name, "the acknowledgement carries a message that Slack refuses", w.refusalDetail(err))
			return m, BadCommandResponse
		}
	}
	if a.ResponseType == inChannel {
		w.rooms.post(Message{Channel: t.channel.ID, User: t.user.ID, Kind: KindEcho, Text: strings.TrimSpace(t.name + " " + t.words)})
	}
	if !a.empty() {
		m = w.rooms.post(a.message(t.user.ID, t.channel.ID))
	}
	return m, ""
}

func (w *Workspace) refusalDetail(err error) object {
	detail, _ := w.refusal(nil, err)
	return detail
}

// explain shows the user Slack's own message for a command that failed.
func (w *Workspace) explain(t typedCommand, fault string) {
	switch fault {
	case "":
	case sockets.NoAck:
		w.say(t.user, t.channel, t.name+" failed because the app did not respond. Please try again or contact the app developer.")
	default:
		w.say(t.user, t.channel, fmt.Sprintf("%s failed with the error %q", t.name, fault))
	}
}

// say shows one person a line from Slack itself.
func (w *Workspace) say(to person, c channel, text string) {
	w.rooms.post(Message{Channel: c.ID, User: "USLACKBOT", Kind: KindError, EphemeralFor: to.ID, Text: text})
}

// Message writes a message as a person. One that mentions the bot in a channel
// where the bot is, and one to the bot itself, are delivered as events; for others
// the delivery is empty.
func (w *Workspace) Message(ctx context.Context, as, channelID, text string) (sockets.Dispatch, error) {
	return w.reply(ctx, Message{User: as, Channel: channelID, Text: text})
}

// Mention is [Workspace.Message] with the bot's mention before the words.
func (w *Workspace) Mention(ctx context.Context, as, channelID, words string) (sockets.Dispatch, error) {
	return w.Message(ctx, as, channelID, "<@"+BotUser+"> "+words)
}

func (w *Workspace) reply(ctx context.Context, m Message) (sockets.Dispatch, error) {
	user, c, err := w.seat(m.User, m.Channel)
	if err != nil {
		return sockets.Dispatch{}, err
	}
	if c.Archived {
		return sockets.Dispatch{}, fmt.Errorf("sandbox: channel %s is archived", c.ID)
	}
	m.Kind = KindPerson
	// People type a name, Slack's client sends the id.
	m.Text, m.rich = protocol.Compose(strings.ReplaceAll(m.Text, "@"+BotName, "<@"+BotUser+">"))
	m = w.rooms.post(m)
	w.trace.Add(trace.UI, "message", 0, object{"user": m.User, "channel": m.Channel, "text": m.Text})
	inner := object{
		"client_msg_id": protocol.RandomHex(16), "user": m.User, "text": m.Text, "blocks": m.rich, "ts": m.TS, "channel": m.Channel, "team": user.Team,
	}
	if m.ThreadTS != "" {
		inner["thread_ts"] = m.ThreadTS
	}
	switch {
	case c.IM && w.subscribed("message.im"):
		inner["type"], inner["channel_type"] = "message", "im"
	case !c.IM && c.has(BotUser) && strings.Contains(m.Text, "<@"+BotUser+">") && w.subscribed("app_mention"):
		inner["type"], inner["user_team"], inner["source_team"] = "app_mention", user.Team, user.Team
	default:
		return sockets.Dispatch{}, nil
	}
	return w.event(ctx, inner)
}

func (w *Workspace) subscribed(event string) bool {
	if w.opts.Events == nil {
		return slices.Contains([]string{"app_home_opened", "app_mention", "message.im"}, event)
	}
	return slices.Contains(w.opts.Events, event)
}
