package blocks

import (
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/internal/view"
)

// ActionKind is what a click on a button asks for. It travels as the first word of the button's action ID, because
// Slack returns that with the click.
type ActionKind string

// The kinds of buttons. The value of all but Open is a command line.
const (
	Open    ActionKind = "open"    // Slack opens an address by itself; the click needs no answer
	Run     ActionKind = "run"     // answer with a new message
	Replace ActionKind = "replace" // answer in place of the message that holds the button
	Share   ActionKind = "share"   // answer visibly for everyone in the channel
	Choose  ActionKind = "choose"  // an entry of a select; its value is the choice
	Pick    ActionKind = "pick"    // an entry of a select in a modal; its value is a software id
	Watch   ActionKind = "watch"   // the same for several ids, and for patterns and "all"
	Fill    ActionKind = "fill"    // an input of a modal; it is read on submission
	CSV     ActionKind = "csv"     // send the answer to the user as a CSV file
	XLSX    ActionKind = "xlsx"    // send the answer to the user as an Excel workbook
	Text    ActionKind = "text"    // answer with the list as plain text
)

// KindOf returns the kind of button for an action.
func KindOf(a view.Action) ActionKind {
	switch {
	case a.URL != "":
		return Open
	case a.Effect == view.Replace:
		return Replace
	case a.Effect == view.Share:
		return Share
	case a.Effect == view.CSVFile:
		return CSV
	case a.Effect == view.XLSXFile:
		return XLSX
	case a.Effect == view.PlainText:
		return Text
	default:
		return Run
	}
}

func (k ActionKind) actionID(n int) string { return string(k) + ":" + strconv.Itoa(n) }

// ParseActionID returns the kind of button that an action ID names; ok is false for an ID that this package did not
// create.
func ParseActionID(id string) (kind ActionKind, ok bool) {
	word, _, _ := strings.Cut(id, ":")
	switch k := ActionKind(word); k {
	case Open, Run, Replace, Share, Choose, Pick, Watch, Fill, CSV, XLSX, Text:
		return k, true
	}
	return "", false
}
