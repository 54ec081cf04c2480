// Package audit has the entries of the audit, the names of actions, and a [Trail] that queues entries and writes them
// in batches while the caller continues; [Redact] cleans what users typed. It knows neither Slack nor SQL, and callers
// decide what deserves an entry. An entry that cannot be written is counted and logged, and a separate entry tells
// later readers how many are missing.
package audit

import (
	"crypto/rand"
	"fmt"
	"time"
)

// Entry records who did what, where, and with which result. The store cuts its texts to a bound. A caller that includes
// foreign text cleans it first with [Redact].
type Entry struct {
	ID      string // unique: an entry written twice is stored once; the store creates one if it is empty
	At      time.Time
	Tenant  string
	User    string // empty if the program acted by itself
	Team    string // the user's workspace, if it differs from the bot's
	Channel string // where it was done; if the program acted, the channel it acted on
	Action  string // one of the actions
	Subject string // the subscription, or the command that was asked
	Detail  string // what was asked or changed
	Result  string // one of the results below; ResultDone if empty
	Reason  string // why it was not done, in one word; empty if it was done
	Request string // the question's ID, as in the log and on error pages
}

// The results.
const (
	ResultDone    = "done"
	ResultFailed  = "failed"
	ResultRefused = "refused" // the user lacks the right
	ResultLost    = "lost"    // done, but the answer did not reach the user
)

// NewID returns an ID for an entry. IDs sort by time, so entries of one millisecond keep their order.
func NewID(at time.Time) string {
	const enough = 10                                                          // letters, 50 bits
	return fmt.Sprintf("%016X%s", uint64(at.UnixNano()), rand.Text()[:enough]) //nolint:gosec // a year before 1970 sorts wrong
}
