package sandbox

import (
	"fmt"
	"time"
)

// apiError is a refusal with one of Slack's error codes.
type apiError struct {
	code  string
	extra map[string]any // further fields of the answer
}

func (e apiError) Error() string { return e.code }

// refuse returns a refusal without further fields.
func refuse(code string) error { return apiError{code: code} }

// refuseWith returns a refusal whose answer has further fields.
func refuseWith(code string, extra map[string]any) error { return apiError{code, extra} }

// missing returns the refusal of a call that lacks an argument.
func missing(argument string) error {
	return refuseWith("invalid_arguments", messages("[ERROR] missing required field: "+argument))
}

// messages returns the field in which Slack explains a refusal.
func messages(lines ...string) map[string]any {
	return map[string]any{"response_metadata": map[string]any{"messages": lines}}
}

// rateLimited is answered with status 429 and Retry-After.
type rateLimited struct{ wait time.Duration }

// limited returns the refusal of a call that may come again after wait.
func limited(wait time.Duration) error { return rateLimited{wait} }

func (r rateLimited) Error() string { return fmt.Sprintf("rate limited for %s", r.wait) }

// seconds returns the value of Retry-After, which has no fractions: it rounds up.
func (r rateLimited) seconds() int {
	return retryAfter(r.wait)
}

// retryAfter rounds a wait up to whole seconds, at least one.
func retryAfter(wait time.Duration) int {
	return max(1, int((wait+time.Second-1)/time.Second))
}
