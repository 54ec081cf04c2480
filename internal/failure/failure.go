// Package failure has the kinds of failure, each by one word: metrics, the audit, alerts and stored answers all use it. It
// knows no errors: package commands decides which error is of which kind.
package failure

// Kind is why something failed, in one of few words. The words are labels of metrics and stand in the audit, so they stay.
type Kind string

// Failures of Defender, of signing in to it, and of what is between.
const (
	NotFound    Kind = "not_found"
	Permission  Kind = "permission"
	NotDefender Kind = "not_defender" // something else answered
	Licence     Kind = "licence"
	Credential  Kind = "credential"
	Throttled   Kind = "throttled"
	Busy        Kind = "busy" // too many long answers at once
	BadResponse Kind = "bad_response"
	BadRequest  Kind = "bad_request"
	Unavailable Kind = "unavailable"
	Timeout     Kind = "timeout"
	Cancelled   Kind = "cancelled"
)

// Failures of other kinds.
const (
	Usage    Kind = "usage"    // the question was wrong
	Declined Kind = "declined" // the question was answered with a reason
	Database Kind = "database"
	Internal Kind = "internal"
)

// Kinds are all kinds.
func Kinds() []Kind {
	return []Kind{
		NotFound, Permission, NotDefender, Licence, Credential, Throttled, Busy, BadResponse, BadRequest, Unavailable, Timeout, Cancelled,
		Usage, Declined, Database, Internal,
	}
}
