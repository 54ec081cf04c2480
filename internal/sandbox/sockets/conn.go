package sockets

import (
	"bytes"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
)

// frame is a message on its way to the app.
type frame struct {
	body []byte
	last bool // the connection ends after it
	cut  bool // no message: the connection ends here, without a word
}

// Conn is one Socket Mode connection. One goroutine reads, one writes.
type Conn struct {
	s       *Server
	ws      *websocket.Conn
	frames  *scanner
	out     chan frame
	done    chan struct{}
	ending  sync.Once
	stalled atomic.Bool // dead, though open
	warned  atomic.Bool // it ends by itself soon
	closing atomic.Bool // one side has said that it closes
}

// outgoing is how many messages wait for a connection that reads slowly: the questions of a large channel at once.
const outgoing = 1024

// send queues a message; one for which there is no room is lost.
func (c *Conn) send(name string, body any) {
	c.queue(name, frame{body: protocol.Encode(body)})
}

func (c *Conn) queue(name string, f frame) bool {
	select {
	case c.out <- f:
		c.s.o.Trace.Add(trace.SocketOut, name, 0, json.RawMessage(f.body))
		return true
	case <-c.done:
		return false
	default:
		return false // the app reads nothing: for Slack that connection is as good as dead
	}
}

// end cuts the connection.
func (c *Conn) end() {
	c.ending.Do(func() {
		close(c.done)
		_ = c.ws.Close()
	})
}

func disconnectBody(reason string) map[string]any {
	return map[string]any{"type": "disconnect", "reason": reason, "debug_info": map[string]any{"host": "sandbox-1"}}
}

// refuse ends a connection that is one too many.
func (c *Conn) refuse(reason string) {
	body := protocol.Encode(disconnectBody(reason))
	c.s.o.Trace.Add(trace.SocketOut, "disconnect", 0, body)
	_ = c.ws.WriteMessage(websocket.TextMessage, body)
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = c.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
	c.end()
}

// warn announces the end of the connection, and ends it after the time of warning.
func (c *Conn) warn() {
	c.warned.Store(true)
	c.send("disconnect", disconnectBody("warning"))
	c.s.o.Spawn(func() {
		select {
		case <-time.After(c.s.o.Warning):
			c.goodbye("refresh_requested")
		case <-c.done:
		case <-c.s.o.Context.Done():
		}
	})
}

// disconnect asks the app to end the connection. After the reason "warning" it has some
// time left.
func (c *Conn) disconnect(reason string) {
	if reason == "warning" {
		c.warn()
	} else {
		c.goodbye(reason)
	}
}

// goodbye ends the connection in order.
func (c *Conn) goodbye(reason string) {
	c.s.remove(c)
	if !c.queue("disconnect", frame{body: protocol.Encode(disconnectBody(reason)), last: true}) {
		c.end()
	}
}

// write sends what is queued, pings, and refreshes the connection in its time.
func (c *Conn) write(life time.Duration) {
	ping := time.NewTicker(c.s.o.Ping)
	defer ping.Stop()
	old := time.NewTimer(max(0, life-c.s.o.Warning))
	defer old.Stop()
	defer c.end()
	for {
		select {
		case f := <-c.out:
			if f.cut {
				return
			}
			if c.stalled.Load() {
				continue
			}
			if f.body != nil && c.ws.WriteMessage(websocket.TextMessage, f.body) != nil {
				return
			}
			if f.last {
				c.farewell()
				return
			}
		case <-ping.C:
			if c.stalled.Load() {
				continue
			}
			if c.ws.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second)) != nil {
				return
			}
		case <-old.C:
			c.warn()
		case <-c.done:
			return
		}
	}
}

// farewell closes in order and gives the app a moment to answer.
func (c *Conn) farewell() {
	answer := c.closing.Swap(true)
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = c.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
	if answer {
		return
	}
	select {
	case <-c.done: // the reader has seen the answer
	case <-time.After(time.Second):
	}
}

// read takes what the app sends until the connection ends.
func (c *Conn) read() {
	defer c.end()
	for {
		_, body, err := c.ws.ReadMessage()
		if err != nil {
			return
		}
		c.receive(body, c.frames.fragmented())
	}
}

// receive takes one acknowledgement, or drops it where Slack does.
func (c *Conn) receive(body []byte, fragmented bool) {
	var ack struct {
		EnvelopeID string          `json:"envelope_id"`
		Payload    json.RawMessage `json:"payload"`
	}
	switch {
	case c.stalled.Load():
	case fragmented:
		c.s.o.Trace.Fail("acknowledgement", "came in several WebSocket frames: Slack drops it in silence", map[string]any{"bytes": len(body)})
	case len(body) >= MaxAckBytes:
		c.s.o.Trace.Fail("acknowledgement", "has 20,480 bytes or more: Slack drops it in silence", map[string]any{"bytes": len(body)})
	case json.Unmarshal(body, &ack) != nil || ack.EnvelopeID == "":
		c.s.o.Trace.Fail("acknowledgement", "is no acknowledgement", map[string]any{"body": string(body)})
	case c.s.o.Faults.Switches().DropAcks:
		c.s.o.Trace.Fail("acknowledgement", "dropped, because that fault is on", json.RawMessage(body))
	default:
		c.s.o.Trace.Add(trace.SocketIn, "acknowledgement", 0, json.RawMessage(body))
		if bytes.Equal(ack.Payload, []byte("null")) {
			ack.Payload = nil
		}
		c.s.acknowledge(ack.EnvelopeID, ack.Payload)
	}
}

// handle answers the control frames of the app, unless the connection is dead: its
// pings, and its wish to close, once all that waits for it was sent.
func (c *Conn) handle() {
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
