package sandbox

import (
	"cmp"
	"slices"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
)

// OrgName is the name of the organisation [OrgID].
const OrgName = "Sandbox Org"

// orgTeams returns the workspaces of the organisation.
func orgTeams() []string { return []string{TeamID, SecondTeamID} }

// inOrg reports whether the workspace is part of an organisation.
func (w *Workspace) inOrg() bool { return w.opts.Organisation || w.opts.OrgWide }

// teamOf returns the workspace in which a person acts: that of another organisation is not shown as our own.
func (w *Workspace) teamOf(u person) string {
	if w.opts.OrgWide && slices.Contains(orgTeams(), u.Team) {
		return u.Team
	}
	return TeamID
}

// installedIn returns the workspace in which the app is installed, or the organisation.
func (w *Workspace) installedIn() string {
	if w.opts.OrgWide {
		return OrgID
	}
	return TeamID
}

// enterprise adds to a payload what it says of the organisation and of the installation. See
// https://docs.slack.dev/enterprise/developing-for-enterprise-orgs.
func (w *Workspace) enterprise(payload object) {
	payload["is_enterprise_install"] = w.opts.OrgWide
	if w.inOrg() {
		payload["enterprise"] = object{"id": OrgID, "name": OrgName}
	}
	if w.opts.OrgWide {
		payload["team"] = nil
	}
}

// teamWanted refuses a call that names no workspace of the organisation where a token of the whole of it needs one. Other
// tokens need none, and what they name is not read.
func (w *Workspace) teamWanted(a protocol.Args) (team string, err error) {
	switch team = a["team_id"]; {
	case !w.opts.OrgWide:
		return TeamID, nil
	case team == "":
		return "", protocol.RefuseWith("missing_argument", object{"response_metadata": object{"messages": []string{"[ERROR] missing required field: team_id"}}})
	case !slices.Contains(orgTeams(), team):
		return "", protocol.Refuse("team_access_not_granted")
	}
	return team, nil
}

// teamsList lists the workspaces in which the app is installed: https://docs.slack.dev/reference/methods/auth.teams.list
func (w *Workspace) teamsList(a protocol.Args) (object, error) {
	teams := []object{{"id": TeamID, "name": TeamName}}
	if w.opts.OrgWide {
		teams = append(teams, object{"id": SecondTeamID, "name": TeamName + " Two"})
	}
	page, next, err := paged(teams, a, 100)
	return object{"teams": page, "response_metadata": object{"next_cursor": next}}, err
}

// JoinTeam makes a person of the organisation a member of one more of its workspaces.
func (w *Workspace) JoinTeam(user, team string) {
	p := w.people
	p.mu.Lock()
	defer p.mu.Unlock()
	p.also[user] = append(p.also[user], team)
}

// SetGroupOf is [Workspace.SetGroup] in a workspace of the organisation.
func (w *Workspace) SetGroupOf(team, id, handle string, users ...string) {
	w.SetGroup(id, handle, users...)
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	for i := range w.people.groups {
		if w.people.groups[i].ID == id {
			w.people.groups[i].Team = team
		}
	}
}

// Span puts a channel into several workspaces of the organisation.
func (w *Workspace) Span(channelID string, teams ...string) bool {
	return w.rooms.change(channelID, func(c *channel) { c.Teams = teams })
}

// spans adds to a channel what Slack tells of one that is in several workspaces.
func (c channel) spans(o object) {
	if len(c.Teams) == 0 {
		return
	}
	o["context_team_id"], o["is_shared"], o["is_org_shared"] = c.Teams[0], true, len(c.Teams) > 1
	o["internal_team_ids"], o["shared_team_ids"] = c.Teams, c.Teams
	external, _ := o["connected_team_ids"].([]string)
	o["connected_team_ids"] = append(slices.Clone(c.Teams), external...)
}

// user returns a person as users.info does.
func (w *Workspace) user(u person, locale bool) object {
	o := u.slack(locale)
	if w.inOrg() && slices.Contains(orgTeams(), u.Team) && u.Kind != "bot" {
		w.people.mu.Lock()
		teams := append([]string{u.Team}, w.people.also[u.ID]...)
		w.people.mu.Unlock()
		o["enterprise_user"] = object{"id": u.ID, "enterprise_id": OrgID, "enterprise_name": OrgName, "teams": teams}
	}
	return o
}

// in reports whether a user group is one of a workspace.
func (g usergroup) in(team string) bool { return cmp.Or(g.Team, TeamID) == team }
