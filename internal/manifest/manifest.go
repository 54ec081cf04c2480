// Package manifest knows what the Slack app must have, as manifest.yaml declares it: the command, the events and the bot
// scopes, each with the reason for it. It does not read the file and does not call Slack; a test compares the two.
package manifest

// Command is the slash command.
const Command = "/missingkbs"

// Scope is a permission of the bot token.
type Scope struct {
	Name     string
	Use      string // what the bot uses it for
	Without  string // what fails without it
	Optional bool   // the rest works without it
	Groups   bool   // only needed if user groups are set
}

// Scopes returns the bot scopes of manifest.yaml, in its order. A call of the bot needs each of them.
func Scopes() []Scope {
	return []Scope{
		{Name: "commands", Use: "/missingkbs and the shortcut", Without: "no one can ask questions"},
		{Name: "chat:write", Use: "digests, and messages to the people who subscribed", Without: "no digest is posted"},
		{Name: "users:read", Use: "who asks, and in which time zone", Without: "the bot cannot tell members from guests and external people, so it answers no questions"},
		{Name: "usergroups:read", Use: "the members of the groups in MISSINGKBS_…_GROUPS", Without: "no one counts as a member of those groups", Optional: true, Groups: true},
		{Name: "channels:read", Use: "whether a public channel is shared with another organisation", Without: "nothing is posted into public channels"},
		{Name: "groups:read", Use: "the same for private channels", Without: "nothing is posted into private channels"},
		{Name: "channels:history", Use: "whether a digest is in a public channel already", Without: "after a crash a digest may be posted twice"},
		{Name: "groups:history", Use: "the same for private channels", Without: "after a crash a digest may be posted twice in a private channel"},
		{Name: "files:write", Use: "the files of the CSV and XLSX buttons", Without: "these buttons say that the app may not upload files", Optional: true},
		{Name: "im:write", Use: "to share these files in the direct messages with the person who asked", Without: "the CSV and XLSX buttons say that the app may not upload files", Optional: true},
	}
}

// DirectScopes returns the scopes that manifest.yaml leaves out and that an operator may add. With them the bot posts digests
// into its conversation with one person.
func DirectScopes() []string { return []string{"im:read", "im:history"} }

// ScopeNames returns the names of [Scopes].
func ScopeNames() []string {
	var names []string
	for _, s := range Scopes() {
		names = append(names, s.Name)
	}
	return names
}

// Events returns the events that the app subscribes to.
func Events() []string { return []string{"app_home_opened"} }
