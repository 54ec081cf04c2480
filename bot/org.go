package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/slack-go/slack"
)

// An app can be installed in one workspace, or in an Enterprise organisation as a whole. Then its token is good in all
// workspaces that the app was added to, Slack's methods for user groups want to know which one is meant, and payloads
// name no installing workspace. See https://docs.slack.dev/enterprise/developing-for-enterprise-orgs.

// identity is what auth.test tells of a bot token.
type identity struct {
	*slack.AuthTestResponse
	orgWide bool
}

// whoAmI asks auth.test. slack-go leaves out of the answer whether the app is installed in a whole organisation.
func whoAmI(ctx context.Context, client *http.Client, apiURL, token string, options ...slack.Option) (identity, error) {
	kept := &keepBody{next: client.Transport}
	own := *client
	own.Transport = kept
	me, err := slack.New(token, append([]slack.Option{slack.OptionAPIURL(apiURL), slack.OptionHTTPClient(&own)}, options...)...).AuthTestContext(ctx)
	if err != nil {
		return identity{}, err
	}
	var said struct {
		OrgWide bool `json:"is_enterprise_install"`
	}
	_ = json.Unmarshal(kept.body, &said) // slack-go has read it already
	return identity{me, said.OrgWide || me.EnterpriseID != "" && me.TeamID == me.EnterpriseID}, nil
}

// maxIdentity bounds the answer of auth.test.
const maxIdentity = 64 << 10

// keepBody is a transport that keeps the body of the last answer. It is used for one call at a time.
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

// teamPages bounds the list of an organisation's workspaces, of which Slack tells a hundred at once.
const teamPages = 50

// teams lists the workspaces of the organisation that the app was added to.
func (d *Directory) teams(ctx context.Context) (ids []string, err error) {
	var in slack.ListTeamsParameters
	for range teamPages {
		page, next, err := d.slack.ListTeamsContext(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the workspaces of the organisation: %w", withoutURL(err))
		}
		for _, t := range page {
			ids = append(ids, t.ID)
		}
		if in.Cursor = next; next == "" {
			break
		}
	}
	return unique(ids), nil
}

// inGroup reports whether somebody is in one of several user groups. A token of a whole organisation has to be told in
// which workspace to look, and a person can only be in groups of workspaces that they are in. Those are named by Slack's
// record of the person, and by the envelope. However many there are, it waits for Slack no longer than patience allows.
func (g *Gate) inGroup(ctx context.Context, c Caller, who person, groups []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	teams := []string{""} // a token of one workspace needs none
	if g.self.OrgWide && len(groups) > 0 {
		if teams = workspaces(append(slices.Clone(who.teams), who.team, c.Team)); len(teams) == 0 {
			return false, errNoTeams
		}
		if added, err := g.directory.added.get(ctx, ""); err == nil {
			teams = slices.DeleteFunc(teams, func(team string) bool { return !slices.Contains(added, team) })
		}
	}
	return g.directory.inGroup(ctx, c.User, teams, groups)
}

// workspaces are the ids among some that name workspaces, and not organisations, each once.
func workspaces(ids []string) []string {
	return slices.DeleteFunc(unique(ids), func(id string) bool { return !strings.HasPrefix(id, "T") })
}

// atHome reports whether a public channel is one of a workspace that a person is in.
func (g *Gate) atHome(who person, info *slack.Channel) bool {
	if !g.self.OrgWide {
		return who.team == g.self.TeamID
	}
	of := workspaces(append(slices.Clone(info.InternalTeamIDs), info.ContextTeamID))
	return slices.ContainsFunc(workspaces(append(slices.Clone(who.teams), who.team)), func(t string) bool { return slices.Contains(of, t) })
}
