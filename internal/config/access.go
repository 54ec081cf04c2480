package config

import "github.com/missingkbs/missingkbs/bot/access"

// Access are the settings about who may do what. Lists are separated by commas and hold IDs, which stay the same when a
// channel or a group is renamed.
type Access struct {
	Guests         string `name:"allow-guests" env:"MISSINGKBS_ALLOW_GUESTS" default:"false" help:"Answer guests of the workspace like members (${default})."`
	AskChannels    string `name:"ask-channels" env:"MISSINGKBS_ASK_CHANNELS" unset:"everywhere" placeholder:"C…,…" help:"Answer only in these channels; by default everywhere."`
	AskGroups      string `name:"ask-groups" env:"MISSINGKBS_ASK_GROUPS" unset:"all members" placeholder:"S…,…" help:"Answer only members of these user groups; by default all members."`
	DigestChannels string `name:"digest-channels" env:"MISSINGKBS_DIGEST_CHANNELS" unset:"as for asking" placeholder:"C…,…" help:"Allow changes to digests only in these channels; by default as for asking."`
	DigestGroups   string `name:"digest-groups" env:"MISSINGKBS_DIGEST_GROUPS" unset:"as for asking" placeholder:"S…,…" help:"Allow only members of these user groups to change digests; by default as for asking."`
	AcceptGroups   string `name:"accept-groups" env:"MISSINGKBS_ACCEPT_GROUPS" unset:"as for changing digests" placeholder:"S…,…" help:"Allow only members of these user groups to accept risks; by default as for changing digests."`
	TwoPerson      string `name:"two-person" env:"MISSINGKBS_TWO_PERSON" default:"false" placeholder:"BOOL" help:"Require a second person to approve each accepted risk (${default})."`
	AdminGroups    string `name:"admin-groups" env:"MISSINGKBS_ADMIN_GROUPS" unset:"none" placeholder:"S…,…" help:"User groups whose members are administrators of the bot."`
	AdminUsers     string `name:"admin-users" env:"MISSINGKBS_ADMIN_USERS" unset:"none" placeholder:"U…,…" help:"People who are administrators of the bot."`
}

func (s Access) read(e *Errors) access.Policy {
	const (
		channel = "channel ids such as C024BE91L: in Slack, click the name of the channel; its id is at the end of the About tab"
		group   = "ids of user groups such as S0614TZR7: in Slack, open the group under Directories > User groups, and copy its id from the menu"
		user    = "member ids such as U012AB3CDE: in Slack, open the person's profile, and copy the id from its menu"
	)
	return access.Policy{
		Guests:         e.boolean("MISSINGKBS_ALLOW_GUESTS", s.Guests),
		AskChannels:    e.ids("MISSINGKBS_ASK_CHANNELS", s.AskChannels, "CG", channel),
		AskGroups:      e.ids("MISSINGKBS_ASK_GROUPS", s.AskGroups, "S", group),
		DigestChannels: e.ids("MISSINGKBS_DIGEST_CHANNELS", s.DigestChannels, "CG", channel),
		DigestGroups:   e.ids("MISSINGKBS_DIGEST_GROUPS", s.DigestGroups, "S", group),
		AcceptGroups:   e.ids("MISSINGKBS_ACCEPT_GROUPS", s.AcceptGroups, "S", group),
		AdminGroups:    e.ids("MISSINGKBS_ADMIN_GROUPS", s.AdminGroups, "S", group),
		AdminUsers:     e.ids("MISSINGKBS_ADMIN_USERS", s.AdminUsers, "UW", user),
	}
}
