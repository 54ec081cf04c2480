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

// lookups has the methods of Slack's Web API that look up users, groups and conversations. [slackapi.Client] implements it.
type lookups interface {
	GetUserInfoContext(ctx context.Context, user string, options ...slack.GetUserInfoOption) (*slack.User, error)
	GetConversationInfoContext(ctx context.Context, in *slack.GetConversationInfoInput) (*slack.Channel, error)
	GetUserGroupMembersContext(ctx context.Context, group string, options ...slack.GetUserGroupMembersOption) ([]string, error)
	GetUsersInConversationContext(ctx context.Context, in *slack.GetUsersInConversationParameters) ([]string, string, error)
	GetUserGroupsContext(ctx context.Context, options ...slack.GetUserGroupsOption) ([]slack.UserGroup, error)
	ListTeamsContext(ctx context.Context, in slack.ListTeamsParameters) ([]slack.Team, string, error)
}

// Directory looks up people, user groups and conversations of the workspace. It caches people and groups for minutes,
// and for an hour while Slack cannot be asked. It looks up conversations each time, because what is posted cannot be
// taken back. It decides nothing; the [Gate] does. It is safe for concurrent use.
type Directory struct {
	slack  lookups
	people *directoryCache[person]
	groups *directoryCache[[]string] // members, by group and workspace

	// For an app installed in a whole organisation:
	added  *directoryCache[[]string] // workspaces that the app was added to, under the empty ID
	listed *directoryCache[[]string] // user groups of a workspace
}

// NewDirectory returns the directory of the bot's workspace. Its client needs the scopes users:read, channels:read and
// groups:read; for direct messages with the bot also im:read, and for user groups usergroups:read.
func NewDirectory(api lookups) *Directory {
	d := &Directory{slack: api}
	d.people = newDirectoryCache(d.lookUpPerson, func(err error) bool {
		return slackapi.HasCode(err, "user_not_found", "user_not_visible", "users_not_found")
	})
	d.groups = newDirectoryCache(d.lookUpGroup, groupGone)
	d.added = newDirectoryCache(func(ctx context.Context, _ string) ([]string, error) { return d.Teams(ctx) }, func(error) bool { return false })
	d.listed = newDirectoryCache(d.lookUpGroupsOf, notAdded)
	return d
}

// person is what is cached about a user.
type person struct {
	team, org string   // the workspace, and its Enterprise organisation if there is one
	teams     []string // all workspaces of the organisation that the person is in
	zone      string   // IANA name
	deleted   bool
	bot       bool
	guest     bool // single-channel or multi-channel guest
	stranger  bool // Slack says that the user has no relation to the workspace
}

// person looks up a user.
func (d *Directory) person(ctx context.Context, id string) (person, error) {
	return d.people.get(ctx, id)
}

// lookUpPerson asks Slack about a user.
func (d *Directory) lookUpPerson(ctx context.Context, id string) (person, error) {
	u, err := d.slack.GetUserInfoContext(ctx, id)
	if err != nil {
		return person{}, fmt.Errorf("look up a user: %w", slackapi.WithoutURL(err))
	}
	return person{
		team: u.TeamID, org: u.Enterprise.EnterpriseID, teams: u.Enterprise.Teams, zone: u.TZ, deleted: u.Deleted, bot: u.IsBot || u.IsWorkflowBot || u.IsConnectorBot,
		guest: u.IsRestricted || u.IsUltraRestricted, stranger: u.IsStranger,
	}, nil
}

// inGroup reports whether a user is in one of some user groups of some workspaces. The empty workspace id stands for the one
// workspace of a token. If the user is in none, it returns the errors of groups that could not be read.
func (d *Directory) inGroup(ctx context.Context, user string, teams, groups []string) (bool, error) {
	var unread error
	for _, g := range groups {
		for _, team := range teams {
			if team != "" && d.elsewhere(ctx, g, team) {
				continue
			}
			members, err := d.groups.get(ctx, groupKey(g, team))
			if _, in := slices.BinarySearch(members, user); err == nil && in {
				return true, nil
			}
			if team == "" || !groupGone(err) && !notAdded(err) { // otherwise the group belongs to another workspace
				unread = errors.Join(unread, err)
			}
		}
	}
	return false, unread
}

// elsewhere reports whether a workspace is known not to have a user group.
func (d *Directory) elsewhere(ctx context.Context, group, team string) bool {
	has, err := d.listed.get(ctx, team)
	return err == nil && !slices.Contains(has, group) || notAdded(err)
}

// lookUpGroupsOf lists the user groups of a workspace.
func (d *Directory) lookUpGroupsOf(ctx context.Context, team string) ([]string, error) {
	all, err := d.slack.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionTeamID(team))
	if err != nil {
		return nil, fmt.Errorf("list the user groups of workspace %s: %w", team, slackapi.WithoutURL(err))
	}
	ids := make([]string, len(all))
	for i, g := range all {
		ids[i] = g.ID
	}
	return ids, nil
}

// notAdded reports whether an error says that the app was not added to a workspace of the organisation.
func notAdded(err error) bool {
	return slackapi.HasCode(err, "team_access_not_granted", "team_not_found")
}

// errNoTeams is returned if Slack does not say which workspaces a user is in.
var errNoTeams = errors.New("cannot tell the workspaces of the person")

// groupKey returns the cache key of a user group of a workspace.
func groupKey(group, team string) string { return group + " " + team }

// lookUpGroup reads the members of a user group, sorted.
func (d *Directory) lookUpGroup(ctx context.Context, key string) ([]string, error) {
	id, team, _ := strings.Cut(key, " ")
	members, err := d.slack.GetUserGroupMembersContext(ctx, id, slack.GetUserGroupMembersOptionTeamID(team))
	if err != nil {
		return nil, fmt.Errorf("read the members of user group %s: %w", id, slackapi.WithoutURL(err))
	}
	slices.Sort(members)
	return members, nil
}

// conversation looks up a conversation.
func (d *Directory) conversation(ctx context.Context, id string) (*slack.Channel, error) {
	info, err := d.slack.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return nil, fmt.Errorf("look up a channel: %w", slackapi.WithoutURL(err))
	}
	return info, nil
}

const (
	// memberPage is how many members of a conversation Slack returns at once.
	memberPage = 999
	// memberPages bounds the search for a member.
	memberPages = 30
)

var errTooManyMembers = errors.New("the channel has too many members to look for one")

// isMember reports whether a user is a member of a conversation now. It is not cached: a user who has left must not read on.
func (d *Directory) isMember(ctx context.Context, user, channel string) (bool, error) {
	in := slack.GetUsersInConversationParameters{ChannelID: channel, Limit: memberPage}
	for range memberPages {
		members, next, err := d.slack.GetUsersInConversationContext(ctx, &in)
		switch {
		case err != nil:
			return false, fmt.Errorf("read the members of a channel: %w", slackapi.WithoutURL(err))
		case slices.Contains(members, user):
			return true, nil
		case next == "":
			return false, nil
		}
		in.Cursor = next
	}
	return false, errTooManyMembers
}

// Zone returns the IANA name of a user's time zone, as set in Slack.
func (d *Directory) Zone(ctx context.Context, user string) (string, error) {
	who, err := d.person(ctx, user)
	if err != nil {
		return "", err
	}
	if who.zone == "" {
		return "", errors.New("no time zone is set for this person")
	}
	return who.zone, nil
}

// groupGone reports whether an error says that a user group was deleted or disabled.
func groupGone(err error) bool { return slackapi.HasCode(err, "no_such_subteam", "subteam_not_found") }
