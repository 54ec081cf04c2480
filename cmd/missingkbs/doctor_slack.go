package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/view"
)

// slackChecks are those that ask Slack.
func (e *exam) slackChecks(there *doctor.Check) []*doctor.Check {
	botToken := &doctor.Check{Name: "slack-bot-token", Run: e.botToken, After: []*doctor.Check{there}}
	after := []*doctor.Check{botToken}
	return []*doctor.Check{
		botToken,
		{Name: "slack-app-token", Run: e.appToken, After: []*doctor.Check{there}},
		{Name: "slack-same-app", Run: e.sameApp, After: after},
		{Name: "slack-scopes", Run: e.slackScopes, After: after},
		{Name: "slack-manifest", Run: e.slackManifest, After: after},
		{Name: "slack-blocks", Run: e.slackBlocks, After: []*doctor.Check{there}},
		{Name: "slack-groups", Run: e.userGroups, After: after},
	}
}

// Where the tokens stand in the app's settings.
const (
	botTokenPage = "OAuth & Permissions of the app at https://api.slack.com/apps"
	appTokenPage = "Basic Information > App-Level Tokens of the app at https://api.slack.com/apps"
)

// usable says why a token cannot be tried, nil when it can.
func (e *exam) usable(setting, token, prefix, page string) []doctor.Finding {
	kinds := map[string]string{"xapp-": "an app-level token", "xoxb-": "a bot token", "xoxp-": "a user token", "xoxe": "a configuration token or one that rotates", "xoxs-": "a workspace token"}
	switch {
	case token == "" && e.wrong(setting+" is missing"):
		return unwell(setting+" is missing", "copy the token that begins with "+prefix+" from "+page)
	case token == "":
		return unwell(setting+" cannot be read", "see configuration")
	case !strings.HasPrefix(token, prefix):
		kind := "no token of Slack's"
		for begin, name := range kinds {
			if strings.HasPrefix(token, begin) {
				kind = name
			}
		}
		return unwell(setting+" holds "+kind, "put there the token that begins with "+prefix+", from "+page)
	case e.slackVisit.Load() == nil:
		return unchecked("Slack was not reached")
	}
	return nil
}

// refusedToken says what is wrong with a token that Slack does not take.
func refusedToken(setting, page string, err error) []doctor.Finding {
	if limited, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		return doubtful("Slack asks for a pause before it says anything of "+setting, "try again in "+view.Age(limited.RetryAfter))
	}
	refused, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return unwell("Slack does not answer as it should: "+err.Error(), cmp.Or(bot.Cure(err), networkCure(err)))
	}
	cure := bot.Cure(err)
	switch refused.Err {
	case "invalid_auth":
		cure = "copy it anew, whole, from " + page
	case "token_revoked":
		cure = "make a new one: " + page
	case "account_inactive":
		cure = "the app was removed from the workspace: install it again, and set the new token"
	case "ratelimited":
		return doubtful("Slack asks for a pause before it says anything of "+setting, "try again in a minute")
	}
	return unwell(fmt.Sprintf("Slack refuses %s: %s", setting, refused.Err), cmp.Or(cure, "see https://docs.slack.dev for this error, or try again in a minute"))
}

func (e *exam) botToken(ctx context.Context) []doctor.Finding {
	_, token := e.slack.Tokens.Current()
	if f := e.usable("SLACK_BOT_TOKEN", token, "xoxb-", botTokenPage); f != nil {
		return f
	}
	me, err := bot.Inspect(e.slack).Installation(ctx)
	if err != nil {
		return refusedToken("SLACK_BOT_TOKEN", botTokenPage, err)
	}
	e.installed.Store(&me)
	text := fmt.Sprintf("%s in the workspace %s (%s, %s)", me.User, me.Team, me.TeamID, me.URL)
	switch {
	case me.OrgWide:
		text = fmt.Sprintf("%s in the whole organisation %s (%s, %s)", me.User, me.Team, me.Enterprise, me.URL)
	case me.Enterprise != "":
		text += ", of the organisation " + me.Enterprise
	}
	return well(text)
}

func (e *exam) appToken(ctx context.Context) []doctor.Finding {
	token, _ := e.slack.Tokens.Current()
	if f := e.usable("SLACK_APP_TOKEN", token, "xapp-", appTokenPage); f != nil {
		return f
	}
	if err := bot.Inspect(e.slack).TryOpening(ctx); err != nil {
		return refusedToken("SLACK_APP_TOKEN", appTokenPage, err)
	}
	return well("opens connections: Socket Mode is on")
}
