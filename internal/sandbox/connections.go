package sandbox

import (
	"context"
)

// newConnections makes the Socket Mode side of the workspace.
func newConnections(w *Workspace) *sockets {
	return newSockets(socketOptions{
		Context: w.ctx, Enter: w.enter, Spawn: w.spawn, URL: w.socketURL, AppID: AppID,
		Changed: func(connections int) {
			w.feed.Send("connections", object{"connections": connections})
			w.rooms.nudge()
		},
		Trace: w.trace, Faults: w.faults, Issued: &w.issued,
		Ack: w.timing.ack, TicketLife: w.timing.ticket, Ping: w.timing.ping,
		Warning: w.timing.warning, Lifetime: w.timing.lifetime,
	})
}

// Connections says how many sockets the app has open.
func (w *Workspace) Connections() int { return len(w.sockets.open()) }

// WaitConnected waits until the app has at least n sockets open.
func (w *Workspace) WaitConnected(ctx context.Context, n int) error {
	return w.Wait(ctx, func() bool { return w.Connections() >= n })
}

// Disconnect tells every socket to go, with one of Slack's reasons: warning (the
// connection ends ten seconds later), refresh_requested or link_disabled (it ends
// at once).
func (w *Workspace) Disconnect(reason string) { w.sockets.disconnectAll(reason) }

// Drop cuts every socket without a word, as a broken network does.
func (w *Workspace) Drop() { w.sockets.dropAll() }

// DisconnectOne asks the oldest socket to go, as [Workspace.Disconnect] asks all. It
// returns false if there is none.
func (w *Workspace) DisconnectOne(reason string) bool { return w.sockets.disconnectOne(reason) }

// DropOne cuts the oldest socket without a word, after what is queued on it. It returns
// false if there is none.
func (w *Workspace) DropOne() bool { return w.sockets.dropOne() }

// Stall makes every open socket go dead without closing, as when a router forgets a
// connection: it sends nothing more, and what the app sends is lost.
func (w *Workspace) Stall() { w.sockets.stall() }

// StallOne is [Workspace.Stall] for the oldest socket that still works. It returns false
// if there is none.
func (w *Workspace) StallOne() bool { return w.sockets.stallOne() }

// Babble sends a message that need not mean anything on the oldest socket. It returns
// false if none takes it.
func (w *Workspace) Babble(message string) bool { return w.sockets.babble(message) }
