// Package kpi works out how patching goes, from daily readings of what software is missing: how old missing updates
// are, how many devices have no old gap, how long it takes until nine of ten devices have an update, how this monthly
// cycle compares with earlier ones, and what is overdue. It reports what cannot be known: a day without a reading is
// not a day without change, an update that was missing before the first reading is at least that old, and an update
// that a newer one replaced was not installed. Device figures are bounds, because Defender reports how many devices
// miss an update but not which. The package is pure: it knows neither Defender nor the database, and the caller passes
// the time.
package kpi
