package post

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// defaultPause is how long to wait when Slack asks for a pause and does not say how long.
const defaultPause = 30 * time.Second

// gone lists the refusals that mean that a channel or person no longer accepts messages. Refusals of the bot's token,
// such as account_inactive, say nothing about the channel: its digests wait until the app is installed again. See
// https://docs.slack.dev/reference/methods/chat.postMessage#errors.
var gone = map[string]bool{
	"not_in_channel":    true,
	"channel_not_found": true,
	"is_archived":       true,
	// People.
	"user_not_found":        true,
	"user_disabled":         true,
	"cannot_dm_bot":         true,
	"messages_tab_disabled": true,
	"user_not_visible":      true,
}

// restricted is the prefix of the refusals of channels that only some people may write to, or that only accept replies.
const restricted = "restricted_action"

// threadGone lists the refusals that mean that a thread no longer accepts messages.
var threadGone = map[string]bool{
	"thread_not_found":                true,
	"message_not_found":               true,
	"cannot_reply_to_message":         true,
	"restricted_action_thread_locked": true,
}

// digestError translates an error of Slack's for package digest: to a [digest.ErrChannelGone], a
// [digest.ErrThreadGone] or a [digest.RetryLater] that wraps it. It returns other errors unchanged.
func digestError(err error) error {
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		switch {
		case threadGone[refused.Err]:
			return fmt.Errorf("%w: %w", digest.ErrThreadGone, err)
		case gone[refused.Err], strings.HasPrefix(refused.Err, restricted):
			return fmt.Errorf("%w: %w", digest.ErrChannelGone, err)
		case refused.Err == "ratelimited" || refused.Err == "rate_limited":
			return digest.RetryLater{After: defaultPause, Err: err}
		}
		return slackapi.WithoutURL(err)
	}
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return digest.RetryLater{After: slackapi.Pause(limited.RetryAfter), Err: err}
	}
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok && status.Code == http.StatusTooManyRequests {
		return digest.RetryLater{After: defaultPause, Err: err}
	}
	if err != nil {
		return slackapi.WithoutURL(err)
	}
	return nil
}

// mayDeliver asks the gate about a digest, and translates its answer for package digest.
func (p *Poster) mayDeliver(ctx context.Context, channel string) error {
	err := p.gate.MayDeliver(ctx, channel)
	switch {
	case errors.Is(err, access.ErrReaders):
		return fmt.Errorf("%w: %w", digest.ErrChannelGone, err)
	case errors.Is(err, access.ErrUndecided): // a temporary failure must not end a digest
		return digest.RetryLater{After: defaultPause, Err: err}
	}
	return digestError(err)
}
