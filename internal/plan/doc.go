// Package plan works out which updates to install first: those that close most of what is open, exploited
// vulnerabilities first. What is open is counted in pairs of a device and a CVE that it is exposed to. With its least
// permission Defender reports counts and no devices, so pairs are approximate: a row has devices times CVEs of them,
// and rows of one OS build that fix the same CVE, as MSRC lists it, share them. An update closes its own pairs and
// those of the updates that it contains ([advisory.Snapshot.Fold]). The order is greedy: each step takes the update
// that closes most of the rest, which is at least 63 % of the best choice of as many updates. The package knows neither
// Defender nor who reads the plan.
package plan
