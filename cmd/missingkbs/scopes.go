package main

// scope is a permission of the bot token in Slack.
type scope struct {
	name     string
	what     string // what it is for
	without  string // what does not work without it
	optional bool   // needed only where user groups are set
}

// scopes are the bot scopes of manifest.yaml, in its order; a test keeps the two alike. Each is there because a call of
// the bot needs it.
func scopes() []scope {
	return []scope{
		{name: "commands", what: "/missingkbs and the shortcut", without: "nobody can ask"},
		{name: "chat:write", what: "digests and messages to whoever subscribed", without: "no digest is posted"},
		{name: "users:read", what: "who asks, and in which time zone", without: "members cannot be told from guests and strangers, so nobody is answered"},
		{name: "usergroups:read", what: "the members of the groups in MISSINGKBS_…_GROUPS", without: "nobody passes for a member of those groups", optional: true},
		{name: "channels:read", what: "whether a public channel is shared with another organisation", without: "nothing is posted into public channels"},
		{name: "groups:read", what: "the same for private channels", without: "nothing is posted into private channels"},
		{name: "channels:history", what: "whether a digest is in a public channel already", without: "after a crash a digest may be posted twice"},
		{name: "groups:history", what: "the same for private channels", without: "after a crash a digest may be posted twice in a private channel"},
	}
}

// directScopes are those that manifest.yaml leaves out and that an operator may add: with them digests go into the bot's
// own conversation with a person.
func directScopes() []string { return []string{"im:read", "im:history"} }

// scopeNames are the names of the scopes of manifest.yaml.
func scopeNames() []string {
	var names []string
	for _, s := range scopes() {
		names = append(names, s.name)
	}
	return names
}

// botEvents are the events that the app subscribes to, as in manifest.yaml.
func botEvents() []string { return []string{"app_home_opened"} }
