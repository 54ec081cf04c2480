package bot

import (
	"encoding/json"
	"fmt"

	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/spoken"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/plain"
	"github.com/missingkbs/missingkbs/internal/access"
)

// Users also write to the bot: they mention it in a channel or send it a direct message. The text becomes a command
// line, which is handled like a typed one. The answer to a mention is as private as the answer to a command: only the
// user sees it, and may share it.

// eventQuestion reads an event: the Home tab was opened, or a person wrote to the bot. Other events contain no
// question.
func eventQuestion(envelope string, r *socketmode.Request) (question, error) {
	m, err := spoken.Event(r.Payload)
	if err != nil {
		return question{envelope: envelope}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	q := question{
		envelope: envelope, kind: blocks.Run, user: m.User, team: m.Team, channel: m.Channel, trigger: m.ID, again: r.RetryAttempt > 0,
	}
	switch m.Type {
	case spoken.HomeEvent:
		q.entry, q.opened, q.line, q.channel, q.to.home = EntryHome, true, commands.HomeName, "", true
		m.Ignore = m.Tab != "home" // the Messages tab needs no answer
	case spoken.MentionEvent:
		q.entry, q.spoken, q.said = EntryMention, true, m.Text
		q.to = replyTo{only: m.Channel, thread: m.Thread}
	case spoken.DirectEvent:
		q.entry, q.spoken, q.said = EntryDirect, true, m.Text
		q.to = replyTo{direct: true, thread: m.Thread}
	}
	if m.Ignore {
		q.kind, q.spoken = blocks.Open, false
	}
	return q, nil
}

// looked completes the question of the message shortcut. The message may be anyone's; only the ids in it are kept.
func (c click) looked(q question) (question, error) {
	q.entry, q.opens = EntryMessage, c.TriggerID != ""
	if err := checkOurs(c.CallbackID == blocks.MessageCallback, "shortcut", c.CallbackID); err != nil {
		return q, err
	}
	q.line = plain.LookupLine(cmdline.IDs(spoken.Texts(c.Message)))
	if c.Channel != nil {
		q.channel = c.Channel.ID
	}
	var at struct {
		TS       string `json:"ts"`
		ThreadTS string `json:"thread_ts"`
	}
	_ = json.Unmarshal(c.Message, &at) // a message in another format counts as outside a thread
	q.to = replyTo{responseURL: slackapi.NewResponseURL(c.ResponseURL), thread: replyIn(at.ThreadTS, at.TS)}
	if c.ResponseURL == "" { // Slack gives one wherever it can show an answer
		q.to = replyTo{direct: true}
	}
	return q, nil
}

// replyIn returns the thread that a message belongs to, or "" for a message of the channel itself, even if it has
// replies.
func replyIn(thread, message string) string {
	if thread == message {
		return ""
	}
	return thread
}

// changesAgain rejects a change requested in an event that Slack repeats: the change may have been made already.
func (q question) changesAgain(needs access.Right) error {
	if !q.again || !q.spoken || needs == access.Ask {
		return nil
	}
	return &commands.Error{
		Title:   "Not done",
		Message: "Slack delivered your message late, and perhaps twice, so nothing was changed now. Look whether the change was made, and send the message again if not.",
	}
}
