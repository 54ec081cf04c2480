package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/slack-go/slack"
)

const (
	// doubtFor is how long after a refusal of the bot token Slack is asked again. A secret's file is looked at when its
	// token is refused, but not twice in ten seconds: whoever rotates a token has that long to write the new one.
	doubtFor = 12 * time.Second
	// vigilEvery is how often Slack is asked about the bot token when nobody else does: a token that was revoked on a
	// Friday is better heard of on Friday than by the digests of Monday.
	vigilEvery = time.Hour
)

// vigil watches over the bot token while the bot runs. One call that is refused proves nothing, so Slack is asked once
// more before the bot gives up; but without the token it can ask Slack nothing, and that must not look like a bot that is well.
//
// The scopes of the token are no matter of its: without one of them the bot does less, and whoever needs it hears so.
type vigil struct {
	config Config
	log    *slog.Logger
}

// run returns an error when Slack refuses the bot token for good, with the cure in its message; else nil when ctx ends.
func (v *vigil) run(ctx context.Context) error {
	every := time.NewTicker(vigilEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
			_ = v.ask(ctx) // a refusal comes back as a doubt
		case token := <-v.config.Tokens.doubts():
			if err := v.confirm(ctx, token); err != nil {
				return err
			}
		}
	}
}

// confirm asks Slack about a token that it has refused, until it gives an answer or another token is there.
func (v *vigil) confirm(ctx context.Context, token string) error {
	for first := true; ; first = false {
		now := v.config.Tokens.pair()
		if now.bot != token {
			return nil // it was rotated
		}
		if first {
			v.log.Warn("Slack refuses the bot token; asking again before giving up", "pause", doubtFor)
		}
		if !pause(ctx, doubtFor, now.changed) {
			continue // the pair tells which of the two has changed
		}
		err := v.ask(ctx)
		refused, _ := errors.AsType[slack.SlackErrorResponse](err)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			v.log.Info("Slack takes the bot token after all")
			return nil
		case v.isCurrent(token) && slices.Contains(lostTokens(), refused.Err):
			return fmt.Errorf("stay signed in to Slack: %w: %s", err, Cure(err))
		}
	}
}

func (v *vigil) isCurrent(token string) bool {
	_, bot := v.config.Tokens.Current()
	return bot == token
}

// ask asks Slack whether it takes the bot token. If not, and there is another one in the settings, that is asked for.
func (v *vigil) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, slackTimeout)
	defer cancel()
	_, err := v.config.plainWebAPI().client().AuthTestContext(ctx)
	return err
}

// pause waits. It reports false when it was cut short.
func pause(ctx context.Context, d time.Duration, cut <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-cut:
		return false
	case <-ctx.Done():
		return true
	}
}
