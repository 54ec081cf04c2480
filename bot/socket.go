package bot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/missingkbs/missingkbs/commands"
)

const (
	// slackTimeout bounds a call of the Web API. Without one, a connection that swallows everything would hang the
	// reconnect for ever.
	slackTimeout = 15 * time.Second
	// flushTime is given to the connection for writing its last acknowledgements: slack-go queues them and does not
	// say when they are out.
	flushTime = 200 * time.Millisecond
	// maxEnvelope bounds one message from Slack; a click brings the whole message it was made on.
	maxEnvelope = 4 << 20
)

// Config is what the bot needs to reach Slack.
type Config struct {
	Tokens *Tokens
	APIURL string       // of the Web API, with a slash at the end; default Slack's own
	HTTP   *http.Client // default: one that uses the proxy of the environment
}

// Run connects to the workspace of [SignIn] and answers until ctx ends; then it finishes what runs and returns nil. It
// returns an error when Slack refuses the bot for good, with the cure in its message.
func Run(ctx context.Context, c Config, workspace Workspace, answers *commands.Router, o Options) error {
	o = o.withDefaults()
	c = c.withDefaults()
	web := c.webAPI()
	socket := socketmode.New(web.client(), socketmode.OptionReadLimit(maxEnvelope))
	b := New(Parts{
		Workspace: workspace,
		Answers:   answers,
		Socket:    socket,
		Slack:     web,
		Webhook:   NewWebhook(c.httpClient(), c.APIURL),
	}, o)

	// The connection outlives ctx, so that the answers of the last questions still have a way.
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	defer disconnect()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		defer stop()
		err := socket.RunContext(connected)
		if connected.Err() != nil {
			return nil
		}
		return fmt.Errorf("connect to Slack: %w: %s", withoutURL(err), Cure(err))
	})
	g.Go(func() error {
		defer disconnect()
		err := b.Serve(serving, socket.Events)
		if connected.Err() == nil {
			time.Sleep(flushTime)
		}
		return err
	})
	err := g.Wait()
	o.Log.Info("stopped", "counts", fmt.Sprintf("%+v", b.Stats()))
	return err
}

func (c Config) withDefaults() Config {
	if c.APIURL == "" {
		c.APIURL = slack.APIURL
	}
	return c
}

func (c Config) httpClient() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{Timeout: slackTimeout, Transport: transport}
}

// webAPI is the Web API client. It never logs: its debug log would hold tokens, and switching it on makes Slack cut
// the connection every six minutes (slack-go asks for debug_reconnects).
func (c Config) webAPI() *webAPI {
	own := *c.httpClient()
	own.Transport = &opening{next: own.Transport, limit: rate.NewLimiter(rate.Every(3*time.Second), 3)}
	return &webAPI{tokens: c.Tokens, make: func(app, bot string) *slack.Client {
		return slack.New(bot,
			slack.OptionAppLevelToken(app),
			slack.OptionAPIURL(c.APIURL),
			slack.OptionHTTPClient(&own),
			slack.OptionRetry(2),
		)
	}}
}

// plainWebAPI is a Web API client that never tries again.
func (c Config) plainWebAPI() *webAPI {
	c = c.withDefaults()
	own := c.httpClient()
	return &webAPI{tokens: c.Tokens, make: func(_, bot string) *slack.Client {
		return slack.New(bot, slack.OptionHTTPClient(own), slack.OptionAPIURL(c.APIURL))
	}}
}

// opening slows down how often a connection is opened: slack-go reconnects at once after a disconnect, and Slack takes
// about one apps.connections.open a minute before it refuses them for a while.
type opening struct {
	next  http.RoundTripper
	limit *rate.Limiter
}

func (o *opening) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/apps.connections.open") {
		if err := o.limit.Wait(r.Context()); err != nil {
			return nil, err
		}
	}
	next := o.next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(r)
}

// SignIn asks Slack which workspace the bot token belongs to; people of other organisations are told apart by it. Its
// error holds the cure.
func SignIn(ctx context.Context, c Config) (Workspace, error) {
	me, err := c.withDefaults().webAPI().client().AuthTestContext(ctx)
	if err != nil {
		return Workspace{}, fmt.Errorf("sign in to Slack: %w: %s", withoutURL(err), cureOr(err, "check that this machine reaches Slack (SLACK_API_URL, HTTPS_PROXY)"))
	}
	return Workspace{TeamID: me.TeamID, EnterpriseID: me.EnterpriseID, UserID: me.UserID}, nil
}

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
	"socket_mode_disabled":    "Socket Mode is switched off: switch it on in the app's settings",
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
