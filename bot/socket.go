package bot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/commands"
)

const (
	// slackTimeout bounds a call of the Web API. Without one, a connection that swallows everything would hang the
	// reconnect for ever.
	slackTimeout = 15 * time.Second
	// startTime bounds what is asked of Slack before the bot connects, pauses that Slack asks for included: with a Slack
	// that wants to be left alone for an hour, the process had better end and say so.
	startTime = time.Minute
	// maxEnvelope bounds one message from Slack; a click brings the whole message it was made on.
	maxEnvelope = 4 << 20
)

// Config is what the bot needs to reach Slack.
type Config struct {
	Tokens *Tokens
	APIURL string       // of the Web API, with a slash at the end; default Slack's own
	HTTP   *http.Client // default: one that uses the proxy of the environment
	// Refused is called when Slack refuses one of the tokens, before anybody hears of that; if it rotates them, the
	// call is made again. It may be called by several calls at once, and may be nil.
	Refused func(context.Context) `json:"-"`
	dial    dialFunc              // for WebSockets; default: a net.Dialer's
}

// Run connects to the workspace of [SignIn] and answers until ctx ends; then it finishes what runs and returns nil. It
// returns an error when Slack refuses the bot for good, with the cure in its message.
func Run(ctx context.Context, c Config, workspace Workspace, answers *commands.Router, o Options) error {
	o = o.withDefaults()
	c = c.withDefaults()
	sockets := newSockets(c, o, slackTiming())
	web := c.webAPI()
	if o.Gate == nil {
		o.Gate = NewGate(newDirectory(web), workspace, GateOptions{Log: o.Log})
	}
	b := newBot(answers, sockets, NewWebhook(c.httpClient(), c.APIURL), o)
	b.screens = web
	err := run(ctx, b, sockets)
	o.Log.Info("stopped", "counts", fmt.Sprintf("%+v", b.Stats()))
	return err
}

// run serves what comes on the sockets, while Slack takes both tokens. The sockets outlive ctx, so that the answers of the
// last questions still have a way.
func run(ctx context.Context, b *Bot, s *sockets) error {
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	defer disconnect()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		defer stop()
		return s.run(connected)
	})
	g.Go(func() error {
		defer stop()
		return (&vigil{s.config, s.log}).run(serving)
	})
	g.Go(func() error {
		defer disconnect()
		b.Serve(serving, s.events)
		s.untended()
		return nil
	})
	err := g.Wait()
	s.close()
	return err
}

func (c Config) withDefaults() Config {
	if c.APIURL == "" {
		c.APIURL = slack.APIURL
	}
	if c.dial == nil {
		c.dial = (&net.Dialer{Timeout: slackTimeout, KeepAlive: 15 * time.Second}).DialContext
	}
	return c
}

// httpClient follows no redirect: Go would send a form again, with the token in it, to wherever that leads.
func (c Config) httpClient() *http.Client {
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: slackTimeout, Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	own := noRedirects(client)
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = limited{own.Transport}
	if c.Tokens != nil {
		own.Transport = &renewing{own.Transport, c.Tokens, c.Refused}
	}
	return own
}

// webAPI is the Web API client. It never logs: its debug log would hold tokens, and switching it on makes Slack cut
// the connection every six minutes (slack-go asks for debug_reconnects).
func (c Config) webAPI() *webAPI {
	own := c.httpClient()
	return &webAPI{tokens: c.Tokens, make: func(_, bot string) *slack.Client {
		return slack.New(bot,
			slack.OptionAPIURL(c.APIURL),
			slack.OptionHTTPClient(own),
			slack.OptionRetry(2),
		)
	}}
}

// plainWebAPI is a Web API client that never tries again.
func (c Config) plainWebAPI() *webAPI {
	c = c.withDefaults()
	own := c.httpClient()
	return &webAPI{tokens: c.Tokens, make: func(app, bot string) *slack.Client {
		return slack.New(bot, slack.OptionAppLevelToken(app), slack.OptionHTTPClient(own), slack.OptionAPIURL(c.APIURL))
	}}
}

// SignIn asks Slack which workspace the bot token belongs to; people of other organisations are told apart by it. Its
// error holds the cure.
func SignIn(ctx context.Context, c Config) (Workspace, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	c = c.withDefaults()
	_, token := c.Tokens.Current()
	me, err := whoAmI(ctx, c.httpClient(), c.APIURL, token, slack.OptionRetry(2))
	if err != nil {
		return Workspace{}, fmt.Errorf("sign in to Slack: %w: %s", withoutURL(err), cureOr(err, "check that this machine reaches Slack (SLACK_API_URL, HTTPS_PROXY)"))
	}
	return Workspace{TeamID: me.TeamID, EnterpriseID: me.EnterpriseID, UserID: me.UserID, OrgWide: me.orgWide}, nil
}

const socketModeOff = "Socket Mode is switched off: switch it on in the app's settings"

// cures holds what to do about the refusals of Slack that trying again does not mend.
// See https://docs.slack.dev/reference/methods/apps.connections.open#errors.
var cures = map[string]string{
	"invalid_auth":            "the token is wrong: copy SLACK_APP_TOKEN and SLACK_BOT_TOKEN anew from the app's settings",
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

// Cure is what to do about an error of Slack that trying again does not mend; it is empty for passing trouble.
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
