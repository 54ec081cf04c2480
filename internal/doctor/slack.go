package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/view"
)

// slackChecks returns the checks that call Slack.
func (c *Checker) slackChecks(there *Check) []*Check {
	botToken := &Check{Name: "slack-bot-token", Run: c.botToken, After: []*Check{there}}
	after := []*Check{botToken}
	return []*Check{
		botToken,
		{Name: "slack-app-token", Run: c.appToken, After: []*Check{there}},
		{Name: "slack-same-app", Run: c.sameApp, After: after},
		{Name: "slack-scopes", Run: c.slackScopes, After: after},
		{Name: "slack-manifest", Run: c.slackManifest, After: after},
		{Name: "slack-blocks", Run: c.slackBlocks, After: []*Check{there}},
		{Name: "slack-groups", Run: c.userGroups, After: after},
	}
}

// Where users find the tokens in the app's settings.
const (
	botTokenPage = "OAuth & Permissions of the app at https://api.slack.com/apps"
	appTokenPage = "Basic Information > App-Level Tokens of the app at https://api.slack.com/apps"
)

// usable reports why a token cannot be tried. It returns nil if it can.
func (c *Checker) usable(setting, token, prefix, page string) []Finding {
	kinds := map[string]string{"xapp-": "an app-level token", "xoxb-": "a bot token", "xoxp-": "a user token", "xoxe": "a configuration token or one that rotates", "xoxs-": "a workspace token"}
	switch {
	case token == "" && c.hasError(setting+" is missing"):
		return fail(setting+" is missing", "copy the token that begins with "+prefix+" from "+page)
	case token == "":
		return fail(setting+" cannot be read", "see configuration")
	case !strings.HasPrefix(token, prefix):
		kind := "not a Slack token"
		for begin, name := range kinds {
			if strings.HasPrefix(token, begin) {
				kind = name
			}
		}
		return fail(setting+" holds "+kind, "set it to the token that begins with "+prefix+", from "+page)
	case c.slackHost.Load() == nil:
		return skip("Slack was not reached")
	}
	return nil
}

// refusedToken reports why Slack refuses a token.
func refusedToken(setting, page string, err error) []Finding {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return warn("Slack asks for a pause before it checks "+setting, "try again in "+view.Age(limited.RetryAfter))
	}
	slackErr, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return fail("Slack gives an unexpected answer: "+err.Error(), cmp.Or(slackapi.Cure(err), networkCure(err)))
	}
	cure := slackapi.Cure(err)
	switch slackErr.Err {
	case "invalid_auth":
		cure = "copy it anew, whole, from " + page
	case "token_revoked":
		cure = "make a new one: " + page
	case "account_inactive":
		cure = "the app was removed from the workspace: install it again, and set the new token"
	case "ratelimited":
		return warn("Slack asks for a pause before it checks "+setting, "try again in a minute")
	}
	return fail(fmt.Sprintf("Slack refuses %s: %s", setting, slackErr.Err), cmp.Or(cure, "see https://docs.slack.dev for this error, or try again in a minute"))
}

// botToken asks Slack who owns the bot token. Checks after it use the answer.
func (c *Checker) botToken(ctx context.Context) []Finding {
	_, token := c.values.Slack.Tokens.Current()
	if f := c.usable("SLACK_BOT_TOKEN", token, "xoxb-", botTokenPage); f != nil {
		return f
	}
	me, err := newInspector(c.values.Slack).installation(ctx)
	if err != nil {
		return refusedToken("SLACK_BOT_TOKEN", botTokenPage, err)
	}
	c.installed.Store(&me)
	text := fmt.Sprintf("%s in the workspace %s (%s, %s)", me.User, me.Team, me.TeamID, me.URL)
	switch {
	case me.OrgWide:
		text = fmt.Sprintf("%s in the whole organisation %s (%s, %s)", me.User, me.Team, me.Enterprise, me.URL)
	case me.Enterprise != "":
		text += ", of the organisation " + me.Enterprise
	}
	return pass(text)
}

// appToken asks Slack for a WebSocket URL, but does not connect.
func (c *Checker) appToken(ctx context.Context) []Finding {
	token, _ := c.values.Slack.Tokens.Current()
	if f := c.usable("SLACK_APP_TOKEN", token, "xapp-", appTokenPage); f != nil {
		return f
	}
	if err := newInspector(c.values.Slack).requestSocket(ctx); err != nil {
		return refusedToken("SLACK_APP_TOKEN", appTokenPage, err)
	}
	return pass("opens connections: Socket Mode is on")
}
