package socketmode

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// idleTimeoutConn is the network connection under a WebSocket. It knows when the last byte came, and fails when none has come for
// a while: Slack pings every few seconds, so a connection on which nothing arrives is dead, whatever TCP says.
type idleTimeoutConn struct {
	net.Conn
	silence time.Duration
	watched atomic.Bool // from the end of the handshake on, which has deadlines of its own
	last    atomic.Int64
}

// Read implements [net.Conn].
func (w *idleTimeoutConn) Read(p []byte) (int, error) {
	if w.watched.Load() {
		if err := w.SetReadDeadline(time.Now().Add(w.silence)); err != nil {
			return 0, err
		}
	}
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.last.Store(time.Now().UnixNano())
	}
	return n, err
}

func (w *idleTimeoutConn) lastByte() time.Time { return time.Unix(0, w.last.Load()) }

// DialFunc opens network connections; a [net.Dialer] has one.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// watchIdle returns a dial function that hands out the wire it made, too.
func watchIdle(dial DialFunc, silence time.Duration, made **idleTimeoutConn) DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w := &idleTimeoutConn{Conn: c, silence: silence}
		w.last.Store(time.Now().UnixNano())
		*made = w
		return w, nil
	}
}
