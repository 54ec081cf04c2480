package bot

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
)

// question is what a user asks, and where the answer goes.
type question struct {
	id       string    // as in the log, in traces and on error pages
	came     time.Time // when its envelope was read
	entry    Entry
	opened   bool   // by opening the Home tab, which may happen too often
	envelope string // acknowledged once; see ack
	kind     blocks.ActionKind
	typed    bool // a slash command: its acknowledgement may carry the answer
	line     string
	user     string
	team     string // the user's workspace
	channel  string
	trigger  string         // identifies duplicates; secret
	opens    bool           // its trigger opens a modal
	filled   *blocks.Filled // of a submitted dialog; nil for none
	said     string         // the text of a message to the bot, from which line is made
	spoken   bool           // line was made from a message
	again    bool           // Slack sent the event before
	to       replyTo
	notice   *waitingNotice
	ack      *ackOnce
}

// replyTo is the destination of an answer.
type replyTo struct {
	responseURL *slackapi.ResponseURL
	replace     bool   // replaces the clicked message
	update      string // time stamp of the bot's direct message that the answer replaces; empty for none
	public      bool   // for everyone in the channel
	home        bool   // onto the user's Home tab
	direct      bool   // to the user, as a direct message
	only        string // channel in which only the user sees it, without a response_url
	thread      string // thread to answer in; empty for none
}

// errUnreadable is the error of an envelope that holds no question.
var errUnreadable = errors.New("the envelope holds no question")

// typedQuestion reads a slash command.
func typedQuestion(envelope string, cmd slack.SlashCommand) question {
	return question{
		entry:    EntryTyped,
		envelope: envelope,
		kind:     blocks.Run,
		typed:    true,
		line:     cmd.Text,
		user:     cmd.UserID,
		team:     cmd.TeamID,
		channel:  cmd.ChannelID,
		trigger:  cmd.TriggerID,
		opens:    cmd.TriggerID != "",
		to:       replyTo{responseURL: slackapi.NewResponseURL(cmd.ResponseURL)},
	}
}

// click is the part of an interaction's payload that a question needs: of a click, a shortcut, a submitted modal, or
// typing into a select. It is not decoded with slack-go, which rejects the whole click if the message that Slack sends
// along has a block that slack-go does not know. See
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload.
type click struct {
	Type        string `json:"type"`
	TriggerID   string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
	User        struct {
		ID     string `json:"id"`
		TeamID string `json:"team_id"`
	} `json:"user"`
	Channel *struct {
		ID string `json:"id"`
	} `json:"channel"`
	Message    json.RawMessage `json:"message"`     // the message of the shortcut or the click
	CallbackID string          `json:"callback_id"` // of a shortcut
	ActionID   string          `json:"action_id"`   // of a select that is typed into
	Value      string          `json:"value"`       // what was typed
	View       struct {
		Type            string `json:"type"`
		CallbackID      string `json:"callback_id"`
		PrivateMetadata string `json:"private_metadata"`
		State           struct {
			Values blocks.Inputs `json:"values"`
		} `json:"state"`
	} `json:"view"`
	ResponseURLs []struct { // of a submitted modal, for the channel that was chosen in it
		ChannelID   string `json:"channel_id"`
		ResponseURL string `json:"response_url"`
	} `json:"response_urls"`
	Container struct {
		IsEphemeral bool   `json:"is_ephemeral"`
		ChannelID   string `json:"channel_id"`
		MessageTS   string `json:"message_ts"`
		ThreadTS    string `json:"thread_ts"`
	} `json:"container"`
	Actions []struct {
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
		Selected struct {
			Value string `json:"value"`
		} `json:"selected_option"`
	} `json:"actions"`
}

// clickedQuestion reads an interaction. A question that needs no answer, such as a click on a link, has kind Open.
func clickedQuestion(envelope string, payload json.RawMessage) (question, error) {
	var c click
	if err := json.Unmarshal(payload, &c); err != nil {
		return question{}, fmt.Errorf("read click: %w", err)
	}
	q := question{envelope: envelope, kind: blocks.Run, user: c.User.ID, team: c.User.TeamID, trigger: c.TriggerID}
	switch slack.InteractionType(c.Type) {
	case slack.InteractionTypeBlockActions:
		return c.pressed(q)
	case slack.InteractionTypeShortcut:
		q.entry, q.to.direct, q.opens = EntryShortcut, true, true
		return q, checkOurs(c.CallbackID == blocks.ShortcutCallback, "shortcut", c.CallbackID)
	case slack.InteractionTypeMessageAction:
		return c.looked(q)
	case slack.InteractionTypeViewSubmission:
		return c.submitted(q)
	case slack.InteractionTypeBlockSuggestion:
		q.entry, q.line = EntryTypeahead, c.Value
		q.kind, _ = blocks.ParseActionID(c.ActionID)
		return q, checkOurs(slices.Contains([]blocks.ActionKind{blocks.Choose, blocks.Pick, blocks.Watch}, q.kind), "select", c.ActionID)
	}
	return question{}, errUnreadable
}

// checkOurs rejects action and callback IDs that this app did not create.
func checkOurs(ok bool, what, id string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%w: %s %q is not one of this app", errUnreadable, what, id)
}

// submitted completes the question of a submitted dialog. Its answer goes into the channel chosen in the dialog,
// visible to the user alone unless they chose otherwise; without a channel it is a direct message.
func (c click) submitted(q question) (question, error) {
	q.entry, q.to.direct = EntryModal, true
	if err := checkOurs(c.View.CallbackID == blocks.DialogCallback, "modal", c.View.CallbackID); err != nil {
		return q, err
	}
	for _, inputs := range c.View.State.Values {
		for action, entered := range inputs {
			entered.Value = cmdline.Normalize(entered.Value) // people paste into forms, too
			inputs[action] = entered
		}
	}
	filled, err := blocks.ReadDialog(c.View.PrivateMetadata, c.View.State.Values)
	if err != nil {
		return q, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	q.filled, q.line = &filled, cmdline.Join(filled.Words...)
	for _, u := range c.ResponseURLs {
		if u.ChannelID == filled.Channel && u.ResponseURL != "" { // Slack only gives one for a channel that the user can see
			q.channel = filled.Channel
			q.to = replyTo{responseURL: slackapi.NewResponseURL(u.ResponseURL), public: filled.Share}
		}
	}
	if filled.InLine {
		q.channel = filled.From
	}
	return q, nil
}

// pressed completes the question of a click on a button or of a choice in a select.
func (c click) pressed(q question) (question, error) {
	if len(c.Actions) == 0 {
		return question{}, errUnreadable
	}
	a := c.Actions[0]
	kind, ok := blocks.ParseActionID(a.ActionID)
	if err := checkOurs(ok, "action", a.ActionID); err != nil {
		return question{}, err
	}
	q.entry, q.kind, q.line, q.opens = EntryClick, kind, a.Value, c.TriggerID != ""
	if kind == blocks.Choose {
		q.line = a.Selected.Value
	}
	if c.View.Type == string(slack.VTHomeTab) {
		q.entry, q.to.home = EntryHome, true
		return q, nil
	}
	q.channel = c.Container.ChannelID
	if c.Channel != nil {
		q.channel = c.Channel.ID
	}
	if q.channel == "" {
		return question{}, fmt.Errorf("%w: it comes from no channel", errUnreadable)
	}
	q.to = replyTo{
		responseURL: slackapi.NewResponseURL(c.ResponseURL),
		// A message that others see too is not replaced: the user gets a new one.
		replace: kind == blocks.Replace && c.Container.IsEphemeral,
		public:  kind == blocks.Share,
		update:  c.updates(kind, q.channel),
		thread:  replyIn(c.Container.ThreadTS, c.Container.MessageTS),
	}
	return q, nil
}

// private returns the question with an answer for the user alone. Failures and refusals concern no other user, and replace
// no message.
func (q question) private() question {
	q.to.public, q.to.replace, q.to.update = false, false, ""
	return q
}

// request returns the question for the router.
func (q question) request() (commands.Request, error) {
	read := commands.ParseOffered // the value of one of our buttons or selects
	if q.typed || q.spoken {
		read = commands.Parse
	}
	req, err := read(q.line)
	req.ID, req.User, req.Channel = q.id, q.user, q.channel
	return req, err
}

// caller returns the user in the form that the gate checks.
func (q question) caller() access.Caller {
	return access.Caller{User: q.user, Team: q.team, Channel: q.channel}
}

// observed returns an observation filled in from the question.
func (q question) observed() Observation {
	return Observation{
		ID: q.id, Entry: q.entry, User: q.user, Team: q.team, Channel: q.channel, Line: q.line, Share: q.to.public, Came: q.came,
	}
}

// readQuestion reads the question of an event. An event without an envelope needs no answer.
func readQuestion(e socketmode.Event) (question, error) {
	if e.Request == nil || e.Request.EnvelopeID == "" {
		return question{}, nil
	}
	envelope := e.Request.EnvelopeID
	switch e.Type {
	case socketmode.EventTypeSlashCommand:
		if cmd, ok := e.Data.(slack.SlashCommand); ok {
			return typedQuestion(envelope, cmd), nil
		}
	case socketmode.EventTypeEventsAPI:
		return eventQuestion(envelope, e.Request)
	case socketmode.EventTypeInteractive:
		q, err := clickedQuestion(envelope, e.Request.Payload)
		q.envelope = envelope
		return q, err
	}
	return question{envelope: envelope}, fmt.Errorf("%w: %s", errUnreadable, e.Type)
}

// newID returns the ID of a question.
func newID() string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails, see its documentation
	return hex.EncodeToString(id[:])
}

// key returns what a question waits for. Questions with the same first word, such as a software id, wait for the same
// answer of Defender.
func (q question) key() string {
	if q.entry == EntryTypeahead {
		return string(EntryTypeahead)
	}
	word, _, _ := strings.Cut(strings.TrimSpace(q.line), " ")
	return strings.ToLower(word)
}

// carries reports whether the acknowledgement of a question may carry its answer, or the errors of a dialog. All other
// questions are acknowledged at once.
func (q question) carries() bool {
	return q.typed || q.entry == EntryTypeahead || q.filled != nil
}
