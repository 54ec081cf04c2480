// Package reading reads the missing updates of several software ids, for commands that cover more than one: it resolves
// which software a line means, and reads its missing updates. It spends a bounded number of Defender calls on a
// question and takes the rest from what digests have read. It knows nothing of Slack and SQL, nor of what a command
// does with the rows.
package reading
