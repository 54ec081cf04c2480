package sandbox

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// The workspace's fixed cast. Ids have Slack's form, so that code which looks at
// their first letter works.
const (
	TeamID         = "T0SANDBOX"
	TeamName       = "Sandbox"
	TeamDomain     = "sandbox"
	ExternalTeamID = "T0OTHER01" // the organisation of External
	AppID          = "A0SANDBOX"
	BotID          = "B0BOT0001" // the bot as an integration
	BotUser        = "U0BOT0001" // the bot as a user
	BotName        = "missingkbs"

	Alice    = "U0ALICE01" // member, Europe/Stockholm
	Bob      = "U0BOB0001" // member, America/New_York
	Guest    = "U0GUEST01" // Gil, a guest (is_restricted)
	External = "U0EXTERN1" // Eve, of another organisation, met in SharedChannel

	General        = "C0GENERAL" // #general
	Patching       = "C0PATCHES" // #patching
	SharedChannel  = "C0SHARED1" // #vendor-bridge, shared with another organisation
	PrivateChannel = "G0PRIVATE" // #secops, where the bot is not a member
	AliceDM        = "D0ALICE01" // Alice's conversation with the bot

	Patchers = "S0PATCHERS" // user group @patchers: Alice
)

// person is a user as users.info tells of one.
type person struct {
	ID, Name, RealName string
	Kind               string // one of the kinds of people, or bot
	Team               string
	TZ, TZLabel        string
	TZOffset           int
	Locale             string
}

// The kinds of people, for [Workspace.Admit].
const (
	Member       = "member"
	MultiGuest   = "guest"
	SingleGuest  = "single-channel guest"
	Deactivated  = "deactivated"
	Colleague    = "colleague" // of another workspace of the organisation [OrgID]
	Outsider     = "external"  // of another organisation, met in a shared channel
	Stranger     = "stranger"  // of another organisation, met nowhere
	OtherBot     = "bot"
	OrgID        = "E0SANDBOX" // what [Options.Organisation] makes the workspace a part of
	SecondTeamID = "T0SANDBX2" // the workspace of a Colleague
)

// people holds all users.
type people struct {
	mu     sync.Mutex
	cast   []person
	also   map[string][]string // further workspaces of a person
	groups []usergroup
}

// Admit gives a user a kind, as an administrator of the workspace would, and adds the user to channels. It makes a user who
// does not exist yet.
func (w *Workspace) Admit(id, kind string, channels ...string) {
	w.people.admit(id, kind)
	for _, c := range channels {
		w.Invite(c, id)
	}
	w.rooms.nudge()
}

func (p *people) admit(id, kind string) {
	team := TeamID
	switch kind {
	case Outsider, Stranger:
		team = ExternalTeamID
	case Colleague:
		team = SecondTeamID
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.cast, func(u person) bool { return u.ID == id }); i >= 0 {
		p.cast[i].Kind, p.cast[i].Team = kind, team
		return
	}
	name := strings.ToLower(id)
	p.cast = append(p.cast, person{id, name, name, kind, team, "Europe/Stockholm", "Central European Time", 3600, "en-US"})
}

// SetGroup makes people the members of a user group, which need not be there yet.
func (w *Workspace) SetGroup(id, handle string, users ...string) {
	p := w.people
	p.mu.Lock()
	defer p.mu.Unlock()
	p.groups = slices.DeleteFunc(slices.Clone(p.groups), func(g usergroup) bool { return g.ID == id })
	p.groups = append(p.groups, usergroup{ID: id, Handle: handle, Name: handle, Users: slices.Clone(users)})
}

// all returns the current users.
func (p *people) all() []person {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.cast)
}

// allGroups returns the current user groups.
func (p *people) allGroups() []usergroup {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.groups)
}

// usergroup is a named set of people.
type usergroup struct {
	ID, Handle, Name string
	Users            []string
	Team             string // empty for TeamID
}

func newPeople() *people {
	return &people{
		also: map[string][]string{},
		cast: []person{
			{Alice, "alice", "Alice Andersson", "member", TeamID, "Europe/Stockholm", "Central European Time", 3600, "en-US"},
			{Bob, "bob", "Bob Brown", "member", TeamID, "America/New_York", "Eastern Standard Time", -18000, "en-US"},
			{Guest, "gil", "Gil Guest", "guest", TeamID, "Europe/London", "Greenwich Mean Time", 0, "en-GB"},
			// Slack returns no locale for people from other organisations.
			{External, "eve", "Eve Extern", "external", ExternalTeamID, "Europe/Berlin", "Central European Time", 3600, ""},
			{BotUser, BotName, "Missing KBs", "bot", TeamID, "America/Los_Angeles", "Pacific Standard Time", -28800, "en-US"},
		},
		groups: []usergroup{{ID: Patchers, Handle: "patchers", Name: "Patchers", Users: []string{Alice}}},
	}
}

func (p *people) find(id string) (person, bool) {
	for _, one := range p.all() {
		if one.ID == id {
			return one, true
		}
	}
	return person{}, false
}

// slack returns the user as users.info does.
func (u person) slack(locale bool) object {
	o := object{
		"id": u.ID, "team_id": u.Team, "name": u.Name, "deleted": u.Kind == Deactivated, "real_name": u.RealName,
		"tz": u.TZ, "tz_label": u.TZLabel, "tz_offset": u.TZOffset,
		"profile": object{"real_name": u.RealName, "display_name": u.Name, "team": u.Team},
		"is_bot":  u.Kind == "bot", "is_app_user": false,
		"is_admin": false, "is_owner": false, "is_primary_owner": false,
		// Slack sets both flags for a guest of one channel.
		"is_restricted": u.Kind == MultiGuest || u.Kind == SingleGuest, "is_ultra_restricted": u.Kind == SingleGuest,
		"updated": 1700000000,
	}
	switch u.Kind {
	case Outsider:
		o["is_stranger"] = false // shares a channel with the workspace; the team tells
	case Stranger:
		o["is_stranger"] = true
	case Colleague:
		o["enterprise_user"] = object{"id": u.ID, "enterprise_id": OrgID, "enterprise_name": OrgName, "teams": []string{SecondTeamID}}
	}
	if locale && u.Locale != "" {
		o["locale"] = u.Locale
	}
	if u.Kind == "bot" {
		o["profile"].(object)["api_app_id"], o["profile"].(object)["bot_id"] = AppID, BotID
	}
	return o
}

func (g usergroup) slack(users bool) object {
	o := object{
		"id": g.ID, "team_id": cmp.Or(g.Team, TeamID), "is_usergroup": true, "name": g.Name, "handle": g.Handle,
		"description": "", "is_external": false, "date_delete": 0, "user_count": len(g.Users),
	}
	if users {
		o["users"] = g.Users
	}
	return o
}
