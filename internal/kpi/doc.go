// Package kpi works out how patching goes, from what software lacked on each day on which it was read: how old the missing
// updates are, which devices have no old gap, how long updates take until nine of ten devices have them, how this monthly cycle
// compares with those before, and what is overdue. It says what it cannot know: a day that was not read is no day without
// change, an update that was missing before the bot looked is at least that old, and an update that a newer one replaced was
// not installed. Figures about devices are bounds, for Defender tells how many lack an update, not which. It is pure: it knows
// neither Defender nor the database, and the time is given.
package kpi
