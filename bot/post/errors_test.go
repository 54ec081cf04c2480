package post

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/digest"
)

func TestSlackFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err   error
		want  error
		cause string
	}{
		{slack.SlackErrorResponse{Err: "restricted_action"}, digest.ErrChannelGone, "restricted_action"},
		{slack.SlackErrorResponse{Err: "restricted_action_some_new_rule"}, digest.ErrChannelGone, "restricted_action_some_new_rule"},
		{slack.SlackErrorResponse{Err: "user_not_visible"}, digest.ErrChannelGone, "user_not_visible"},
		{&slack.RateLimitedError{RetryAfter: 0}, digest.RetryLater{After: time.Second}, "rate limit"},
		{&slack.RateLimitedError{RetryAfter: 24 * time.Hour}, digest.RetryLater{After: 15 * time.Minute}, "rate limit"},
		{&slack.RateLimitedError{RetryAfter: -1}, digest.RetryLater{After: 15 * time.Minute}, "rate limit"},
		{fmt.Errorf("post: %w", slack.SlackErrorResponse{Err: "user_disabled"}), digest.ErrChannelGone, "post: user_disabled"},
		{slack.SlackErrorResponse{Err: "ratelimited"}, digest.RetryLater{After: defaultPause}, "ratelimited"},
		{slack.StatusCodeError{Code: 429, Status: "429"}, digest.RetryLater{After: defaultPause}, "429"},
		{&slack.RateLimitedError{RetryAfter: time.Minute}, digest.RetryLater{After: time.Minute}, "rate limit"},
		{slack.StatusCodeError{Code: 503, Status: "503"}, nil, "503"},
		{slack.SlackErrorResponse{Err: "msg_too_long"}, nil, "msg_too_long"},
	} {
		err := digestError(tt.err)
		later, isLater := errors.AsType[digest.RetryLater](err)
		wanted, wantLater := errors.AsType[digest.RetryLater](tt.want)
		if errors.Is(err, digest.ErrChannelGone) != errors.Is(tt.want, digest.ErrChannelGone) || isLater != wantLater || later.After != wanted.After {
			t.Errorf("error = %v, want %v", err, tt.want)
		}
		if err == nil || !strings.Contains(err.Error(), tt.cause) {
			t.Errorf("error = %v, want its cause %s", err, tt.cause)
		}
	}
	if err := digestError(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}
