package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// ErrPolicy reports a policy that cannot work: a user group does not exist, or the app may not read groups. A retry
// does not help.
var ErrPolicy = errors.New("who may do what cannot be found out")

// Prepare reads the groups and channels of the [Policy] from Slack, so that the first questions need not wait and
// refusals contain names. Call it once, before other methods. It only returns an [ErrPolicy]; it logs temporary
// failures.
func (g *Gate) Prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, slackapi.StartTimeout)
	defer cancel()
	g.names = names{}
	groups := unique(g.policy.AskGroups, g.policy.DigestGroups, g.policy.AcceptGroups, g.policy.AdminGroups)
	if len(groups) > 0 {
		if err := g.prepareGroups(ctx, groups); err != nil {
			return err
		}
	}
	for _, id := range unique(g.policy.AskChannels, g.policy.DigestChannels) {
		switch info, err := g.directory.conversation(ctx, id); {
		case err != nil:
			g.log.WarnContext(ctx, "cannot see a channel of the access lists; if it is private, invite the bot", "channel", id, "error", err)
		case !info.IsPrivate: // the name of a private channel is for its members only
			g.names[id] = "#" + info.Name
		}
	}
	return nil
}

// prepareGroups reads the members of the policy's groups, and returns an error for groups that no workspace has.
func (g *Gate) prepareGroups(ctx context.Context, groups []string) error {
	teams := []string{""}
	if g.self.OrgWide {
		var err error
		if teams, err = g.directory.Teams(ctx); err != nil {
			g.log.WarnContext(ctx, "cannot check whether the user groups of the settings exist", "error", err)
			return nil
		}
	}
	var all []slack.UserGroup
	whole := true
	for _, team := range teams {
		of, err := g.groupsOf(ctx, team, groups)
		if errors.Is(err, ErrPolicy) {
			return err
		}
		whole = whole && err == nil
		all = append(all, of...)
	}
	if missing := UnknownGroups(all, groups); len(missing) > 0 && whole {
		return fmt.Errorf("%w: %s user group %s, or it is disabled", ErrPolicy, g.lacking(), strings.Join(missing, ", "))
	}
	return nil
}

// lacking begins the error for a missing user group.
func (g *Gate) lacking() string {
	if g.self.OrgWide {
		return "no workspace that the app was added to has a"
	}
	return "the workspace has no"
}

// groupsOf lists the user groups of a workspace, and reads the members of those that are named.
func (g *Gate) groupsOf(ctx context.Context, team string, named []string) ([]slack.UserGroup, error) {
	all, err := g.directory.slack.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionTeamID(team))
	if slackapi.HasCode(err, "missing_scope") {
		return nil, fmt.Errorf("%w: the app lacks the scope usergroups:read: take it from manifest.yaml and install the app again", ErrPolicy)
	}
	if err != nil {
		g.log.WarnContext(ctx, "cannot read user groups yet; users who need one are refused until then", "team", team, "error", slackapi.WithoutURL(err))
		return nil, err
	}
	for _, group := range all {
		if !slices.Contains(named, group.ID) {
			continue
		}
		g.names[group.ID] = "@" + group.Handle
		if _, err := g.directory.groups.get(ctx, groupKey(group.ID, team)); err != nil {
			g.log.WarnContext(ctx, "cannot read the members of a user group yet", "group", group.ID, "error", err)
		}
	}
	return all, nil
}

// UnknownGroups lists the groups that a workspace does not have, or has disabled.
func UnknownGroups(all []slack.UserGroup, groups []string) []string {
	return slices.DeleteFunc(slices.Clone(groups), func(id string) bool {
		return slices.ContainsFunc(all, func(u slack.UserGroup) bool { return u.ID == id })
	})
}

// unique concatenates lists without repeats.
func unique(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}
