package commands

import "github.com/missingkbs/missingkbs/internal/digest"

// Every question but those about digests is answered without the database, hence the second half of each page.
const (
	withoutDigests = "Until then digests are neither shown nor changed nor posted; those that fall due meanwhile come afterwards, marked as late. " +
		"Questions about software and updates are answered all the while, perhaps more slowly."
	withoutChanges = "Until then digests cannot be changed, and none is posted; those that fall due meanwhile come afterwards, marked as late. " +
		"Questions about software and updates are answered all the while, perhaps more slowly."
)

// storeExplanations say what each trouble of the database means for those who ask.
var storeExplanations = map[digest.Trouble]explanation{
	digest.TroubleAway: {
		title: "The bot's database cannot be reached",
		lead:  "Nothing was changed, as far as can be told. The bot goes on trying by itself: ask again in a minute, and if it lasts tell whoever runs this bot. " + withoutDigests,
	},
	digest.TroubleBusy: {
		title: "The bot's database is too busy",
		lead:  "It had no connection to spare, or another program holds it locked. Ask again in a minute, and if it lasts tell whoever runs this bot. " + withoutDigests,
	},
	digest.TroubleFull: {
		title: "The bot's database has no room left",
		lead:  "The disk it lies on is full, so nothing was saved. Tell whoever runs this bot: once there is room again, the bot goes on by itself. " + withoutChanges,
	},
	digest.TroubleReadOnly: {
		title: "The bot's database takes no changes",
		lead:  "It can be read but not written, so nothing was saved. Tell whoever runs this bot: once it can be written again, the bot goes on by itself. " + withoutChanges,
	},
	digest.TroubleDisk: {
		title: "The disk of the bot's database fails",
		lead:  "It reports errors, so what was asked for could not be read or saved. Tell whoever runs this bot, who has to look at the disk. " + withoutDigests,
	},
	digest.TroubleDamaged: {
		title: "The bot's database is damaged",
		lead:  "What was asked for cannot be read any more, and that does not pass by itself. Tell whoever runs this bot, who has to restore a backup. " + withoutDigests,
	},
	digest.TroubleDenied: {
		title: "The bot's database refuses the bot",
		lead:  "Its password or its rights have changed. Tell whoever runs this bot: once the database admits it again, it goes on by itself. " + withoutDigests,
	},
	digest.TroubleReplaced: {
		title: "The bot's database is gone",
		lead:  "Its file or its tables were removed or replaced while the bot was running. Tell whoever runs this bot, who has to put them back and start it again. " + withoutDigests,
	},
}
