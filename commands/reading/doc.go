// Package reading reads what several software ids lack, for commands that look at more than one: which software a line
// means, and its missing updates. It spends a bounded number of Defender's calls on a question, and takes the rest from what
// digests have read. It knows nothing of Slack and SQL, nor of what a command makes of the rows.
package reading
