package digest

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotFound reports that there is no subscription with an ID.
var ErrNotFound = errors.New("no such subscription")

// ErrExists reports that the ID of a new subscription is taken.
var ErrExists = errors.New("a subscription with this id exists")

// ErrChannelGone reports that a channel no longer accepts messages: the bot is not a member, or it was archived or
// deleted. It wraps the cause.
var ErrChannelGone = errors.New("the channel takes no messages")

// ErrThreadGone reports that a thread accepts no messages: its first message was deleted, or it is locked. It wraps the
// cause.
var ErrThreadGone = errors.New("the thread takes no messages")

// RetryLater is a failure that may be retried, but not before a certain time.
type RetryLater struct {
	After time.Duration
	Going bool  // there is progress: each attempt reads more
	Err   error // the cause; may be nil
}

// Error returns when to retry, and the cause.
func (r RetryLater) Error() string {
	if r.Err == nil {
		return fmt.Sprintf("try again in %s", r.After)
	}
	return fmt.Sprintf("try again in %s: %v", r.After, r.Err)
}

// Unwrap returns the cause.
func (r RetryLater) Unwrap() error { return r.Err }

// Mistake is invalid input. Its text tells the person who wrote it what would be valid.
type Mistake struct{ Message string }

// Error returns the message.
func (m *Mistake) Error() string { return m.Message }

func mistake(format string, args ...any) error { return &Mistake{fmt.Sprintf(format, args...)} }

// DueByHand returns the due time of a digest requested now. All requests within a minute are one digest, because people
// press twice. No schedule has this time, so it cannot be confused with a scheduled digest.
func DueByHand(now time.Time) time.Time { return now.Truncate(time.Minute).Add(time.Second) }

// ByHand reports whether a due time comes from [DueByHand].
func ByHand(due time.Time) bool { return due.Second() == 1 }

// Job is one digest to make, as the queue carries it. It is unique by subscription and due time.
type Job struct {
	Subscription string
	Due          time.Time
	PutOff       int  // how many earlier attempts ended in a [RetryLater]; set by the queue
	Last         bool // the queue drops the job if this attempt fails; a [RetryLater] does not count
}

// Trouble is what is wrong with the database, regardless of the query; "" if nothing is.
type Trouble string

// The kinds of trouble.
const (
	TroubleAway     Trouble = "away"      // it does not answer: stopped, starting, cut off
	TroubleBusy     Trouble = "busy"      // it has no free connection or lock, or ran out of memory
	TroubleFull     Trouble = "full"      // its disk is full
	TroubleReadOnly Trouble = "read_only" // it accepts no changes
	TroubleDisk     Trouble = "disk"      // its disk reports errors
	TroubleDamaged  Trouble = "damaged"   // its data can no longer be read
	TroubleDenied   Trouble = "denied"    // it rejects this program's user, or the database does not exist
	TroubleReplaced Trouble = "replaced"  // it is a different database now: its file or its tables are gone
)

// Troubles returns all kinds of trouble.
func Troubles() []Trouble {
	return []Trouble{
		TroubleAway, TroubleBusy, TroubleFull, TroubleReadOnly, TroubleDisk, TroubleDamaged, TroubleDenied, TroubleReplaced,
	}
}

// StoreError is a failure of the database itself. Its text contains nothing of what was asked, stored or answered; that
// of its cause may.
type StoreError struct {
	Trouble Trouble
	Message string // the database's own words, or ours
	Err     error  // the cause
}

// Error returns the message.
func (e *StoreError) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *StoreError) Unwrap() error { return e.Err }

// TroubleOf returns the trouble behind an error, or "" for other errors.
func TroubleOf(err error) Trouble {
	if e, ok := errors.AsType[*StoreError](err); ok {
		return e.Trouble
	}
	return ""
}
