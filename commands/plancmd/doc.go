// Package plancmd is the command plan: what to install first, and what would remain after some of it. It draws what package
// internal/plan works out; it installs nothing. It knows nothing of Slack, SQL and where the feeds come from.
package plancmd
