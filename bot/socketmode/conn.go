package socketmode

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

const (
	// writeTimeout bounds one write. A connection that does not accept a few kilobytes in that time is dead.
	writeTimeout = 2 * time.Second
	// maxEnvelope bounds one message from Slack; a click includes the whole message it was made on.
	maxEnvelope = 4 << 20
	// closeTimeout is how long Slack has to answer our close frame.
	closeTimeout = time.Second
	// writeBuffer holds any acknowledgement: Slack does not reassemble a message of several frames, and silently drops
	// it (https://github.com/slack-go/slack/issues/1196).
	writeBuffer = 32 << 10
	// maxResponse is the size from which Slack silently drops an acknowledgement.
	maxResponse = 20 << 10
)

var (
	errConnGone = errors.New("the connection that the envelope came on is gone")
	errTooLarge = fmt.Errorf("the acknowledgement has %d bytes or more, which Slack drops", maxResponse)
)

// conn is one WebSocket connection to Slack. One goroutine runs read; any may write.
type conn struct {
	socket int    // the number of the connection that it serves as, from 0
	token  string // the app-level token it was opened with
	began  time.Time
	ws     *websocket.Conn
	wire   *idleTimeoutConn
	pong   time.Duration // how long Slack has to answer our ping

	writing chan struct{} // held while a message is written; guards pinged and pingDue
	pinged  time.Time     // when the last ping behind an acknowledgement was sent
	pingDue bool          // the next one is scheduled
	hello   chan struct{} // closed when Slack has said hello
	leave   chan struct{} // closed when Slack has said that it will end the connection
	done    chan struct{} // closed by read when it returns

	mu          sync.Mutex
	greeting    socketmode.Request // the hello
	why         Reason             // why it ends; empty while it does not
	cause       error              // the error behind it, for the log
	pongs       bool               // Slack answers our pings
	pings       uint64             // sent so far
	unconfirmed []*receipt         // sent, without a pong behind them yet
	orderly     bool               // it ended with a close frame, so Slack has read what was written before
	counted     bool               // unconfirmedAcks was called
}

// newDialer returns a dialer of WebSockets as slack-go has it. The write buffers are shared, since connections are quiet most of
// the time.
func newDialer() *websocket.Dialer {
	return &websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: slackapi.Timeout,
		WriteBufferSize:  writeBuffer,
		WriteBufferPool:  &sync.Pool{},
	}
}

// newConn returns a connection on a WebSocket. The caller must run read at once.
func newConn(ws *websocket.Conn, w *idleTimeoutConn, pong time.Duration) *conn {
	l := &conn{
		began: time.Now(), ws: ws, wire: w, pong: pong,
		writing: make(chan struct{}, 1), hello: make(chan struct{}), leave: make(chan struct{}), done: make(chan struct{}),
	}
	ws.SetReadLimit(maxEnvelope)
	ws.SetPongHandler(func(ping string) error {
		l.onPong(ping)
		return nil
	})
	w.enforced.Store(true)
	return l
}

// handler receives what arrives on a connection, in the goroutine that reads it.
type handler interface {
	envelope(l *conn, r socketmode.Request)
	unreadable(l *conn, err error)
	ackPending(l *conn) // the connection is about to end; what is written now still arrives
}

// read reads until the connection ends.
func (l *conn) read(to handler) {
	defer close(l.done)
	defer l.ws.Close()
	closing := l.ws.CloseHandler()
	l.ws.SetCloseHandler(func(code int, text string) error {
		to.ackPending(l)
		return closing(code, text)
	})
	for {
		_, raw, err := l.ws.ReadMessage()
		if err != nil {
			l.fail(ending(err), err)
			return
		}
		l.receive(to, raw)
	}
}

// receive handles one message.
func (l *conn) receive(to handler, raw []byte) {
	var r socketmode.Request
	if err := json.Unmarshal(raw, &r); err != nil {
		// If one field has an unexpected type, the others are still decoded: the envelope must be acknowledged.
		if _, odd := errors.AsType[*json.UnmarshalTypeError](err); !odd || r.Type == "" && r.EnvelopeID == "" {
			to.unreadable(l, err)
			return
		}
	}
	switch r.Type {
	case socketmode.RequestTypeHello:
		l.onHello(r)
	case socketmode.RequestTypeDisconnect:
		l.onDisconnect(r)
		if l.reason() != Warned { // after a warning there are a few seconds left
			to.ackPending(l)
		}
	default:
		to.envelope(l, r)
	}
}

// ending returns the reason of a read error.
func ending(err error) Reason {
	late, ok := errors.AsType[net.Error](err) // the WebSocket library wraps it
	switch {
	case ok && late.Timeout():
		return Silent
	case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived, websocket.CloseServiceRestart):
		return Closed
	}
	return Broken
}

// onHello records Slack's hello; only the first one opens the connection.
func (l *conn) onHello(r socketmode.Request) {
	l.mu.Lock()
	first := l.greeting.Type == ""
	l.greeting = r
	l.mu.Unlock()
	if first {
		l.ping() // to learn whether Slack answers pings
		close(l.hello)
	}
}

// lifetime returns how long Slack intends to keep the connection, or 0 if its hello does not say.
func (l *conn) lifetime() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.greeting.DebugInfo.ApproximateConnectionTime) * time.Second
}

// connections returns how many connections the app has, by Slack's hello.
func (l *conn) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.greeting.NumConnections
}

// onDisconnect records that Slack will end the connection.
func (l *conn) onDisconnect(r socketmode.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.leave:
	default:
		close(l.leave)
	}
	if l.why == "" || l.why == Warned {
		l.why, l.cause = disconnectReason(r.Reason), fmt.Errorf("told to disconnect by Slack: %q", r.Reason)
	}
}

// fail closes the connection. The first reason counts.
func (l *conn) fail(why Reason, cause error) {
	l.mu.Lock()
	if l.why == "" {
		l.why, l.cause = why, cause
	}
	l.orderly = l.orderly || why == Closed
	l.mu.Unlock()
	_ = l.ws.Close()
}

// reason returns why the connection ends, or "" while it does not.
func (l *conn) reason() Reason {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// closeCause returns the error behind the reason.
func (l *conn) closeCause() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

func (l *conn) ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// isLeaving reports whether Slack has said that it will end the connection.
func (l *conn) isLeaving() bool {
	select {
	case <-l.leave:
		return true
	default:
		return false
	}
}

// close sends a close frame, and waits for what Slack sends before its own.
func (l *conn) close(why Reason) {
	l.mu.Lock()
	if l.why == "" {
		l.why = why
	}
	l.mu.Unlock()
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = l.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(closeTimeout))
	t := time.NewTimer(closeTimeout)
	defer t.Stop()
	select {
	case <-l.done:
	case <-t.C:
		_ = l.ws.Close()
		<-l.done
	}
}

// mayDial reports whether an address may be dialled: without TLS only if the Web API is without TLS too.
func mayDial(address, apiURL string) bool {
	return strings.HasPrefix(address, "wss://") || strings.HasPrefix(address, "ws://") && strings.HasPrefix(apiURL, "http://")
}
