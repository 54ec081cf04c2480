package main

import "strconv"

// socketSettings are how many connections the bot keeps to Slack.
type socketSettings struct {
	Sockets string `name:"sockets" env:"MISSINGKBS_SOCKETS" default:"2" help:"Connections to Slack, 1 to 5 (${default})."`
}

// maxSockets leaves room for the connections that replace these, and for a second process: Slack takes ten of an app.
const maxSockets = 5

// read reads how many connections are kept.
func (s socketSettings) read(m *mistakes) int {
	n, err := strconv.Atoi(s.Sockets)
	if err != nil || n < 1 || n > maxSockets {
		m.add("MISSINGKBS_SOCKETS", "must be a whole number from 1 to %d: with 2 or more, one connection serves while Slack refreshes another", maxSockets)
	}
	return n
}
