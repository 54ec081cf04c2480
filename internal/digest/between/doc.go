// Package between reports to subscriptions between two digests: that a missing update has become exploited, or that an
// out-of-band update is missing. A [Checker] compares the missing updates with the feeds and claims what is news: the
// store records the updates and inserts the job that reports them in one transaction, so that each is reported once,
// whichever replica checks and however often. A [Teller] posts it into the thread of the subscription's last digest;
// after a crash it looks for its own message before it posts again. An update is reported again when the number of
// devices has grown by a quarter. The first check of a subscription reports nothing, because its digests cover what is
// exploited already. The package knows neither Slack nor SQL, nor where the feeds come from.
package between
