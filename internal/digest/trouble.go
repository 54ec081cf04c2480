package digest

import "errors"

// Trouble is what is wrong with the database that keeps digests, whatever was asked of it. The empty one is none.
type Trouble string

// The troubles.
const (
	TroubleAway     Trouble = "away"      // it does not answer: stopped, starting, cut off
	TroubleBusy     Trouble = "busy"      // it has no connection or no lock to give, or ran out of memory
	TroubleFull     Trouble = "full"      // no room on its disk
	TroubleReadOnly Trouble = "read_only" // it takes no changes
	TroubleDisk     Trouble = "disk"      // its disk reports errors
	TroubleDamaged  Trouble = "damaged"   // what it holds cannot be read any more
	TroubleDenied   Trouble = "denied"    // it refuses this program's user, or has no such database
	TroubleReplaced Trouble = "replaced"  // it is another database now: its file or its tables are gone
)

// Troubles are all there are.
func Troubles() []Trouble {
	return []Trouble{
		TroubleAway, TroubleBusy, TroubleFull, TroubleReadOnly, TroubleDisk, TroubleDamaged, TroubleDenied, TroubleReplaced,
	}
}

// StoreError is a failure of the database, and not of what was asked. Its text holds nothing of what was asked, stored or
// answered; that of its cause may.
type StoreError struct {
	Trouble Trouble
	Message string // the database's own words, or ours
	Err     error  // the cause
}

// Error returns the message.
func (e *StoreError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// TroubleOf returns the trouble that an error stands for, and none for other errors.
func TroubleOf(err error) Trouble {
	if e, ok := errors.AsType[*StoreError](err); ok {
		return e.Trouble
	}
	return ""
}
