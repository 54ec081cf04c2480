// Package slackapi calls Slack's Web API and posts to response_urls: the two tokens and their rotation, the transports, the
// client, sign-in, and Slack's errors with what cures them. It knows nothing of questions, of who may ask, or of how a
// message looks.
package slackapi

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/internal/httpclient"
)

const (
	// Timeout bounds one call of the Web API. Without it, a connection that swallows everything would block a reconnect
	// forever.
	Timeout = 15 * time.Second
	// StartTimeout bounds the calls made before the bot connects, including pauses that Slack asks for. If Slack asks
	// for an hour, the process should end and say so.
	StartTimeout = time.Minute
	// messageBytes exceeds the size of nearly all messages, so that one write sends a message with its header.
	messageBytes = 32 << 10
)

// Config holds what the bot needs to reach Slack.
type Config struct {
	Tokens *Tokens
	APIURL string       // of the Web API, with a slash at the end; default Slack's own
	HTTP   *http.Client // default: one that uses the proxy of the environment
	// Refused is called when Slack rejects one of the tokens, before the caller gets the error. If it rotates them, the
	// call is repeated. It must be safe for concurrent use. It may be nil.
	Refused func(context.Context) `json:"-"`
}

// WithDefaults returns the configuration with its defaults filled in.
func (c Config) WithDefaults() Config {
	if c.APIURL == "" {
		c.APIURL = slack.APIURL
	}
	return c
}

// HTTPClient returns the HTTP client of the Web API. It sends each call with the tokens that are current, limits the size
// of answers, and follows no redirect: Go would send a form again, with the token in it, to wherever that leads.
func (c Config) HTTPClient() *http.Client {
	own := c.plainClient()
	if c.Tokens != nil {
		own.Transport = &tokenRenewer{own.Transport, c.Tokens, c.Refused}
	}
	return own
}

// plainClient returns an HTTP client for Slack that knows no token.
func (c Config) plainClient() *http.Client {
	client := c.HTTP
	if client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.WriteBufferSize = messageBytes
		client = &http.Client{Timeout: Timeout, Transport: transport}
	}
	own := httpclient.NoRedirects(client)
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = limited{own.Transport}
	return own
}

// Client returns a client of the Web API that retries twice. It never logs: the debug log of slack-go would hold tokens,
// and with it slack-go asks for debug_reconnects, which makes Slack cut the connection every six minutes.
func (c Config) Client() *Client {
	c = c.WithDefaults()
	own, uploads := c.HTTPClient(), c.plainClient()
	uploads.Timeout = 0 // a large file takes longer than a call: the context bounds it
	return &Client{tokens: c.Tokens, uploads: uploads, mayUpload: uploadHosts(c.APIURL), newClient: func(_, bot string) *slack.Client {
		return slack.New(bot,
			slack.OptionAPIURL(c.APIURL),
			slack.OptionHTTPClient(own),
			slack.OptionRetry(2),
		)
	}}
}

// ClientWithoutRetry returns a client of the Web API that makes each call once.
func (c Config) ClientWithoutRetry() *Client {
	c = c.WithDefaults()
	own := c.HTTPClient()
	return &Client{tokens: c.Tokens, newClient: func(app, bot string) *slack.Client {
		return slack.New(bot, slack.OptionAppLevelToken(app), slack.OptionHTTPClient(own), slack.OptionAPIURL(c.APIURL))
	}}
}

// Client calls Slack's Web API. slack-go keeps the bot token in its client and sends it as a field of most forms, so its
// client is replaced when the tokens are. It is safe for concurrent use.
type Client struct {
	tokens    *Tokens
	newClient func(app, bot string) *slack.Client
	uploads   *http.Client // of files; nil if the client does not send any
	mayUpload func(*url.URL) bool

	mu       sync.Mutex
	app, bot string // the tokens of current
	current  *slack.Client
}

// Current returns slack-go's client for the next call. A caller that keeps it keeps its tokens.
func (c *Client) Current() *slack.Client {
	app, bot := c.tokens.Current()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == nil || app != c.app || bot != c.bot {
		c.current, c.app, c.bot = c.newClient(app, bot), app, bot
	}
	return c.current
}

// GetConversationInfoContext looks up a channel.
func (c *Client) GetConversationInfoContext(ctx context.Context, in *slack.GetConversationInfoInput) (*slack.Channel, error) {
	return c.Current().GetConversationInfoContext(ctx, in)
}

// PublishViewContext shows a person's Home tab.
func (c *Client) PublishViewContext(ctx context.Context, req slack.PublishViewContextRequest) (*slack.ViewResponse, error) {
	return c.Current().PublishViewContext(ctx, req)
}

// OpenViewContext opens a modal.
func (c *Client) OpenViewContext(ctx context.Context, triggerID string, view slack.ModalViewRequest) (*slack.ViewResponse, error) {
	return c.Current().OpenViewContext(ctx, triggerID, view)
}

// PostMessageContext posts a message.
func (c *Client) PostMessageContext(ctx context.Context, channel string, options ...slack.MsgOption) (string, string, error) {
	return c.Current().PostMessageContext(ctx, channel, options...)
}

// PostEphemeralContext posts a message into a channel that one member alone sees.
func (c *Client) PostEphemeralContext(ctx context.Context, channel, user string, options ...slack.MsgOption) (string, error) {
	return c.Current().PostEphemeralContext(ctx, channel, user, options...)
}

// UpdateMessageContext changes a message of the bot.
func (c *Client) UpdateMessageContext(ctx context.Context, channel, timestamp string, options ...slack.MsgOption) (string, string, string, error) {
	return c.Current().UpdateMessageContext(ctx, channel, timestamp, options...)
}

// GetUserInfoContext looks up a user.
func (c *Client) GetUserInfoContext(ctx context.Context, user string, options ...slack.GetUserInfoOption) (*slack.User, error) {
	return c.Current().GetUserInfoContext(ctx, user, options...)
}

// GetUserGroupMembersContext lists the members of a user group.
func (c *Client) GetUserGroupMembersContext(ctx context.Context, group string, options ...slack.GetUserGroupMembersOption) ([]string, error) {
	return c.Current().GetUserGroupMembersContext(ctx, group, options...)
}

// GetUsersInConversationContext lists the members of a conversation, page by page.
func (c *Client) GetUsersInConversationContext(ctx context.Context, in *slack.GetUsersInConversationParameters) ([]string, string, error) {
	return c.Current().GetUsersInConversationContext(ctx, in)
}

// ListTeamsContext lists the workspaces that the app is in.
func (c *Client) ListTeamsContext(ctx context.Context, in slack.ListTeamsParameters) ([]slack.Team, string, error) {
	return c.Current().ListTeamsContext(ctx, in)
}

// GetUserGroupsContext lists user groups.
func (c *Client) GetUserGroupsContext(ctx context.Context, options ...slack.GetUserGroupsOption) ([]slack.UserGroup, error) {
	return c.Current().GetUserGroupsContext(ctx, options...)
}
