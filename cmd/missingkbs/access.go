package main

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/missingkbs/missingkbs/bot"
)

// accessSettings are who may do what. Lists are separated by commas; all of them hold ids, which do not change when
// somebody renames a channel or a group.
type accessSettings struct {
	Guests         string `name:"allow-guests" env:"MISSINGKBS_ALLOW_GUESTS" default:"false" help:"Whether guests of the workspace are answered like members (${default})."`
	AskChannels    string `name:"ask-channels" env:"MISSINGKBS_ASK_CHANNELS" placeholder:"C…,…" help:"Answer in these channels only."`
	AskGroups      string `name:"ask-groups" env:"MISSINGKBS_ASK_GROUPS" placeholder:"S…,…" help:"Answer members of these user groups only."`
	DigestChannels string `name:"digest-channels" env:"MISSINGKBS_DIGEST_CHANNELS" placeholder:"C…,…" help:"Let digests be changed in these channels only; default: as for asking."`
	DigestGroups   string `name:"digest-groups" env:"MISSINGKBS_DIGEST_GROUPS" placeholder:"S…,…" help:"Let members of these user groups only change digests; default: as for asking."`
	AdminGroups    string `name:"admin-groups" env:"MISSINGKBS_ADMIN_GROUPS" placeholder:"S…,…" help:"User groups whose members administer the bot."`
	AdminUsers     string `name:"admin-users" env:"MISSINGKBS_ADMIN_USERS" placeholder:"U…,…" help:"People who administer the bot."`
}

func (s accessSettings) read(m *mistakes) bot.Access {
	const (
		channel = "channel ids such as C024BE91L: in Slack, click the name of the channel; its id stands at the end of the About tab"
		group   = "ids of user groups such as S0614TZR7: in Slack, open the group under Directories > User groups, and copy its id from the menu"
		user    = "member ids such as U012AB3CDE: in Slack, open the person's profile, and copy the id from its menu"
	)
	return bot.Access{
		Guests:         m.yes("MISSINGKBS_ALLOW_GUESTS", s.Guests),
		AskChannels:    m.ids("MISSINGKBS_ASK_CHANNELS", s.AskChannels, "CG", channel),
		AskGroups:      m.ids("MISSINGKBS_ASK_GROUPS", s.AskGroups, "S", group),
		DigestChannels: m.ids("MISSINGKBS_DIGEST_CHANNELS", s.DigestChannels, "CG", channel),
		DigestGroups:   m.ids("MISSINGKBS_DIGEST_GROUPS", s.DigestGroups, "S", group),
		AdminGroups:    m.ids("MISSINGKBS_ADMIN_GROUPS", s.AdminGroups, "S", group),
		AdminUsers:     m.ids("MISSINGKBS_ADMIN_USERS", s.AdminUsers, "UW", user),
	}
}

// ids reads a list of Slack's ids, of which the first letter tells the kind.
func (m *mistakes) ids(setting, value, letters, kind string) []string {
	var ids []string
	for id := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if !slackID(id, letters) {
			m.add(setting, "takes %s; several are separated by commas", kind)
			return nil
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func slackID(id, letters string) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return len(id) >= 6 && strings.Contains(letters, id[:1]) && strings.Trim(id, alphabet) == ""
}

// yes reads a switch.
func (m *mistakes) yes(setting, value string) bool {
	on, err := strconv.ParseBool(strings.ToLower(value))
	if err != nil {
		m.add(setting, "takes true or false")
	}
	return on
}
