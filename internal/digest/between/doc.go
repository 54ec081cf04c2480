// Package between is what a subscription is told between two digests: that an update which is missing here has become
// exploited, or that an out-of-band update is missing. A [Checker] compares what is known to be missing with what is published,
// and claims what is news: in one transaction the store remembers the updates and inserts the job that tells them, so that each
// is told once, whichever process checks and however often. A [Teller] posts it into the thread of the subscription's last
// digest; after a crash it looks for its own message before it posts again. An update is told again when the devices that lack
// it have grown by a quarter. The first check of a subscription tells nothing: what is exploited already is the matter of its
// digests. The package knows neither Slack nor SQL, nor where the data of MSRC and CISA comes from.
package between
