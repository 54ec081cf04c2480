// Package risk holds accepted risks: the decision of a person to leave an update missing until a date, and what becomes
// of it. An [Acceptance] names one KB, for one software or for all. It hides nothing: pages count accepted updates
// separately and mark them. [Judge] ends it at its date, when CISA lists a CVE of the update as exploited, or when the
// number of devices has grown by a quarter. Updates are cumulative, so an acceptance carries over to a newer update
// that contains the accepted one, wherever that one was missing. The package knows neither Slack nor SQL nor Defender:
// [Store] keeps acceptances, and callers pass the rows that are missing.
package risk
