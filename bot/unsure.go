package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"
)

// When a connection breaks behind a request, nobody here knows whether Slack has done what was asked. To ask again might
// say everything twice, and to leave it might say nothing. So what can be done twice is done again, and of the rest the
// person is told that it may be missing.

// errUnsure is the error of a request of which nobody knows whether Slack has carried it out.
var errUnsure = errors.New("nobody knows whether Slack has taken it")

// againAfter is the pause before something is tried once more.
const againAfter = time.Second

// fate is what became of a request that failed.
type fate int

const (
	refusedOutright fate = iota // Slack has said no
	notTaken                    // it did not reach Slack, or Slack was in trouble: worth another try
	unheard                     // it was sent, and no answer came
)

// fateOf reads the fate of a request from its error.
func fateOf(err error) fate {
	if status, ok := errors.AsType[slack.StatusCodeError](err); ok && status.Code >= 500 {
		return notTaken
	}
	if isDial(err) {
		return notTaken
	}
	_, refused := errors.AsType[slack.SlackErrorResponse](err)
	_, status := errors.AsType[slack.StatusCodeError](err)
	_, limited := errors.AsType[*slack.RateLimitedError](err)
	if refused || status || limited {
		return refusedOutright
	}
	return unheard
}

// twice does something once more, after a moment, where it was not taken; repeatable says that it can also be done
// again where nobody knows. What stays unknown is an errUnsure.
func twice(ctx context.Context, repeatable bool, do func() error) error {
	err := do()
	if f := fateOf(err); err != nil && (f == notTaken || f == unheard && repeatable) && sleep(ctx, againAfter) {
		err = do()
	}
	if err != nil && fateOf(err) == unheard {
		return fmt.Errorf("%w: %w", errUnsure, withoutURL(err))
	}
	return err
}
