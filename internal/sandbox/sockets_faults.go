package sandbox

import (
	"time"

	"github.com/gorilla/websocket"
)

// DisconnectOne tells the oldest socket to go, as [Workspace.Disconnect] tells
// all. It reports whether there was one.
func (w *Workspace) DisconnectOne(reason string) bool {
	for _, c := range w.sockets.open() {
		if c.warned.Load() {
			continue
		}
		if reason == "warning" {
			c.warn()
		} else {
			c.goodbye(reason)
		}
		return true
	}
	return false
}

// DropOne cuts the oldest socket without a word, after what was already on its
// way to the app. It reports whether there was one.
func (w *Workspace) DropOne() bool {
	open := w.sockets.open()
	if len(open) == 0 {
		return false
	}
	c := open[0]
	w.sockets.remove(c)
	select {
	case c.out <- frame{cut: true}:
	default:
		c.end()
	}
	return true
}

// Stall makes every open socket go dead without closing, as when a router forgets a
// connection: it sends nothing more, and what the app sends is lost.
func (w *Workspace) Stall() {
	for _, c := range w.sockets.open() {
		c.stalled.Store(true)
	}
}

// StallOne is [Workspace.Stall] for the oldest socket that still speaks. It reports
// whether there was one.
func (w *Workspace) StallOne() bool {
	for _, c := range w.sockets.open() {
		if !c.stalled.Swap(true) {
			return true
		}
	}
	return false
}

// Babble sends a message that need not mean anything to the oldest socket. It
// reports whether there was one that takes it.
func (w *Workspace) Babble(message string) bool {
	open := w.sockets.open()
	return len(open) > 0 && open[0].queue("babble", frame{body: []byte(message)})
}

// handle answers the control frames of the app, unless the connection is dead: its
// pings, and its wish to close, once all that waits for it was sent.
func (c *conn) handle() {
	c.ws.SetCloseHandler(func(int, string) error {
		if c.stalled.Load() || c.closing.Swap(true) {
			return nil
		}
		c.s.remove(c)
		select {
		case c.out <- frame{last: true}:
			<-c.done
		default:
		}
		return nil
	})
	c.ws.SetPingHandler(func(data string) error {
		if !c.stalled.Load() {
			_ = c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(time.Second))
		}
		return nil
	})
}
