package sandbox

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
	Kind               string // member, guest, external, bot
	Team               string
	TZ, TZLabel        string
	TZOffset           int
	Locale             string
}

// people is the cast; it does not change after the start.
type people struct {
	all    []person
	groups []usergroup
}

// usergroup is a named set of people.
type usergroup struct {
	ID, Handle, Name string
	Users            []string
}

func newPeople() *people {
	return &people{
		all: []person{
			{Alice, "alice", "Alice Andersson", "member", TeamID, "Europe/Stockholm", "Central European Time", 3600, "en-US"},
			{Bob, "bob", "Bob Brown", "member", TeamID, "America/New_York", "Eastern Standard Time", -18000, "en-US"},
			{Guest, "gil", "Gil Guest", "guest", TeamID, "Europe/London", "Greenwich Mean Time", 0, "en-GB"},
			// Slack tells no locale of people from other organisations.
			{External, "eve", "Eve Extern", "external", ExternalTeamID, "Europe/Berlin", "Central European Time", 3600, ""},
			{BotUser, BotName, "Missing KBs", "bot", TeamID, "America/Los_Angeles", "Pacific Standard Time", -28800, "en-US"},
		},
		groups: []usergroup{{Patchers, "patchers", "Patchers", []string{Alice}}},
	}
}

func (p *people) find(id string) (person, bool) {
	for _, one := range p.all {
		if one.ID == id {
			return one, true
		}
	}
	return person{}, false
}

// slack returns the user as users.info does.
func (u person) slack(locale bool) object {
	o := object{
		"id": u.ID, "team_id": u.Team, "name": u.Name, "deleted": false, "real_name": u.RealName,
		"tz": u.TZ, "tz_label": u.TZLabel, "tz_offset": u.TZOffset,
		"profile": object{"real_name": u.RealName, "display_name": u.Name, "team": u.Team},
		"is_bot":  u.Kind == "bot", "is_app_user": false,
		"is_admin": false, "is_owner": false, "is_primary_owner": false,
		"is_restricted": u.Kind == "guest", "is_ultra_restricted": false,
		"updated": 1700000000,
	}
	if u.Kind == "external" {
		o["is_stranger"] = false // shares a channel with the workspace; the team tells
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
		"id": g.ID, "team_id": TeamID, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
		"description": "", "is_external": false, "date_delete": 0, "user_count": len(g.Users),
	}
	if users {
		o["users"] = g.Users
	}
	return o
}
