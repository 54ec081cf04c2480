// Package plancmd is the command plan: what to install first, and what would remain after some of it. It draws what
// package internal/plan computes and installs nothing. It knows nothing of Slack, of SQL, or of where the feeds come
// from.
package plancmd
