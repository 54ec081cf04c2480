package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// teamPages bounds the list of an organisation's workspaces; Slack returns a hundred a page.
const teamPages = 50

// Teams lists the workspaces of the organisation that the app was added to.
func (d *Directory) Teams(ctx context.Context) (ids []string, err error) {
	var in slack.ListTeamsParameters
	for range teamPages {
		page, next, err := d.slack.ListTeamsContext(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list the workspaces of the organisation: %w", slackapi.WithoutURL(err))
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

// inGroup reports whether a user is in one of some user groups. With a token of a whole organisation Slack needs the
// workspace to look in. A user can only be in groups of their own workspaces, which Slack's record of the user and the
// envelope name. inGroup waits for Slack no longer than callPatience in all.
func (g *Gate) inGroup(ctx context.Context, c Caller, who person, groups []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callPatience)
	defer cancel()
	teams := []string{""} // a token of one workspace does not need it
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

// workspaces returns the ids of workspaces, without those of organisations and without repeats.
func workspaces(ids []string) []string {
	return slices.DeleteFunc(unique(ids), func(id string) bool { return !strings.HasPrefix(id, "T") })
}

// atHome reports whether a public channel belongs to one of the user's workspaces.
func (g *Gate) atHome(who person, info *slack.Channel) bool {
	if !g.self.OrgWide {
		return who.team == g.self.TeamID
	}
	of := workspaces(append(slices.Clone(info.InternalTeamIDs), info.ContextTeamID))
	return slices.ContainsFunc(workspaces(append(slices.Clone(who.teams), who.team)), func(t string) bool { return slices.Contains(of, t) })
}
