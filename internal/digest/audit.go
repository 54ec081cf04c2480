package digest

import (
	"crypto/rand"
	"fmt"
	"time"
)

// Audit is who did what, where, and what came of it. Its texts are stored up to a bound: whoever fills one with foreign
// words makes them safe to keep.
type Audit struct {
	ID      string // unique: written twice, it is there once; the store makes one where it is empty
	At      time.Time
	Tenant  string
	User    string // empty for the program itself
	Team    string // the workspace of a person who is of another one
	Channel string // where it was done; for the program's own doing, the channel that it was done to
	Action  string // "ask", "share", "digest.add", "digest.pause", …
	Subject string // the subscription, or the command that was asked
	Detail  string // what was asked or changed
	Result  string // one of the results below; ResultDone where it is empty
	Reason  string // why not, in one word; empty where it was done
	Request string // the question that asked for it, as in the log and on pages about failures
}

// The results.
const (
	ResultDone    = "done"
	ResultFailed  = "failed"
	ResultRefused = "refused" // the person may not have this
	ResultLost    = "lost"    // done, but the answer did not reach the person
)

// AuditID names a new audit. Names sort as the times do, so that what happened in one millisecond stays in its order.
func AuditID(at time.Time) string {
	const enough = 10                                                          // letters, 50 bits
	return fmt.Sprintf("%016X%s", uint64(at.UnixNano()), rand.Text()[:enough]) //nolint:gosec // a year before 1970 sorts wrong
}
