// Package advisory represents what Microsoft and CISA publish about updates and CVEs: the monthly security documents of
// the Microsoft Security Response Center (MSRC, in CVRF) and CISA's list of known exploited vulnerabilities (KEV). It
// reads, checks and fetches these feeds, and answers questions about an update from a [Snapshot] in memory. It knows
// nothing of Defender, Slack or SQL; what is not in the feeds is unknown, which is never "no".
package advisory
