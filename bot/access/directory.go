package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack"
)

// lookups are the calls of Slack's Web API that tell who somebody is and what a conversation is; [slackapi.Client] has them.
type lookups interface {
	GetUserInfoContext(ctx context.Context, user string, options ...slack.GetUserInfoOption) (*slack.User, error)
	GetConversationInfoContext(ctx context.Context, in *slack.GetConversationInfoInput) (*slack.Channel, error)
	GetUserGroupMembersContext(ctx context.Context, group string, options ...slack.GetUserGroupMembersOption) ([]string, error)
	GetUsersInConversationContext(ctx context.Context, in *slack.GetUsersInConversationParameters) ([]string, string, error)
	GetUserGroupsContext(ctx context.Context, options ...slack.GetUserGroupsOption) ([]slack.UserGroup, error)
	ListTeamsContext(ctx context.Context, in slack.ListTeamsParameters) ([]slack.Team, string, error)
}

// Directory knows people, user groups and conversations of the workspace. People and groups are remembered, and asked
// for again in the background; while Slack cannot be asked, the last it said serves for an hour. Conversations are
// looked up anew each time, for what is posted stays. It decides nothing: that is the [Gate]'s. It is safe for
// concurrent use.
type Directory struct {
	slack  lookups
	people *known[person]
	groups *known[[]string] // members, by group and workspace

	// Of a whole organisation:
	added  *known[[]string] // the workspaces that the app was added to, under the empty id
	listed *known[[]string] // the user groups of a workspace
}

// NewDirectory returns the directory of the bot's workspace. Its client needs the scopes users:read, channels:read and
// groups:read; for direct messages with the bot also im:read, and for user groups usergroups:read.
func NewDirectory(api lookups) *Directory {
	d := &Directory{slack: api}
	d.people = newKnown(d.lookUpPerson, func(err error) bool {
		return slackapi.HasCode(err, "user_not_found", "user_not_visible", "users_not_found")
	})
	d.groups = newKnown(d.lookUpGroup, groupGone)
	d.added = newKnown(func(ctx context.Context, _ string) ([]string, error) { return d.Teams(ctx) }, func(error) bool { return false })
	d.listed = newKnown(d.lookUpGroupsOf, notAdded)
	return d
}

// person is what is remembered of a user.
type person struct {
	team, org string   // the workspace, and its Enterprise organisation if it is in one
	teams     []string // all workspaces of the organisation that the person is in
	zone      string   // IANA name
	deleted   bool
	bot       bool
	guest     bool // of several channels or of one
	stranger  bool // Slack says that nothing joins this user to the workspace
}

// person tells who somebody is.
func (d *Directory) person(ctx context.Context, id string) (person, error) {
	return d.people.get(ctx, id)
}

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

// inGroup reports whether somebody is in one of several user groups, in one of some workspaces; the empty id is for a token
// of one workspace. A group that cannot be read counts when no other says yes.
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
			if team == "" || !groupGone(err) && !notAdded(err) { // else it is one of another workspace
				unread = errors.Join(unread, err)
			}
		}
	}
	return false, unread
}

// elsewhere reports whether a workspace surely does not have a user group.
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

// notAdded tells the errors of workspaces of the organisation that the app was not added to.
func notAdded(err error) bool {
	return slackapi.HasCode(err, "team_access_not_granted", "team_not_found")
}

// errNoTeams says that Slack does not tell in which workspaces a person is.
var errNoTeams = errors.New("cannot tell the workspaces of the person")

// groupKey names a user group of a workspace.
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

// room looks a conversation up.
func (d *Directory) room(ctx context.Context, id string) (*slack.Channel, error) {
	info, err := d.slack.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: id})
	if err != nil {
		return nil, fmt.Errorf("look up a channel: %w", slackapi.WithoutURL(err))
	}
	return info, nil
}

const (
	// roomPage is how many members of a conversation Slack tells at once.
	roomPage = 999
	// roomPages bounds the search for a member: a conversation that has more is not read on.
	roomPages = 30
)

var errRoomTooLarge = errors.New("the channel has too many members to look for one")

// inRoom reports whether somebody is a member of a conversation now. Like conversations themselves that is not
// remembered: whoever has left is not to be told any more.
func (d *Directory) inRoom(ctx context.Context, user, room string) (bool, error) {
	in := slack.GetUsersInConversationParameters{ChannelID: room, Limit: roomPage}
	for range roomPages {
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
	return false, errRoomTooLarge
}

// Zone is the IANA name of a person's time zone, as set in Slack.
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

// groupGone tells the errors of user groups that were deleted or disabled.
func groupGone(err error) bool { return slackapi.HasCode(err, "no_such_subteam", "subteam_not_found") }
