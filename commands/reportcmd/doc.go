// Package reportcmd is the command report: how old missing updates are, what is overdue, and how this monthly cycle goes beside
// those before. It draws what package internal/kpi works out of what digests have read, for a question and for a digest. It
// knows nothing of Slack and SQL.
package reportcmd
