package alert

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/failure"
)

// The conditions. Those of Defender are named like its kinds of failure.
const (
	Permission          = string(failure.Permission)
	Licence             = string(failure.Licence)
	Credential          = string(failure.Credential)
	Throttled           = string(failure.Throttled)
	Unavailable         = string(failure.Unavailable)
	IdentityUnavailable = "unseen_people"
	Tables              = "tables"
	Expiring            = "expiring"
	FeedsFailing        = "feeds_failing"
	FeedsStale          = "feeds_stale"
)

// The events.
const (
	DigestsPaused = "digests_paused"
	DigestsUndue  = "digests_undue"
	DigestsFailed = "digests_failed"
	ThreadsLost   = "threads_lost"
	AuditLost     = "audit_lost"
	Malformed     = "messages_malformed"
	Stopped       = "stopped"
)

// Failures returns the conditions that a good answer of Defender ends.
func Failures() []string {
	return []string{Permission, Licence, Credential, Throttled, Unavailable}
}

// Conditions returns all conditions except those of the database.
func Conditions() []Condition { return append(lasting(), events()...) }

func lasting() []Condition {
	return []Condition{
		{Name: Permission, MinDuration: time.Minute, MinCount: 3, Text: Text{
			Title: "Defender refuses this bot: a permission is missing",
			Lead: "Questions and digests fail. An administrator of the app registration in Entra adds the permission under API permissions > WindowsDefenderATP > " +
				"Application permissions, and grants admin consent. missingkbs doctor names the ones that are missing.",
			Closed: "Defender admits this bot again",
		}},
		{Name: Licence, MinDuration: time.Minute, MinCount: 3, Text: Text{
			Title:  "Defender Vulnerability Management is not available",
			Lead:   "Questions and digests fail. The tenant has no licence for it, or it is not active. Ask an administrator of Defender.",
			Closed: "Defender Vulnerability Management is available again",
		}},
		{Name: Credential, MinDuration: time.Minute, MinCount: 3, Text: Text{
			Title:  "The bot's credential for Defender is refused",
			Lead:   "Questions and digests fail. Its secret or certificate may have expired, or the app was disabled: renew it in Entra. missingkbs doctor says what Entra thinks of it.",
			Closed: "The bot's credential for Defender is accepted again",
		}},
		{Name: Throttled, MinDuration: 10 * time.Minute, MinCount: 3, Text: Text{
			Title: "Defender's quota is used up",
			Lead: "Questions are answered with what is stored, or told to wait, and digests come late. Other programs may use the same app registration; " +
				"MISSINGKBS_DEFENDER_PER_MINUTE and MISSINGKBS_DEFENDER_PER_HOUR say how much of the quota is this bot's.",
			Closed: "There is quota for Defender again",
		}},
		{Name: Unavailable, MinDuration: 15 * time.Minute, MinCount: 3, Text: Text{
			Title:  "Defender cannot be reached",
			Lead:   "Questions and digests fail. Look at Microsoft's service health, and at this machine's network, proxy and firewall.",
			Closed: "Defender can be reached again",
		}},
		{Name: IdentityUnavailable, MinDuration: 2 * time.Minute, MinCount: 3, Text: Text{
			Title: "People are refused because Slack does not say who they are",
			Lead: "missing_scope: install the app again with the scopes of manifest.yaml. group_gone: a user group of the settings was deleted or disabled; name another one, or have it enabled. " +
				"unknown: Slack does not answer, see status.slack.com; the log says what it answers instead.",
			Closed: "Slack says again who people are",
		}},
		{Name: Tables, MinCount: 1, Text: Text{
			Title:  "This workspace refuses tables or charts",
			Lead:   "Slack does not take some of its newer blocks here; the log names them. Answers and digests are drawn more simply, and nothing is missing from them. They are tried again once a day.",
			Closed: "This workspace takes tables and charts again",
		}},
		{Name: Expiring, MinCount: 1, Text: Text{
			Title:  "The bot's certificate for Defender ends within two weeks",
			Lead:   "After that questions and digests fail. Add a new certificate to the app registration in Entra and put it in the place of the old file; the program reads it again on SIGHUP.",
			Closed: "The bot has a new certificate for Defender",
		}},
		{Name: FeedsFailing, MinDuration: 7 * time.Hour, MinCount: 3, Text: Text{
			Title: "What MSRC or CISA publishes cannot be brought up to date",
			Lead: "Questions and digests go on with what was accepted before, and say of when it is. missingkbs data status says what fails: the way to the publisher, or a document that no check accepts. " +
				"Without internet set MISSINGKBS_FEEDS=off, and use missingkbs data fetch and import.",
			Closed: "What MSRC and CISA publish is up to date again",
		}},
		{Name: FeedsStale, MinDuration: time.Minute, MinCount: 1, Text: Text{
			Title: "What is stored of MSRC or CISA is old",
			Lead: "What became exploited since is not known here: CISA's list is older than a week, or MSRC's documents are older than five weeks. missingkbs data status says which. " +
				"Look at why they are not fetched, or import newer files.",
			Closed: "What is stored of MSRC and CISA is new again",
		}},
	}
}

func events() []Condition {
	return []Condition{
		{Name: DigestsPaused, Event: true, MinDuration: time.Minute, Cooldown: 10 * time.Minute, Text: Text{
			Title: "Digests were paused",
			Lead:  "Their channels refused them three times in a row: this bot is no member there, or the channel was archived or shared. Their subscribers were told. Invite the bot and resume the digest, or remove it.",
		}},
		{Name: DigestsUndue, Event: true, MinDuration: time.Minute, Cooldown: 10 * time.Minute, Text: Text{
			Title: "Digests were paused: their schedules name no time",
			Lead:  "This program cannot read when they are due; another version of it, or an edit by hand, may have written that. They stay paused until they are removed in their channels and added again.",
		}},
		{Name: DigestsFailed, Event: true, MinDuration: time.Minute, Cooldown: 10 * time.Minute, Text: Text{
			Title: "Digests were given up",
			Lead:  "They failed again and again for hours and are not tried any more; the next ones come at their time. The log says why.",
		}},
		{Name: ThreadsLost, Event: true, MinDuration: time.Minute, Cooldown: 10 * time.Minute, Text: Text{
			Title: "Threads of digests are incomplete",
			Lead: "The digests are in their channels, but Slack did not take all of the rows that belong into their threads. Their subscribers were told; digest details shows the rows. " +
				"The log says why.",
		}},
		{Name: AuditLost, Event: true, MinDuration: time.Minute, Cooldown: time.Hour, Text: Text{
			Title: "Audits were lost",
			Lead:  "The database could not take them in time. The log has the refusals, shares and changes among them; an entry audit.lost says between which times some are missing.",
		}},
		{Name: Malformed, Event: true, MinDuration: time.Minute, Cooldown: 24 * time.Hour, Text: Text{
			Title: "Slack refused messages of this bot as malformed",
			Lead:  "They were drawn more simply and arrived. This is a fault of missingkbs: please report it, with the lines of the log that begin with \"Slack refused a message as malformed\".",
		}},
		{Name: Stopped, Event: true, Cooldown: 10 * time.Minute, Text: Text{
			Title: "A process of this bot has ended",
			Lead:  "It could not go on; the end of its log says why and what to do. While no other process runs, no question is answered.",
		}},
	}
}
