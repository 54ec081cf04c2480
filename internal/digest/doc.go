// Package digest tells channels which updates are missing and what changed. It has the [Subscription] of a channel, the
// content of a digest ([Report]), and the [Scheduler] and [Worker] that make and deliver digests. Package schedule
// knows when a digest is due, package patchgap what changed between two readings. The package knows neither Defender
// nor Slack nor SQL: it reaches them through [Source], [Poster], [Queue] and the interfaces of the store.
package digest
