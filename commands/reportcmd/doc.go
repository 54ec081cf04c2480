// Package reportcmd is the command report: how old missing updates are, what is overdue, and how this monthly cycle
// compares with earlier ones. It draws what package internal/kpi computes from the readings of digests, for a question
// or a digest. It knows nothing of Slack and SQL.
package reportcmd
