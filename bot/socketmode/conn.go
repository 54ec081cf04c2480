package socketmode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack/socketmode"
)

const (
	// writeTimeout bounds one write. A connection that does not take a few kilobytes in that time is dead.
	writeTimeout = 2 * time.Second
	// maxEnvelope bounds one message from Slack; a click brings the whole message it was made on.
	maxEnvelope = 4 << 20
	// closeTimeout is how long Slack has for answering our close frame.
	closeTimeout = time.Second
	// writeBuffer holds any acknowledgement: Slack does not put together a message of several frames, and drops it in
	// silence (https://github.com/slack-go/slack/issues/1196).
	writeBuffer = 32 << 10
	// maxResponse is the size of an acknowledgement from which on Slack drops it in silence.
	maxResponse = 20 << 10
)

var (
	errConnGone = errors.New("the connection that the envelope came on is gone")
	errTooLarge = fmt.Errorf("the acknowledgement has %d bytes or more, which Slack drops", maxResponse)
)

// conn is one WebSocket connection to Slack. One goroutine reads (read), any may write.
type conn struct {
	socket int    // which of the bot's sockets it belongs to, from 0 on
	token  string // the app-level token it was opened with
	began  time.Time
	ws     *websocket.Conn
	wire   *idleTimeoutConn
	pong   time.Duration // how long Slack has for answering a ping of ours

	writing chan struct{} // held while a message is written
	hello   chan struct{} // closed when Slack has said hello
	leave   chan struct{} // closed when Slack has said that it will end the connection
	done    chan struct{} // closed at the end, by read

	mu          sync.Mutex
	greeting    socketmode.Request // the hello
	why         Reason             // why it ends; empty while nobody knows
	cause       error              // the same in more words, for the log
	pongs       bool               // Slack answers pings of ours
	pings       uint64             // sent so far
	unconfirmed []*receipt         // who knows whether Slack has them
	orderly     bool               // it ended with a close frame: Slack has read what was written before
	counted     bool               // the unsure ones were taken by lost
}

// receipt is an acknowledgement that is not known to have arrived: the answer to the ping that was sent behind it will
// say so.
type receipt struct {
	ping    uint64
	ack     *socketmode.Response
	written bool
}

// dialer dials WebSockets as slack-go does, and for the same reasons. The buffers for writing are shared: connections
// are quiet most of the time.
func newDialer() *websocket.Dialer {
	return &websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: slackapi.Timeout,
		WriteBufferSize:  writeBuffer,
		WriteBufferPool:  &sync.Pool{},
	}
}

// newConn takes over a connection. It is to be read at once.
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
	w.watched.Store(true)
	return l
}

// reader is told what comes on a link, in the goroutine that reads it.
type reader interface {
	envelope(l *conn, r socketmode.Request)
	unreadable(l *conn, err error)
	ackPending(l *conn) // before the connection is closed for reading; what is written now still gets through
}

// read reads until the connection ends.
func (l *conn) read(to reader) {
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
func (l *conn) receive(to reader, raw []byte) {
	var r socketmode.Request
	if err := json.Unmarshal(raw, &r); err != nil {
		// A field of another kind than expected leaves the others to be read: the envelope must be acknowledged.
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
		if l.reason() != Warned { // after a warning there are seconds left
			to.ackPending(l)
		}
	default:
		to.envelope(l, r)
	}
}

// ending is the reason of an error while reading.
func ending(err error) Reason {
	late, ok := errors.AsType[net.Error](err) // the WebSocket library hides which
	switch {
	case ok && late.Timeout():
		return Silent
	case websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived, websocket.CloseServiceRestart):
		return Closed
	}
	return Broken
}

func (l *conn) onHello(r socketmode.Request) {
	l.mu.Lock()
	first := l.greeting.Type == ""
	l.greeting = r
	l.mu.Unlock()
	if first {
		l.ping() // to learn whether Slack answers
		close(l.hello)
	}
}

// lifetime is how long Slack means to keep the connection, by its hello; zero where it does not say.
func (l *conn) lifetime() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.greeting.DebugInfo.ApproximateConnectionTime) * time.Second
}

// connections is how many the app has, by Slack's hello.
func (l *conn) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.greeting.NumConnections
}

// onDisconnect notes that Slack will end the connection.
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

// fail notes why the connection ends and ends it. The first to know is right.
func (l *conn) fail(why Reason, cause error) {
	l.mu.Lock()
	if l.why == "" {
		l.why, l.cause = why, cause
	}
	l.orderly = l.orderly || why == Closed
	l.mu.Unlock()
	_ = l.ws.Close()
}

// reason is why the connection ends, empty while it does not.
func (l *conn) reason() Reason {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

// closeCause is the reason in more words.
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

// send writes an acknowledgement. A ping goes behind it, so that one which goes down with its connection is noticed; see
// [conn.unconfirmedAcks].
func (l *conn) send(ctx context.Context, ack socketmode.Response) error {
	raw, err := ackJSON(ack)
	switch {
	case err != nil:
		return fmt.Errorf("write acknowledgement: %w", err)
	case len(raw) >= maxResponse:
		return errTooLarge
	}
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-l.done:
		return errConnGone
	case <-ctx.Done():
		return ctx.Err()
	}
	r := l.track(ack)
	if err := l.writeLocked(raw); err != nil {
		l.forget(r)
		return fmt.Errorf("write acknowledgement: %w", err)
	}
	_ = l.ws.WriteControl(websocket.PingMessage, []byte(strconv.FormatUint(r.ping, 10)), time.Now().Add(writeTimeout))
	time.AfterFunc(l.pong, func() { l.onPongOverdue(r.ping) })
	return l.written(r)
}

// ackJSON writes an acknowledgement. A payload that writes itself is taken as it is: package json would check and copy it
// once for each level it is nested in.
func ackJSON(ack socketmode.Response) ([]byte, error) {
	payload, ok := ack.Payload.(json.Marshaler)
	if !ok {
		return json.Marshal(ack)
	}
	envelope, err := json.Marshal(ack.EnvelopeID)
	if err != nil {
		return nil, err
	}
	raw, err := payload.MarshalJSON()
	if err != nil {
		return nil, err
	}
	all := append(make([]byte, 0, len(envelope)+len(raw)+40), `{"envelope_id":`...)
	all = append(append(append(all, envelope...), `,"payload":`...), raw...)
	return append(all, '}'), nil
}

// write needs the turn.
func (l *conn) writeLocked(raw []byte) error {
	if err := l.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	err := l.ws.WriteMessage(websocket.TextMessage, raw)
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		l.fail(Broken, err)
	}
	return err
}

// track notes an acknowledgement before it is written.
func (l *conn) track(ack socketmode.Response) *receipt {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pings++
	r := &receipt{ping: l.pings, ack: &ack}
	l.unconfirmed = append(l.unconfirmed, r)
	return r
}

// written notes that it was, unless the connection is over: then it arrived if the end was orderly, and else is lost.
func (l *conn) written(r *receipt) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.written = true
	if l.counted && !l.orderly {
		return errConnGone
	}
	return nil
}

func (l *conn) forget(r *receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unconfirmed = slices.DeleteFunc(l.unconfirmed, func(x *receipt) bool { return x == r })
}

// ping asks for a sign of life.
func (l *conn) ping() {
	_ = l.ws.WriteControl(websocket.PingMessage, []byte("0"), time.Now().Add(writeTimeout))
}

// onPong takes the answer to a ping: everything written before it has arrived.
func (l *conn) onPong(ping string) {
	n, err := strconv.ParseUint(ping, 10, 64)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pongs = true
	for len(l.unconfirmed) > 0 && l.unconfirmed[0].ping <= n {
		l.unconfirmed = l.unconfirmed[1:]
	}
}

// onPongOverdue ends a connection on which a ping was not answered in time. Where Slack has never answered one, that says
// nothing, and what was written counts as arrived.
func (l *conn) onPongOverdue(n uint64) {
	l.mu.Lock()
	open := len(l.unconfirmed) > 0 && l.unconfirmed[0].ping <= n
	if open && !l.pongs {
		l.unconfirmed = l.unconfirmed[1:]
	}
	dead := open && l.pongs
	l.mu.Unlock()
	if dead {
		l.fail(Silent, fmt.Errorf("no answer to a ping in %v", l.pong))
	}
}

// unconfirmedAcks returns, once the connection is over, the acknowledgements that may not have arrived. What is being written just
// now is not among them: its writer is told.
func (l *conn) unconfirmedAcks() []*socketmode.Response {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counted = true
	var acks []*socketmode.Response
	for _, r := range l.unconfirmed {
		if r.written && !l.orderly {
			acks = append(acks, r.ack)
		}
	}
	l.unconfirmed = nil
	return acks
}

// close ends the connection in order: with a close frame, and an ear for what Slack has sent before its own.
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

// mayDial reports whether a socket address may be dialled: without TLS only where the Web API is without, too.
func mayDial(address, apiURL string) bool {
	return strings.HasPrefix(address, "wss://") || strings.HasPrefix(address, "ws://") && strings.HasPrefix(apiURL, "http://")
}
