package socketmode

import (
	"encoding/json"
	"log/slog"
	"time"
)

// Options configure [New]. The zero value of each field stands for its default.
type Options struct {
	Count   int       // connections; default 2
	Health  *Health   // is told about the connections; default: none
	Dial    DialFunc  // opens network connections; default: a dialer that goes through the proxy of the environment
	Timing  Timing    // default [SlackTiming]
	Dropped func(int) // is called with the number of events that were lost; default: none
	// Rejection is the payload for commands that come when the bot no longer accepts events; default: an empty one.
	Rejection json.Marshaler
	Rejected  func(int)    // is called with the number of commands that got it; default: none
	Log       *slog.Logger // default: nothing is logged
}

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
	MinInterval     time.Duration // between two calls of apps.connections.open in good times
	MaxInterval     time.Duration // and in bad ones
	ShortLife       time.Duration // a connection that lived less than this was short-lived
	HelloTimeout    time.Duration // Slack has for its hello
	IdleTimeout     time.Duration // without a byte, after which the connection is dead
	PongTimeout     time.Duration // Slack has for answering our ping behind an acknowledgement
	WarningGrace    time.Duration // from Slack's warning until we close a connection ourselves
	DisconnectGrace time.Duration // the same from Slack's disconnect message
	Overlap         time.Duration // how long before a connection's end the next one is opened
	DeliverTimeout  time.Duration // an envelope waits for the bot to accept it
}

// SlackTiming returns the durations that suit Slack.
func SlackTiming() Timing {
	return Timing{
		MinInterval: 3 * time.Second, MaxInterval: 30 * time.Second, ShortLife: time.Minute,
		HelloTimeout: 10 * time.Second, IdleTimeout: 33 * time.Second, PongTimeout: 5 * time.Second,
		WarningGrace: 15 * time.Second, DisconnectGrace: 2 * time.Second, Overlap: time.Minute,
		DeliverTimeout: 2 * time.Second,
	}
}
