package slackapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/wait"
)

const (
	// recheckAfter is the delay after a rejection of the bot token before Slack is asked again. It gives a token
	// rotation time to finish: a secret's file is read when its token is rejected, but not twice in ten seconds.
	recheckAfter = 12 * time.Second
	// checkEvery is how often the bot token is checked without a rejection. A token that is revoked on a Friday should
	// be noticed on Friday, and not by the digests of Monday.
	checkEvery = time.Hour
)

// TokenChecker watches the bot token while the bot runs. One rejected call proves nothing, so it asks Slack once more
// before the bot gives up. Without the token the bot cannot work, and must not look healthy.
//
// Missing scopes are not checked: without one the bot does less, and users who need it are told.
type TokenChecker struct {
	config Config
	log    *slog.Logger
}

// NewTokenChecker returns a checker of the current bot token. Only one may run for the same tokens.
func NewTokenChecker(c Config, log *slog.Logger) *TokenChecker { return &TokenChecker{c, log} }

// Run returns an error when Slack rejects the bot token for good, with the cure in its message. It returns nil when ctx
// is done.
func (c *TokenChecker) Run(ctx context.Context) error {
	every := time.NewTicker(checkEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
			_ = c.ask(ctx) // a refusal makes the token a suspect
		case token := <-c.config.Tokens.suspected():
			if err := c.confirm(ctx, token); err != nil {
				return err
			}
		}
	}
}

// confirm asks Slack about a token that it has refused, until Slack answers or the token is replaced.
func (c *TokenChecker) confirm(ctx context.Context, token string) error {
	for first := true; ; first = false {
		now := c.config.Tokens.pair()
		if now.bot != token {
			return nil // the token was rotated
		}
		if first {
			c.log.Warn("Slack refuses the bot token; asking again before giving up", "pause", recheckAfter)
		}
		if errors.Is(wait.Unless(ctx, recheckAfter, now.changed), wait.ErrWoken) {
			continue // the tokens have changed: check which
		}
		err := c.ask(ctx)
		refused, _ := errors.AsType[slack.SlackErrorResponse](err)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			c.log.Info("Slack accepts the bot token after all")
			return nil
		case c.isCurrent(token) && slices.Contains(lostTokens(), refused.Err):
			return fmt.Errorf("stay signed in to Slack: %w: %s", err, Cure(err))
		}
	}
}

func (c *TokenChecker) isCurrent(token string) bool {
	_, bot := c.config.Tokens.Current()
	return bot == token
}

// ask asks Slack whether it accepts the bot token.
func (c *TokenChecker) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	_, err := c.config.ClientWithoutRetry().Current().AuthTestContext(ctx)
	return err
}
