package socketmode

import (
	"encoding/json"
	"log/slog"
	"time"
)

// Options configure [New]. The zero value of each field stands for its default.
type Options struct {
	Count   int       // connections; default 2
	Health  *Health   // updated by the connections; default: a private one
	Dial    DialFunc  // opens network connections; default: a dialer that goes through the proxy of the environment
	Timing  Timing    // default [SlackTiming]
	Dropped func(int) // called with the number of lost events; default: none
	// Rejection is the payload for commands that arrive when the bot no longer accepts events; default: an empty one.
	Rejection json.Marshaler
	Rejected  func(int)    // called with the number of commands that got it; default: none
	Log       *slog.Logger // default: discarded
}

// withDefaults fills in the defaults.
func (o Options) withDefaults() Options {
	if o.Count == 0 {
		o.Count = 2
	}
	if o.Health == nil {
		o.Health = NewHealth()
	}
	if o.Timing == (Timing{}) {
		o.Timing = SlackTiming()
	}
	if o.Dropped == nil {
		o.Dropped = func(int) {}
	}
	if o.Rejected == nil {
		o.Rejected = func(int) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// AckTimeout bounds handing an acknowledgement to a connection. Slack waits three seconds in all.
const AckTimeout = 2 * time.Second

// Timing holds the durations that govern connections; tests shorten them.
type Timing struct {
	MinInterval     time.Duration // between two calls of apps.connections.open
	MaxInterval     time.Duration // the same after repeated failures
	ShortLife       time.Duration // a connection that lived less than this was short-lived
	HelloTimeout    time.Duration // for Slack's hello
	IdleTimeout     time.Duration // without a byte, until the connection counts as dead
	PongTimeout     time.Duration // for Slack's answer to our ping after an acknowledgement
	WarningGrace    time.Duration // from Slack's warning until we close a connection ourselves
	DisconnectGrace time.Duration // from Slack's disconnect message until we close it
	Overlap         time.Duration // how long before a connection's end the next one is opened
	DeliverTimeout  time.Duration // for the bot to accept an envelope
}

// SlackTiming returns the durations for Slack.
func SlackTiming() Timing {
	return Timing{
		MinInterval: 3 * time.Second, MaxInterval: 30 * time.Second, ShortLife: time.Minute,
		HelloTimeout: 10 * time.Second, IdleTimeout: 33 * time.Second, PongTimeout: 5 * time.Second,
		WarningGrace: 15 * time.Second, DisconnectGrace: 2 * time.Second, Overlap: time.Minute,
		DeliverTimeout: 2 * time.Second,
	}
}
