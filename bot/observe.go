package bot

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/internal/access"
)

// Entry is the way by which something that a person did reached the bot.
type Entry string

// The entries. Each of them asks the same gate before anything is done.
const (
	EntryTyped     Entry = "typed"     // a slash command
	EntryClick     Entry = "click"     // a button in a message
	EntryHome      Entry = "home"      // the Home tab was opened, or a button on it pressed
	EntryShortcut  Entry = "shortcut"  // a shortcut, which opens a modal
	EntryModal     Entry = "modal"     // a modal was submitted
	EntryTypeahead Entry = "typeahead" // somebody types into a select of ours
)

// Outcome is what became of a question.
type Outcome string

// The outcomes.
const (
	Answered   Outcome = "answered"
	Failed     Outcome = "failed"     // the answer says why nothing can be said
	Refused    Outcome = "refused"    // the person may not ask this, or not here
	Busy       Outcome = "busy"       // there was no room
	Restarting Outcome = "restarting" // it came while the bot stops
	Lost       Outcome = "lost"       // the answer could not be delivered
)

// Outcomes are all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Answered, Failed, Refused, Busy, Restarting, Lost}
}

// Observation is what became of one question, for metrics and for the audit. It holds no secret: neither the
// response_url nor the trigger_id.
type Observation struct {
	ID      string // of the question: in the log, in traces, and on pages about failures
	Entry   Entry
	User    string
	Team    string
	Channel string
	Line    string       // what was asked, as a command line
	Command string       // the command that took it, such as "search"; "software" for a line that names none
	Needs   access.Right // what the question takes
	Action  string       // the change that it wanted, such as "digest.pause"; empty for one that only asks
	Subject string       // what that change is about, as typed
	Outcome Outcome
	Reason  string // why it failed or was refused, one of few words; see [commands.Reason]
	Share   bool   // it was to be posted for everyone in the channel
	Public  bool   // and it was
	InAck   bool   // the answer travelled in the acknowledgement

	Came    time.Time     // when its envelope was read
	Queued  time.Duration // from then until somebody worked on it
	Working time.Duration // until there was a page
	Reply   time.Duration // until it was handed over
}

// Observer is told of each question when it is over. It must not block for long: the place of the question is free
// only afterwards.
type Observer func(ctx context.Context, o Observation)
