// Package manifest knows what the Slack app must have: the command, the shortcuts, the events and the bot scopes, each with
// the reason for it and the part of the bot that needs it. It writes the app's manifest from them, whole or without some
// parts. It does not call Slack and reads no settings.
package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// Command is the slash command.
const Command = "/missingkbs"

// Part is a part of the bot that works only with something of its own in the manifest, and that an operator can leave out.
type Part string

// The parts. What belongs to none of them is always in the manifest.
const (
	Home      Part = "home"
	Shortcuts Part = "shortcuts"
	Mentions  Part = "mentions"
	Messages  Part = "messages"
	Digests   Part = "digests"
	Files     Part = "files"
	Groups    Part = "groups"
)

// Parts returns all parts, in the order in which messages list them.
func Parts() []Part { return []Part{Home, Shortcuts, Mentions, Messages, Digests, Files, Groups} }

// ReadParts reads a list of parts, separated by commas.
func ReadParts(list string) ([]Part, error) {
	var parts []Part
	for name := range strings.FieldsFuncSeq(strings.ToLower(list), func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(Parts(), Part(name)) {
			return nil, fmt.Errorf("takes some of %s, separated by commas", partNames())
		}
		parts = append(parts, Part(name))
	}
	return parts, nil
}

func partNames() string {
	var names []string
	for _, p := range Parts() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// Scope is a permission of the bot token.
type Scope struct {
	Name     string
	Use      string // what the bot uses it for
	Without  string // what fails without it
	Optional bool   // the rest works without it
	Part     Part   // the part that needs it; empty for all of the bot
}

// Scopes returns the bot scopes in the order of the manifest. A call of the bot needs each of them.
func Scopes() []Scope {
	return []Scope{
		{Name: "commands", Use: "/missingkbs and the shortcuts", Without: "no one can ask questions"},
		{Name: "chat:write", Use: "digests, and messages to the people who subscribed", Without: "no digest is posted"},
		{Name: "users:read", Use: "who asks, and in which time zone", Without: "the bot cannot tell members from guests and external people, so it answers no questions"},
		{Name: "usergroups:read", Use: "the members of the groups in MISSINGKBS_…_GROUPS", Without: "no one counts as a member of those groups", Optional: true, Part: Groups},
		{Name: "channels:read", Use: "whether a public channel is shared with another organisation", Without: "nothing is posted into public channels"},
		{Name: "groups:read", Use: "the same for private channels", Without: "nothing is posted into private channels"},
		{Name: "channels:history", Use: "after a crash, whether a digest was already posted in a public channel", Without: "after a crash a digest may be posted twice", Part: Digests},
		{Name: "groups:history", Use: "the same for private channels", Without: "after a crash a digest may be posted twice in a private channel", Part: Digests},
		{Name: "files:write", Use: "the files of the CSV and XLSX buttons", Without: "these buttons say that the app may not upload files", Optional: true, Part: Files},
		{Name: "im:write", Use: "to send these files to the person who asked, as direct messages", Without: "the CSV and XLSX buttons say that the app may not upload files", Optional: true, Part: Files},
		{Name: "app_mentions:read", Use: "messages that mention the bot, and no others", Without: "the bot does not answer when it is mentioned", Optional: true, Part: Mentions},
		{Name: "im:history", Use: "what people write to the bot in its direct messages", Without: "the bot does not answer direct messages", Optional: true, Part: Messages},
	}
}

// DirectScopes returns the scopes that the manifest leaves out and that an operator may add. With them and im:history the bot
// posts digests into its conversation with one person.
func DirectScopes() []string { return []string{"im:read"} }

// ScopeNames returns the names of [Scopes].
func ScopeNames() []string {
	var names []string
	for _, s := range Scopes() {
		names = append(names, s.Name)
	}
	return names
}

// Event is something that Slack tells the app.
type Event struct {
	Name string
	Use  string // what the bot uses it for
	Part Part   // the part that needs it; empty for all of the bot

	Optional bool // the rest works without it
}

// Subscriptions returns the events that the app subscribes to, in the order of the manifest.
func Subscriptions() []Event {
	return []Event{
		{Name: "app_home_opened", Use: "to fill the Home tab; needs no scope", Part: Home},
		{Name: "app_mention", Use: "questions in plain words in a channel; needs app_mentions:read", Part: Mentions, Optional: true},
		{Name: "message.im", Use: "questions in plain words in the bot's direct messages; needs im:history", Part: Messages, Optional: true},
	}
}

// Events returns the names of [Subscriptions].
func Events() []string {
	var names []string
	for _, e := range Subscriptions() {
		names = append(names, e.Name)
	}
	return names
}

// OfMessage is the type of a shortcut in the menu of each message.
const OfMessage = "message"

// Shortcut opens something of the app from Slack's own menus. All of them belong to the part [Shortcuts].
type Shortcut struct {
	Name        string
	Type        string // global, or message for the menu of a message
	CallbackID  string
	Description string
}

// AppShortcuts returns the shortcuts in the order of the manifest.
func AppShortcuts() []Shortcut {
	return []Shortcut{
		{Name: "Look up missing KBs", Type: "global", CallbackID: "missingkbs_ask", Description: "Find software and see which updates are missing"},
		{Name: "Look up KBs in message", Type: OfMessage, CallbackID: "missingkbs_message", Description: "Find the KB numbers and CVE ids in a message and see what they are"},
	}
}

// What Slack shows of the command while people type.
const (
	CommandAbout = "Missing KBs of your software, with devices, CVEs and catalog pages"
	CommandHint  = "<software-id> | search <words> | digest | help"
)
