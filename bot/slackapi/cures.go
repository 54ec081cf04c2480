package slackapi

import (
	"errors"
	"net/http"

	"github.com/slack-go/slack"
)

const socketModeOff = "Socket Mode is switched off: switch it on in the app's settings"

// cures maps permanent errors to what to do about them. See
// https://docs.slack.dev/reference/methods/apps.connections.open#errors.
var cures = map[string]string{
	"invalid_auth":            "the token is wrong: copy SLACK_APP_TOKEN and SLACK_BOT_TOKEN again from the app's settings",
	"not_authed":              "the token is empty: set SLACK_APP_TOKEN and SLACK_BOT_TOKEN",
	"account_inactive":        "the app was removed from the workspace: install it again",
	"token_revoked":           "the token was revoked: install the app again and set the new SLACK_BOT_TOKEN, or make a new app-level token for SLACK_APP_TOKEN",
	"token_expired":           "the token has expired: switch token rotation off for this app, or set a new token",
	"not_allowed_token_type":  "two tokens are mixed up: SLACK_APP_TOKEN starts with xapp-, SLACK_BOT_TOKEN with xoxb-",
	"missing_scope":           "a scope is missing: the app-level token needs connections:write, the app the scopes of manifest.yaml; install it again after a change",
	"team_access_not_granted": "the app has no access to this workspace: ask an administrator of the organisation to grant it",
	"org_login_required":      "the workspace is being moved into an organisation: install the app again afterwards",
	"team_disabled":           "the workspace was disabled",
	"user_removed_from_team":  "the bot's user was removed from the workspace: install the app again",
	"forbidden_team":          "the app may not be used in this workspace",
	"app_not_found":           "the app of SLACK_APP_TOKEN no longer exists",
	"socket_mode_not_enabled": socketModeOff,
	"socket_mode_disabled":    socketModeOff,
	"link_disabled":           socketModeOff, // the reason of a disconnect
}

// Cure returns what to do about a permanent error of Slack's, or "" for a temporary one.
func Cure(err error) string {
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return cures[refused.Err]
	}
	if code, ok := errors.AsType[slack.StatusCodeError](err); ok && code.Code == http.StatusNotFound {
		return "there is no Slack Web API at SLACK_API_URL"
	}
	return ""
}

func cureOr(err error, otherwise string) string {
	if c := Cure(err); c != "" {
		return c
	}
	return otherwise
}
