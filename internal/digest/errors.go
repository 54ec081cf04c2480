package digest

import (
	"errors"
	"fmt"
	"time"
)

// ErrNotFound says that no subscription has the id that was asked for.
var ErrNotFound = errors.New("no such subscription")

// ErrExists says that the id of a new subscription is taken.
var ErrExists = errors.New("a subscription with this id exists")

// ErrChannelGone says that a channel does not take messages any more: the bot is no member of it, or it was archived or
// deleted. Who returns it wraps the cause.
var ErrChannelGone = errors.New("the channel takes no messages")

// ErrThreadGone says that a thread takes no messages: the message above it was deleted, or the thread is locked. Who
// returns it wraps the cause.
var ErrThreadGone = errors.New("the thread takes no messages")

// RetryLater is the failure of something that may be tried again, but not before a certain time.
type RetryLater struct {
	After time.Duration
	Going bool  // it gets on meanwhile, bit by bit
	Err   error // the cause; may be nil
}

// Error says when to try again, and the cause.
func (r RetryLater) Error() string {
	if r.Err == nil {
		return fmt.Sprintf("try again in %s", r.After)
	}
	return fmt.Sprintf("try again in %s: %v", r.After, r.Err)
}

// Unwrap returns the cause.
func (r RetryLater) Unwrap() error { return r.Err }

// Mistake is something that a person wrote and that cannot be. Its text is for that person: it says what would be
// right.
type Mistake struct{ Message string }

// Error returns the message.
func (m *Mistake) Error() string { return m.Message }

func mistake(format string, args ...any) error { return &Mistake{fmt.Sprintf(format, args...)} }

// DueByHand is the due time of a digest that a person wants now. All wishes of a minute are one, for people press twice; no
// schedule has this time, or the digest would be taken for the one that was due.
func DueByHand(now time.Time) time.Time { return now.Truncate(time.Minute).Add(time.Second) }

// ByHand reports whether a person wanted the digest of a due time.
func ByHand(due time.Time) bool { return due.Second() == 1 }

// Job is the work of one digest: what the queue carries. It is unique by subscription and due time.
type Job struct {
	Subscription string
	Due          time.Time
	PutOff       int  // how many of its attempts so far ended in a [RetryLater]; the queue says so
	Last         bool // the queue gives the job up if this attempt fails; a [RetryLater] does not count
}
