package protocol

import (
	"fmt"
	"time"
)

// Refusal is a refusal with one of Slack's error codes.
type Refusal struct {
	Code  string
	Extra map[string]any // further fields of the answer
}

// Error implements error.
func (e Refusal) Error() string { return e.Code }

// Refuse returns a refusal without further fields.
func Refuse(code string) error { return Refusal{Code: code} }

// RefuseWith returns a refusal whose answer has further fields.
func RefuseWith(code string, extra map[string]any) error { return Refusal{code, extra} }

// Missing returns the refusal of a call that lacks an argument.
func Missing(argument string) error {
	return RefuseWith("invalid_arguments", messages("[ERROR] missing required field: "+argument))
}

// messages returns the field in which Slack explains a refusal.
func messages(lines ...string) map[string]any {
	return map[string]any{"response_metadata": map[string]any{"messages": lines}}
}

// RateLimited is answered with status 429 and Retry-After.
type RateLimited struct{ wait time.Duration }

// RateLimit returns the refusal of a call that may come again after wait.
func RateLimit(wait time.Duration) error { return RateLimited{wait} }

// Error implements error.
func (r RateLimited) Error() string { return fmt.Sprintf("rate limited for %s", r.wait) }

// Seconds returns the value of Retry-After, which has no fractions: it rounds up.
func (r RateLimited) Seconds() int {
	return RetryAfter(r.wait)
}

// RetryAfter rounds a wait up to whole seconds, at least one.
func RetryAfter(wait time.Duration) int {
	return max(1, int((wait+time.Second-1)/time.Second))
}
