package slackapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/slack-go/slack"
)

// An app can be installed in one workspace, or in a whole Enterprise organisation. In the second case its token is
// valid in all workspaces that the app was added to, Slack's methods for user groups require the workspace, and
// payloads name no installing workspace. See https://docs.slack.dev/enterprise/developing-for-enterprise-orgs.

// Workspace is where the app is installed, as auth.test names it.
type Workspace struct {
	TeamID       string // the organisation's ID if the app is installed in a whole organisation
	EnterpriseID string // empty outside an Enterprise organisation
	UserID       string // the bot's own user
	OrgWide      bool   // the app is installed in the whole organisation: the token is good in all its workspaces
}

// SignIn asks Slack which workspace the bot token belongs to. People of other organisations are recognised by it. Its
// error contains the cure.
func SignIn(ctx context.Context, c Config) (Workspace, error) {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	me, err := c.AuthTest(ctx, slack.OptionRetry(2))
	if err != nil {
		return Workspace{}, fmt.Errorf("sign in to Slack: %w: %s", WithoutURL(err), cureOr(err, "check that this machine reaches Slack (SLACK_API_URL, HTTPS_PROXY)"))
	}
	return Workspace{TeamID: me.TeamID, EnterpriseID: me.EnterpriseID, UserID: me.UserID, OrgWide: me.OrgWide}, nil
}

// Identity is what auth.test returns about a bot token.
type Identity struct {
	*slack.AuthTestResponse

	OrgWide bool // the app is installed in a whole organisation
}

// AuthTest asks Slack who the current bot token belongs to. slack-go omits whether the app is installed in a whole
// organisation, so the answer is decoded a second time.
func (c Config) AuthTest(ctx context.Context, options ...slack.Option) (Identity, error) {
	c = c.WithDefaults()
	_, token := c.Tokens.Current()
	client := c.HTTPClient()
	kept := &keepBody{next: client.Transport}
	client.Transport = kept
	me, err := slack.New(token, append([]slack.Option{slack.OptionAPIURL(c.APIURL), slack.OptionHTTPClient(client)}, options...)...).AuthTestContext(ctx)
	if err != nil {
		return Identity{}, err
	}
	var answer struct {
		OrgWide bool `json:"is_enterprise_install"`
	}
	_ = json.Unmarshal(kept.body, &answer) // slack-go has decoded it successfully
	return Identity{me, answer.OrgWide || me.EnterpriseID != "" && me.TeamID == me.EnterpriseID}, nil
}

// maxIdentity bounds the answer of auth.test.
const maxIdentity = 64 << 10

// keepBody is a transport that keeps the body of the last answer. It is not safe for concurrent use.
type keepBody struct {
	next http.RoundTripper
	body []byte
}

// RoundTrip implements [http.RoundTripper].
func (k *keepBody) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := k.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	k.body, err = io.ReadAll(io.LimitReader(resp.Body, maxIdentity))
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(k.body))
	return resp, err
}
