package slacktest

import (
	"context"
	"errors"
	"strings"

	"github.com/slack-go/slack"
)

// Directory is a Slack with some people and channels, and no user groups.
type Directory struct{}

// GetConversationInfoContext knows three channels.
func (Directory) GetConversationInfoContext(_ context.Context, in *slack.GetConversationInfoInput) (*slack.Channel, error) {
	c := &slack.Channel{}
	switch in.ChannelID {
	case "C0OWN":
	case "C0SHARED":
		c.IsExtShared = true
	case "C0PENDING":
		c.IsPendingExtShared = true
	default:
		return nil, slack.SlackErrorResponse{Err: "channel_not_found"}
	}
	return c, nil
}

// GetUserInfoContext knows people whose ID says where they are from: U1 and U2 are in the workspace, UORG is in another
// one of the same organisation, U9 is in another organisation.
func (Directory) GetUserInfoContext(_ context.Context, id string, _ ...slack.GetUserInfoOption) (*slack.User, error) {
	switch {
	case id == "UORG":
		return &slack.User{TeamID: "T2", Enterprise: slack.EnterpriseUser{EnterpriseID: "E1"}}, nil
	case id == "U9":
		return &slack.User{TeamID: "T9", Enterprise: slack.EnterpriseUser{EnterpriseID: "E9"}}, nil
	case strings.HasPrefix(id, "U"):
		return &slack.User{TeamID: "T1", TZ: "Europe/Stockholm"}, nil
	}
	return nil, slack.SlackErrorResponse{Err: "user_not_found"}
}

// GetUserGroupMembersContext knows no user group.
func (Directory) GetUserGroupMembersContext(context.Context, string, ...slack.GetUserGroupMembersOption) ([]string, error) {
	return nil, slack.SlackErrorResponse{Err: "no_such_subteam"}
}

// GetUsersInConversationContext shows no members.
func (Directory) GetUsersInConversationContext(context.Context, *slack.GetUsersInConversationParameters) ([]string, string, error) {
	return nil, "", slack.SlackErrorResponse{Err: "channel_not_found"}
}

// ListTeamsContext knows one workspace.
func (Directory) ListTeamsContext(context.Context, slack.ListTeamsParameters) ([]slack.Team, string, error) {
	return []slack.Team{{ID: "T1"}}, "", nil
}

// GetUserGroupsContext lists no user group.
func (Directory) GetUserGroupsContext(context.Context, ...slack.GetUserGroupsOption) ([]slack.UserGroup, error) {
	return nil, nil
}

// Person is a person as Slack describes it, and the team that envelopes name.
type Person struct {
	Is   slack.User
	Err  error
	Team string
}

// People are the people of a [Crowd], by user id.
var People = map[string]Person{
	"UMEMBER":   {Is: slack.User{TeamID: "T1"}, Team: "T1"},
	"UGUEST":    {Is: slack.User{TeamID: "T1", IsRestricted: true}, Team: "T1"},
	"USINGLE":   {Is: slack.User{TeamID: "T1", IsRestricted: true, IsUltraRestricted: true}, Team: "T1"},
	"UBOT":      {Is: slack.User{TeamID: "T1", IsBot: true}, Team: "T1"},
	"UWORKFLOW": {Is: slack.User{TeamID: "T1", IsWorkflowBot: true}, Team: "T1"},
	"ULEFT":     {Is: slack.User{TeamID: "T1", Deleted: true}, Team: "T1"},
	"USTRANGER": {Is: slack.User{TeamID: "T1", IsStranger: true}, Team: "T1"},
	"UEXTERNAL": {Is: slack.User{TeamID: "T9", Enterprise: slack.EnterpriseUser{EnterpriseID: "E9"}}, Team: "T9"},
	"UFORGED":   {Is: slack.User{TeamID: "T9"}, Team: "T1"}, // the envelope names our workspace
	"UNOBODY":   {Err: slack.SlackErrorResponse{Err: "user_not_found"}, Team: "T1"},
	"USISTER":   {Is: slack.User{TeamID: "T2", Enterprise: slack.EnterpriseUser{EnterpriseID: "E1"}}, Team: "T2"},
	"UASKER":    {Is: slack.User{TeamID: "T1"}, Team: "T1"}, // in group S0ASK
	"UDIGESTER": {Is: slack.User{TeamID: "T1"}, Team: "T1"}, // in group S0DIGEST
	"UADMIN":    {Is: slack.User{TeamID: "T1"}, Team: "T1"}, // in group S0ADMIN
	"UCHIEF":    {Is: slack.User{TeamID: "T1"}, Team: "T1"}, // named
	"UGUESTADM": {Is: slack.User{TeamID: "T1", IsRestricted: true}, Team: "T1"},
	"UUNSEEN":   {Err: errors.New("connection refused"), Team: "T1"},
}

// Crowd is a [Directory] of [People], some of whom are in user groups.
type Crowd struct {
	Directory

	GroupsDown bool // user groups cannot be read
}

// GetUserInfoContext looks up one of [People].
func (c Crowd) GetUserInfoContext(_ context.Context, id string, _ ...slack.GetUserInfoOption) (*slack.User, error) {
	who := People[id]
	if who.Err != nil {
		return nil, who.Err
	}
	return &who.Is, nil
}

// GetUserGroupMembersContext returns the members of S0ASK, S0DIGEST and S0ADMIN.
func (c Crowd) GetUserGroupMembersContext(_ context.Context, id string, _ ...slack.GetUserGroupMembersOption) ([]string, error) {
	if c.GroupsDown {
		return nil, errors.New("connection refused")
	}
	return map[string][]string{
		"S0ASK": {"UASKER"}, "S0DIGEST": {"UDIGESTER"}, "S0ADMIN": {"UADMIN", "UGUESTADM", "UEXTERNAL"},
	}[id], nil
}

// Conversation is a [Directory] with one conversation under every ID.
type Conversation struct {
	Directory

	Info slack.Channel
}

// GetConversationInfoContext implements the method of slack-go.
func (c Conversation) GetConversationInfoContext(context.Context, *slack.GetConversationInfoInput) (*slack.Channel, error) {
	return &c.Info, nil
}
