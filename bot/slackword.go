package bot

import (
	"errors"
	"regexp"
	"strconv"

	"github.com/slack-go/slack"
)

var slackWordForm = regexp.MustCompile(`^[a-z][a-z0-9_]{1,79}$`)

// slackWord is one of Slack's words for a refusal, as it may be logged. Whatever else stands there, a sentence or a page of
// something in between, may repeat what was sent, and with it what somebody typed.
func slackWord(said string) string {
	if said == "" || slackWordForm.MatchString(said) {
		return said
	}
	return "an answer that is no word of Slack's (" + strconv.Itoa(len(said)) + " bytes)"
}

// withoutEcho is an error of slack-go whose text repeats nothing that was sent.
func withoutEcho(err error) error {
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok && slackWord(refused.Err) != refused.Err {
		refused.Err = slackWord(refused.Err)
		return refused
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok {
		return slack.StatusCodeError{Code: status.Code, Status: "status " + strconv.Itoa(status.Code)}
	}
	return err
}
