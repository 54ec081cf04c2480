// Package risk has accepted risks: the decision of a person to leave an update missing until a date, and what becomes of it. An
// [Acceptance] names one KB, for one software or for all. It never hides anything: pages count accepted updates apart and mark
// them. It ends by itself at its date, when CISA lists a CVE of the update as exploited, or when the devices that lack the
// update have grown by a quarter; [Judge] decides that. Updates are cumulative, so an acceptance follows to the newer update
// that contains the accepted one, where that was missing. The package knows neither Slack nor SQL nor Defender: [Store] keeps
// acceptances, and callers bring the rows that are missing.
package risk
