// Package plan works out which updates to install first: those that close most of what is open, the exploited first. What is
// open is counted in pairs of a device and a CVE that it is exposed to. Defender's least permission tells counts and not
// devices, so pairs are approximate: a row has as many as its devices times its CVEs. Rows of one OS build that fix the same
// CVE, as MSRC lists it, have these pairs in common. An update closes its own pairs and those of the updates that it contains
// ([advisory.Snapshot.Fold]). The order is greedy: each step takes what closes most of the rest. That is at least 63 % of the
// best choice of as many updates. The package knows neither Defender nor who reads the plan.
package plan
