package commands

import "github.com/missingkbs/missingkbs/internal/digest"

// Only questions about digests and accepted risks need the database, so the second half of each page says what still
// works.
const (
	withoutDigests = "Until then the bot cannot show, change or post digests; it posts those that fall due meanwhile afterwards, marked as late. " +
		"It still answers questions about software and updates, perhaps more slowly."
	withoutChanges = "Until then the bot cannot change or post digests; it posts those that fall due meanwhile afterwards, marked as late. " +
		"It still answers questions about software and updates, perhaps more slowly."
)

// storeExplanations are the texts for database errors.
var storeExplanations = map[digest.Trouble]explanation{
	digest.TroubleAway: {
		title: "The bot's database cannot be reached",
		lead:  "As far as the bot can tell, nothing was changed. It keeps trying: ask again in a minute; if it lasts, tell the operator of this bot. " + withoutDigests,
	},
	digest.TroubleBusy: {
		title: "The bot's database is too busy",
		lead:  "It had no free connection, or another program keeps it locked. Ask again in a minute; if it lasts, tell the operator of this bot. " + withoutDigests,
	},
	digest.TroubleFull: {
		title: "The bot's database has no space left",
		lead:  "Its disk is full, so nothing was saved. Tell the operator of this bot: once there is space again, the bot continues by itself. " + withoutChanges,
	},
	digest.TroubleReadOnly: {
		title: "The bot's database is read-only",
		lead:  "The bot can read it but not write to it, so nothing was saved. Tell the operator of this bot: once it is writable again, the bot continues by itself. " + withoutChanges,
	},
	digest.TroubleDisk: {
		title: "The disk of the bot's database fails",
		lead:  "It reports errors, so the bot could not read or save what you asked for. Tell the operator of this bot, who has to check the disk. " + withoutDigests,
	},
	digest.TroubleDamaged: {
		title: "The bot's database is damaged",
		lead:  "The bot can no longer read what you asked for, and this does not pass by itself. Tell the operator of this bot, who has to restore a backup. " + withoutDigests,
	},
	digest.TroubleDenied: {
		title: "The bot's database refuses the bot",
		lead:  "Its password or its rights have changed. Tell the operator of this bot: once the database accepts it again, the bot continues by itself. " + withoutDigests,
	},
	digest.TroubleReplaced: {
		title: "The bot's database is gone",
		lead:  "Its file or its tables were removed or replaced while the bot was running. Tell the operator of this bot, who has to put them back and start it again. " + withoutDigests,
	},
}
