package slackapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/wait"
)

// When a connection breaks after a request was sent, Slack may or may not have processed it. Sending it again might
// post twice, leaving it might post nothing. So repeatable requests are sent again, and for the rest the user is told
// that the answer may be missing.

// ErrDeliveryUnknown reports a request that Slack may or may not have processed.
var ErrDeliveryUnknown = errors.New("the connection broke before Slack answered")

// retryPause is the pause before a request is sent once more.
const retryPause = time.Second

// deliveryResult is what is known about a failed request.
type deliveryResult int

const (
	refusedBySlack  deliveryResult = iota
	notDelivered                   // it did not reach Slack, or Slack failed: worth a retry
	deliveryUnknown                // it was sent, and no answer came
)

// deliveryOf returns the delivery result of a request from its error.
func deliveryOf(err error) deliveryResult {
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok && status.Code >= 500 {
		return notDelivered
	}
	if isDial(err) {
		return notDelivered
	}
	_, refused := errors.AsType[slack.SlackErrorResponse](err)
	_, status := errors.AsType[slack.StatusCodeError](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	if refused || status || limited {
		return refusedBySlack
	}
	return deliveryUnknown
}

// RetryOnce calls do, and after a pause once more if the request was not delivered. A repeatable request is also sent
// again if its delivery is unknown. What stays unknown is an [ErrDeliveryUnknown].
func RetryOnce(ctx context.Context, repeatable bool, do func() error) error {
	err := do()
	if d := deliveryOf(err); err != nil && (d == notDelivered || d == deliveryUnknown && repeatable) && wait.For(ctx, retryPause) {
		err = do()
	}
	if err != nil && deliveryOf(err) == deliveryUnknown {
		return fmt.Errorf("%w: %w", ErrDeliveryUnknown, WithoutURL(err))
	}
	return err
}
