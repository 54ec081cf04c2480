package slackapi

import (
	"errors"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/slack-go/slack"
)

var codeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{1,79}$`)

// loggable returns one of Slack's error codes in a form that may be logged. Any other text, such as a sentence or a
// proxy's page, may repeat what was sent, and with it what a user typed.
func loggable(code string) string {
	if code == "" || codeForm.MatchString(code) {
		return code
	}
	return "an answer that is no error code of Slack's (" + strconv.Itoa(len(code)) + " bytes)"
}

// withoutEcho returns an error of slack-go whose text repeats nothing that was sent.
func withoutEcho(err error) error {
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok && loggable(refused.Err) != refused.Err {
		refused.Err = loggable(refused.Err)
		return refused
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return slack.StatusCodeError{Code: status.Code, Status: "status " + strconv.Itoa(status.Code)}
	}
	return err
}

// HasCode reports whether err is a refusal by Slack with one of some error codes.
func HasCode(err error, codes ...string) bool {
	refused, ok := errors.AsType[slack.SlackErrorResponse](err)
	return ok && slices.Contains(codes, refused.Err)
}

// RetryAfter returns the pause that Slack asks for, or 0.
func RetryAfter(err error) time.Duration {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return Pause(limited.RetryAfter)
	}
	return 0
}

// maxPause bounds the pauses that a server asks for: a longer one, which may be a fault, would keep the bot away for good.
const maxPause = 15 * time.Minute

// Pause returns a pause that a server asked for, from a second to 15 minutes: after it, one call finds out whether it still
// holds.
func Pause(asked time.Duration) time.Duration {
	if asked < 0 { // more than a duration holds
		return maxPause
	}
	return min(max(asked, time.Second), maxPause)
}

// pauseOf returns the pause that the header of an answer asks for.
func pauseOf(h http.Header) time.Duration {
	seconds, _ := strconv.Atoi(h.Get("Retry-After"))
	return Pause(time.Duration(min(seconds, math.MaxInt32)) * time.Second)
}

// blockCodes are Slack's codes for refused blocks, in messages and views, from the Web API and from a response_url.
// True means that the code alone says that the blocks are malformed.
var blockCodes = map[string]bool{
	"invalid_blocks":         false,
	"invalid_arguments":      false,
	"invalid_blocks_format":  true,
	"msg_blocks_too_long":    true,
	"only_one_table_allowed": true,
	"view_too_large":         true,
}

// BlocksRefused reports whether a code of Slack's refuses blocks, and whether the code alone says that they are malformed.
func BlocksRefused(code string) (malformed, refused bool) {
	malformed, refused = blockCodes[code]
	return malformed, refused
}
