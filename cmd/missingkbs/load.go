package main

import "github.com/missingkbs/missingkbs/bot"

// loadSettings are how much is done at once, and how much may wait for it.
type loadSettings struct {
	Workers string `name:"workers" env:"MISSINGKBS_WORKERS" default:"200" help:"Questions that are worked on at once; a quarter of them is kept from what waits for Defender (${default})."`
	Queue   string `name:"queue" env:"MISSINGKBS_QUEUE" default:"1000" help:"Questions that wait for their turn; beyond that people are told to try again (${default})."`
}

// read puts the settings into the options of the bot.
func (s loadSettings) read(m *mistakes, o *bot.Options) {
	if o.Workers = m.number("MISSINGKBS_WORKERS", s.Workers); s.Workers == "0" {
		m.add("MISSINGKBS_WORKERS", "must be a whole number, 1 or more, such as 200: without workers nothing is answered")
	}
	if o.Queue = m.number("MISSINGKBS_QUEUE", s.Queue); o.Queue == 0 {
		o.Queue = -1 // nobody waits
	}
}
