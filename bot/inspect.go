package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Inspector looks at how the app is installed, for whoever runs it. It posts nothing, changes nothing and never tries
// again. For its errors there is [slackapi.Cure].
type Inspector struct {
	config slackapi.Config
	slack  *slack.Client
}

// Inspect returns an inspector with the tokens that are current now.
func Inspect(c slackapi.Config) *Inspector {
	c = c.WithDefaults()
	app, bot := c.Tokens.Current()
	return &Inspector{config: c, slack: slack.New(bot,
		slack.OptionAppLevelToken(app), slack.OptionAPIURL(c.APIURL), slack.OptionHTTPClient(c.HTTPClient()))}
}

// Installation is what Slack says of the bot token.
type Installation struct {
	Team, TeamID string
	User         string // the bot's name
	UserID       string
	BotID        string
	URL          string   // of the workspace
	Enterprise   string   // the id of its organisation; empty for none
	OrgWide      bool     // the app is installed in the whole organisation, which Team names then
	Scopes       []string // that the token has, sorted; nil when Slack did not say
}

// Installation asks whom the bot token belongs to, and what it may do.
func (i *Inspector) Installation(ctx context.Context) (Installation, error) {
	me, err := i.config.AuthTest(ctx)
	if err != nil {
		return Installation{}, slackapi.WithoutURL(err)
	}
	scopes := strings.FieldsFunc(me.Header.Get("X-OAuth-Scopes"), func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(scopes)
	return Installation{
		Team: me.Team, TeamID: me.TeamID, User: me.User, UserID: me.UserID, BotID: me.BotID, URL: me.URL, Enterprise: me.EnterpriseID,
		OrgWide: me.OrgWide, Scopes: scopes,
	}, nil
}

// AppOfBot is the id of the app that a bot belongs to. It needs the scope users:read.
func (i *Inspector) AppOfBot(ctx context.Context, me Installation) (string, error) {
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

// AppOfToken is the id of the app that stands in an app-level token; empty where none does.
func (i *Inspector) AppOfToken() string {
	app, _ := i.config.Tokens.Current()
	parts := strings.Split(app, "-")
	if len(parts) < 4 || !strings.HasPrefix(parts[2], "A") {
		return ""
	}
	return parts[2]
}

// TryOpening asks for a place to connect to, which shows that the app-level token is good and Socket Mode is on. The
// place is not gone to: Slack would send a part of all questions there, and nobody would answer them. It is forgotten
// within half a minute.
func (i *Inspector) TryOpening(ctx context.Context) error {
	_, _, err := i.slack.StartSocketModeContext(ctx)
	return slackapi.WithoutURL(err)
}

// ChannelState is how the bot stands to a channel.
type ChannelState struct {
	Name     string // empty where Slack does not say
	Member   bool
	Archived bool
	Shared   bool     // with another organisation
	Teams    []string // which those are, as far as Slack names them
	ReadOnly bool
	Direct   bool // a conversation of one person with the bot
}

// Channel looks a channel up, for an app that is installed so.
func (i *Inspector) Channel(ctx context.Context, id string, installed Installation) (ChannelState, error) {
	info, err := i.slack.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return ChannelState{}, slackapi.WithoutURL(err)
	}
	teams, shared := strangers(info, slackapi.Workspace{TeamID: installed.TeamID, EnterpriseID: installed.Enterprise})
	return ChannelState{
		Name: info.Name, Member: info.IsMember, Archived: info.IsArchived, Shared: shared, Teams: teams,
		ReadOnly: info.IsReadOnly, Direct: info.IsIM,
	}, nil
}

// UnknownGroups lists those of the user groups that the workspace does not have, or has disabled: with one of them in its
// settings the bot does not start, see [Gate.Prepare].
func (i *Inspector) UnknownGroups(ctx context.Context, me Installation, groups []string) ([]string, error) {
	teams := []string{""}
	if me.OrgWide {
		var err error
		if teams, err = newDirectory(i.slack).teams(ctx); err != nil {
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
	return groupsNotIn(all, groups), nil
}

// Manifest is how the app is set up at Slack. It needs a configuration token (xoxe…), which is not kept.
func (i *Inspector) Manifest(ctx context.Context, configToken, appID string) (*slack.Manifest, error) {
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

// maxVerdict bounds the answer of Slack's validator.
const maxVerdict = 1 << 20

// Verdict is what Slack says to blocks. One without words takes them.
type Verdict struct {
	Unsupported []blocks.Feature // newer blocks that it does not take
	Faults      []string         // what is wrong with what was sent, in Slack's words
	Words       []string         // all that Slack said
}

// JudgeBlocks reads an error of the Web API about blocks that were sent; ok is false for any other error.
func JudgeBlocks(err error, sent []slack.Block) (v Verdict, ok bool) {
	r, ok := judge(err, sent)
	return r.verdict(), ok
}

func (r blockRefusal) verdict() Verdict {
	v := Verdict{Unsupported: r.unsupported, Faults: r.faults, Words: r.words}
	if len(v.Words) == 0 && r.code != "" {
		v.Words = []string{r.code}
	}
	return v
}

// ValidateBlocks has Slack check the blocks of a page that is drawn in a form. The error is [ErrNoValidator] where this
// Slack has none. See https://docs.slack.dev/reference/methods/blocks.validate.
func (i *Inspector) ValidateBlocks(ctx context.Context, p view.Page, f blocks.Form) (Verdict, error) {
	drawn := blocks.Render(p, blocks.Options{Form: f}).Blocks
	body, err := json.Marshal(drawn)
	if err != nil {
		return Verdict{}, fmt.Errorf("write the blocks: %w", err)
	}
	said, err := i.validate(ctx, string(body))
	if err != nil {
		return Verdict{}, err
	}
	return said.of(drawn)
}

func (i *Inspector) validate(ctx context.Context, body string) (said validation, err error) {
	// No token: the method needs none.
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, i.config.APIURL+"blocks.validate", strings.NewReader(url.Values{"blocks": {body}}.Encode()))
	if err != nil {
		return said, slackapi.WithoutURL(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := i.config.HTTPClient().Do(r)
	if err != nil {
		return said, slackapi.WithoutURL(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxVerdict)).Decode(&said); err != nil {
		return said, fmt.Errorf("read the answer of blocks.validate (HTTP status %d): no JSON", resp.StatusCode)
	}
	return said, nil
}

// ErrNoValidator says that blocks cannot be checked with this Slack.
var ErrNoValidator = errors.New("this Slack has no method blocks.validate")

// validation is the answer of blocks.validate.
type validation struct {
	OK     bool              `json:"ok"`
	Error  string            `json:"error"`
	Errors []json.RawMessage `json:"errors"` // objects with pointer and message, or texts
}

func (v validation) of(drawn []slack.Block) (Verdict, error) {
	switch {
	case v.OK:
		return Verdict{}, nil
	case v.Error == "unknown_method", v.Error == "method_deprecated":
		return Verdict{}, ErrNoValidator
	case v.Error != "invalid_blocks":
		return Verdict{}, slack.SlackErrorResponse{Err: v.Error}
	}
	return judgeWords(v.Error, false, v.words(), drawn).verdict(), nil
}

// words are the errors as other methods write them.
func (v validation) words() []string {
	var words []string
	for _, raw := range v.Errors {
		var said struct{ Pointer, Message string }
		var text string
		switch {
		case json.Unmarshal(raw, &text) == nil:
			words = append(words, text)
		case json.Unmarshal(raw, &said) == nil && said.Message != "":
			words = append(words, strings.TrimSpace(said.Message+" [json-pointer:"+said.Pointer+"]"))
		}
	}
	return words
}
