package bot

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/access"
)

// Entry is how a question reached the bot.
type Entry string

// The entries. Questions of all of them pass the same [Gate].
const (
	EntryTyped     Entry = "typed"     // a slash command
	EntryClick     Entry = "click"     // a button in a message
	EntryHome      Entry = "home"      // the Home tab was opened, or a button on it pressed
	EntryShortcut  Entry = "shortcut"  // a shortcut, which opens a modal
	EntryModal     Entry = "modal"     // a modal was submitted
	EntryTypeahead Entry = "typeahead" // typing into one of our selects
	EntryMessage   Entry = "message"   // the shortcut of a message
	EntryMention   Entry = "mention"   // the bot was mentioned in a channel
	EntryDirect    Entry = "direct"    // a direct message to the bot
)

// Outcome is the result of a question.
type Outcome string

// The outcomes.
const (
	Answered   Outcome = "answered"
	Failed     Outcome = "failed"     // the answer says what failed
	Refused    Outcome = "refused"    // the user may not ask this, or not here
	Busy       Outcome = "busy"       // too many questions waited or were slow
	Restarting Outcome = "restarting" // it came while the bot stopped
	Lost       Outcome = "lost"       // the answer could not be delivered
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Answered, Failed, Refused, Busy, Restarting, Lost}
}

// Observation describes one question and its outcome, for metrics and the audit. It holds no secrets, such as the
// response_url or the trigger_id.
type Observation struct {
	ID      string // of the question, as in the log, in traces and on error pages
	Entry   Entry
	User    string
	Team    string
	Channel string
	Line    string       // the question, as a command line
	Command string       // the command that answered, such as "search"; "software" if the line names none
	Needs   access.Right // the right that the question needs
	Action  string       // the requested change, such as "digest.pause"; empty if it only asks
	Subject string       // the subject of the change, as typed
	Outcome Outcome
	Reason  string // why it failed or was refused, from a fixed set; see [commands.Reason]
	Share   bool   // the answer was meant for everyone in the channel
	Public  bool   // and was posted for everyone
	InAck   bool   // the answer travelled in the acknowledgement

	Came    time.Time     // when its envelope was read
	Queued  time.Duration // from then until a worker took it
	Working time.Duration // from then until there was a page
	Reply   time.Duration // from then until Slack had it
}

// Observer is called for each question when it has ended. It must not block for long: the question keeps its worker
// meanwhile.
type Observer func(ctx context.Context, o Observation)
