package socketmode

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// idleTimeoutConn is the network connection under a WebSocket. It records when the last byte arrived, and fails to read
// if none arrives for a while: Slack pings every few seconds, so a silent connection is dead, whatever TCP says.
type idleTimeoutConn struct {
	net.Conn
	silence  time.Duration
	enforced atomic.Bool // set after the handshake, which has its own deadlines
	last     atomic.Int64
	armed    atomic.Bool // a read deadline is set
}

// Read implements [net.Conn]. It does not move the deadline on each read, but only once it expires too early.
func (w *idleTimeoutConn) Read(p []byte) (int, error) {
	began := time.Now()
	for {
		if w.enforced.Load() && !w.armed.Swap(true) {
			if err := w.SetReadDeadline(began.Add(w.silence)); err != nil {
				return 0, err
			}
		}
		n, err := w.Conn.Read(p)
		if n > 0 {
			w.last.Store(time.Now().UnixNano())
		}
		if n > 0 || !w.armed.Load() || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) >= w.silence {
			return n, err
		}
		w.armed.Store(false)
	}
}

func (w *idleTimeoutConn) lastByte() time.Time { return time.Unix(0, w.last.Load()) }

// DialFunc opens network connections, as the method of a [net.Dialer] does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// withIdleTimeout returns a dial function that stores the connection it made in made.
func withIdleTimeout(dial DialFunc, silence time.Duration, made **idleTimeoutConn) DialFunc {
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
