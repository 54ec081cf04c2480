package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/httpclient"
	"github.com/missingkbs/missingkbs/internal/view"
)

// inspector reads how the app is me. It posts and changes nothing, and never retries. [slackapi.Cure] knows the cures of
// its errors.
type inspector struct {
	config slackapi.Config
	slack  *slack.Client
}

// newInspector returns an inspector with the current tokens.
func newInspector(c slackapi.Config) *inspector {
	c = c.WithDefaults()
	return &inspector{config: c, slack: c.ClientWithoutRetry().Current()}
}

// installation describes the owner of the bot token.
type installation struct {
	Team, TeamID string
	User         string // the name of the bot
	UserID       string
	BotID        string
	URL          string   // of the workspace
	Enterprise   string   // the ID of its organisation; empty for none
	OrgWide      bool     // the app is installed in the whole organisation; then Team is its name
	Scopes       []string // of the token, sorted; nil if Slack did not list them
}

// installation asks Slack who owns the bot token and which scopes it has.
func (i *inspector) installation(ctx context.Context) (installation, error) {
	me, err := i.config.AuthTest(ctx)
	if err != nil {
		return installation{}, slackapi.WithoutURL(err)
	}
	scopes := strings.FieldsFunc(me.Header.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(scopes)
	return installation{
		Team: me.Team, TeamID: me.TeamID, User: me.User, UserID: me.UserID, BotID: me.BotID, URL: me.URL, Enterprise: me.EnterpriseID,
		OrgWide: me.OrgWide, Scopes: scopes,
	}, nil
}

// appOfBot returns the ID of the app that owns the bot. It needs the scope users:read.
func (i *inspector) appOfBot(ctx context.Context, me installation) (string, error) {
	in := slack.GetBotInfoParameters{Bot: me.BotID}
	if me.OrgWide { // https://docs.slack.dev/reference/methods/bots.info
		in.TeamID = me.Enterprise
	}
	bot, err := i.slack.GetBotInfoContext(ctx, in)
	if err != nil {
		return "", slackapi.WithoutURL(err)
	}
	return bot.AppID, nil
}

// appOfToken returns the ID of the app in the app-level token, empty if it has none.
func (i *inspector) appOfToken() string {
	app, _ := i.config.Tokens.Current()
	parts := strings.Split(app, "-")
	if len(parts) < 4 || !strings.HasPrefix(parts[2], "A") {
		return ""
	}
	return parts[2]
}

// requestSocket asks Slack for a WebSocket URL. This shows that the app-level token is valid and Socket Mode is on. It does not
// connect, because Slack would send some of the questions to this connection. The URL expires within 30 seconds.
func (i *inspector) requestSocket(ctx context.Context) error {
	_, _, err := i.slack.StartSocketModeContext(ctx)
	return slackapi.WithoutURL(err)
}

// channelState describes a channel and the rights of the bot there.
type channelState struct {
	Name     string // empty if Slack does not tell
	Member   bool
	Archived bool
	Shared   bool     // with another organisation
	Teams    []string // those organisations, as far as Slack names them
	ReadOnly bool
	Direct   bool // a conversation of one person with the bot
}

// channel returns the state of a channel.
func (i *inspector) channel(ctx context.Context, id string, me installation) (channelState, error) {
	info, err := i.slack.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return channelState{}, slackapi.WithoutURL(err)
	}
	teams, shared := access.ExternalTeams(info, slackapi.Workspace{TeamID: me.TeamID, EnterpriseID: me.Enterprise})
	return channelState{
		Name: info.Name, Member: info.IsMember, Archived: info.IsArchived, Shared: shared, Teams: teams,
		ReadOnly: info.IsReadOnly, Direct: info.IsIM,
	}, nil
}

// unknownGroups returns the user groups that the workspace does not have, or has disabled. With one of them in its settings the
// bot does not start.
func (i *inspector) unknownGroups(ctx context.Context, me installation, groups []string) ([]string, error) {
	teams := []string{""}
	if me.OrgWide {
		var err error
		if teams, err = access.NewDirectory(i.config.ClientWithoutRetry()).Teams(ctx); err != nil {
			return nil, err
		}
	}
	var all []slack.UserGroup
	for _, team := range teams {
		of, err := i.slack.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionTeamID(team))
		if err != nil {
			return nil, slackapi.WithoutURL(err)
		}
		all = append(all, of...)
	}
	return access.UnknownGroups(all, groups), nil
}

// manifest returns the settings of the app at Slack. It needs a configuration token (xoxe…) and does not keep it.
func (i *inspector) manifest(ctx context.Context, configToken, appID string) (*slack.Manifest, error) {
	raw, err := i.slack.ExportManifestRawContext(ctx, configToken, appID)
	if err != nil {
		return nil, slackapi.WithoutURL(err)
	}
	var m slack.Manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, errors.New("the manifest that came cannot be read")
	}
	return &m, nil
}

// maxVerdict bounds the response of Slack's validator.
const maxVerdict = 1 << 20

// validateBlocks has Slack check the blocks of a page in a form. It returns [errNoValidator] if Slack has no such method. See
// https://docs.slack.dev/reference/methods/blocks.validate.
func (i *inspector) validateBlocks(ctx context.Context, p view.Page, f blocks.Form) (blocks.Verdict, error) {
	drawn := blocks.Render(p, blocks.Options{Form: f}).Blocks
	body, err := json.Marshal(drawn)
	if err != nil {
		return blocks.Verdict{}, fmt.Errorf("write the blocks: %w", err)
	}
	v, err := i.validate(ctx, string(body))
	if err != nil {
		return blocks.Verdict{}, err
	}
	return v.verdict(drawn)
}

func (i *inspector) validate(ctx context.Context, body string) (v validation, err error) {
	// The method needs no token.
	resp, err := httpclient.PostForm(ctx, i.config.HTTPClient(), i.config.APIURL+"blocks.validate", "", url.Values{"blocks": {body}})
	if err != nil {
		return v, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxVerdict)).Decode(&v); err != nil {
		return v, fmt.Errorf("read the answer of blocks.validate (HTTP status %d): no JSON", resp.StatusCode)
	}
	return v, nil
}

// errNoValidator says that Slack cannot check blocks.
var errNoValidator = errors.New("this Slack has no method blocks.validate")

// validation is the response of blocks.validate.
type validation struct {
	OK     bool              `json:"ok"`
	Error  string            `json:"error"`
	Errors []json.RawMessage `json:"errors"` // objects with pointer and message, or texts
}

func (v validation) verdict(drawn []slack.Block) (blocks.Verdict, error) {
	switch {
	case v.OK:
		return blocks.Verdict{}, nil
	case v.Error == "unknown_method", v.Error == "method_deprecated":
		return blocks.Verdict{}, errNoValidator
	case v.Error != "invalid_blocks":
		return blocks.Verdict{}, slack.SlackErrorResponse{Err: v.Error}
	}
	return blocks.JudgeWords(v.Error, v.words(), drawn), nil
}

// words returns the errors in the format of other methods.
func (v validation) words() []string {
	var words []string
	for _, raw := range v.Errors {
		var fault struct{ Pointer, Message string }
		var text string
		switch {
		case json.Unmarshal(raw, &text) == nil:
			words = append(words, text)
		case json.Unmarshal(raw, &fault) == nil && fault.Message != "":
			words = append(words, strings.TrimSpace(fault.Message+" [json-pointer:"+fault.Pointer+"]"))
		}
	}
	return words
}
