package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// The kinds of failure, for [errors.Is]. Every [*Error] is at most one of them.
var (
	// ErrNotFound: Defender itself says that it does not know the software or the device.
	ErrNotFound = errors.New("not found")
	// ErrPermission: signed in, but without the permission that the call needs; see [Error.Roles].
	ErrPermission = errors.New("permission missing")
	// ErrCredential: Entra or Defender does not accept who we say we are.
	ErrCredential = errors.New("credential refused")
	// ErrLicence: the tenant has no active Defender Vulnerability Management.
	ErrLicence = errors.New("no licence")
	// ErrThrottled: too many calls, by Defender's count or by ours; see [Error.RetryAfter].
	ErrThrottled = errors.New("throttled")
	// ErrBusy: Defender has answered, but so many long answers are being read that no memory was free for this one in time.
	ErrBusy = errors.New("busy")
	// ErrUnavailable: no answer, or none but "internal error", after all retries.
	ErrUnavailable = errors.New("unavailable")
	// ErrBadResponse: an answer that cannot be what Defender meant to say.
	ErrBadResponse = errors.New("bad response")
	// ErrNotDefender: what answered is not Defender's API, but something on the way or at another address.
	ErrNotDefender = errors.New("not Defender's API")
	// ErrBadRequest: Defender does not understand the question, such as a filter it does not have.
	ErrBadRequest = errors.New("bad request")
)

// Error is returned for every call that failed. Use [errors.Is] with the sentinels of this package to decide,
// [errors.AsType] to learn more. If the caller's own context ended the wait, the error is that context's error too.
type Error struct {
	Kind       error         // one of the sentinels; nil when the caller's own context ended the call
	Call       string        // "GET /api/Software/microsoft-_-edge/getmissingkbs"
	Status     int           // HTTP status, 0 when there was no answer
	Code       string        // Defender's word for it ("ResourceNotFound") or Entra's ("AADSTS7000215"); "" when not given
	Message    string        // Defender's or Entra's explanation on one line: foreign text, shortened, free to change
	Target     string        // Defender's tracking id, to quote to Microsoft's support; often ""
	RequestID  string        // our x-ms-client-request-id, as in the debug log
	Roles      []string      // the permissions Defender asks for; nil when it does not say
	RetryAfter time.Duration // when asking again makes sense; 0 when unknown
	Fault      Fault         // what exactly is wrong with the sign-in; "" for other failures
	Err        error         // the cause; may be nil
}

// Error says on one line which call failed and why.
func (e *Error) Error() string {
	parts := []string{"defender"}
	if e.Call != "" {
		parts = append(parts, e.Call)
	}
	parts = append(parts, e.detail())
	if e.RetryAfter > 0 {
		parts[len(parts)-1] += fmt.Sprintf(" (again in %s)", roundUp(e.RetryAfter))
	}
	return strings.Join(parts, ": ")
}

// roundUp rounds a wait up to whole seconds, so that it is never too short.
func roundUp(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}

// detail joins what is known, from the most general to the most special.
func (e *Error) detail() string {
	var parts []string
	if e.Status != 0 {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))))
	}
	if e.Kind != nil && (e.Status == 0 || e.Is(ErrBadResponse) || e.Is(ErrNotDefender) || e.Is(ErrLicence)) {
		parts = append(parts, e.Kind.Error())
	}
	for _, s := range []string{e.Code, e.Message} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Err != nil {
		parts = append(parts, oneLine(e.Err.Error()))
	}
	if told := e.Fault.Advice(); e.Fault != "" {
		parts = append(parts, told.What+" "+told.Cure)
	}
	if len(parts) == 0 {
		return "unknown error"
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the kind of e.
func (e *Error) Is(target error) bool { return e.Kind != nil && e.Kind == target }

// maxMessage is how much foreign text an error carries: enough for Defender's
// longest known sentence with its list of roles, too little for a page of HTML.
const maxMessage = 400

// oneLine makes foreign text fit for a log line: no line breaks, no control or formatting characters, at most
// [maxMessage] characters.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	}), " ")
	if r := []rune(s); len(r) > maxMessage {
		s = string(r[:maxMessage]) + "…"
	}
	return s
}
