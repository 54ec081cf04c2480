package socketmode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"
)

// receipt is an acknowledgement that may not have arrived. The pong to the ping after it confirms it.
type receipt struct {
	ping    uint64
	ack     *socketmode.Response
	written bool
}

// pingInterval is the least time between two pings. Each costs a message both ways, which is a fifth of answering from memory:
// acknowledgements in quick succession share one.
const pingInterval = 100 * time.Millisecond

// send writes an acknowledgement, and sees that a ping follows it. Without a pong it counts as lost; see [conn.unconfirmedAcks].
func (l *conn) send(ctx context.Context, ack socketmode.Response) error {
	parts, err := ackJSON(ack)
	switch {
	case err != nil:
		return fmt.Errorf("write acknowledgement: %w", err)
	case size(parts) >= maxResponse:
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
	if err := l.writeLocked(parts); err != nil {
		l.forget(r)
		return fmt.Errorf("write acknowledgement: %w", err)
	}
	l.confirmLocked()
	return l.written(r)
}

// confirmLocked sends the ping behind what was written, now or as soon as [pingInterval] allows. The caller holds l.writing.
func (l *conn) confirmLocked() {
	wait := time.Until(l.pinged.Add(pingInterval))
	switch {
	case l.pingDue: // it will be behind this one too
	case wait > 0:
		l.pingDue = true
		time.AfterFunc(wait, l.confirm)
	default:
		l.pingLocked()
	}
}

// confirm sends a ping that is due.
func (l *conn) confirm() {
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
		l.pingDue = false
		l.pingLocked()
	case <-l.done:
	}
}

// pingLocked sends a ping that confirms all that was written before. The caller holds l.writing.
func (l *conn) pingLocked() {
	l.mu.Lock()
	l.pings++
	n := l.pings
	l.mu.Unlock()
	l.pinged = time.Now()
	_ = l.ws.WriteControl(websocket.PingMessage, []byte(strconv.FormatUint(n, 10)), l.pinged.Add(writeTimeout))
	time.AfterFunc(l.pong, func() { l.onPongOverdue(n) })
}

// ackJSON encodes an acknowledgement, in parts that follow each other. A payload that encodes itself is used as it is: package
// json would validate and copy it once for each level of nesting.
func ackJSON(ack socketmode.Response) ([][]byte, error) {
	payload, ok := ack.Payload.(json.Marshaler)
	if !ok {
		all, err := json.Marshal(ack)
		return [][]byte{all}, err
	}
	envelope, err := json.Marshal(ack.EnvelopeID)
	if err != nil {
		return nil, err
	}
	raw, err := payload.MarshalJSON()
	return [][]byte{[]byte(`{"envelope_id":`), envelope, []byte(`,"payload":`), raw, []byte("}")}, err
}

func size(parts [][]byte) (n int) {
	for _, p := range parts {
		n += len(p)
	}
	return n
}

// writeLocked sends one frame: writeBuffer holds all of it. The caller holds l.writing.
func (l *conn) writeLocked(parts [][]byte) error {
	if err := l.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	w, err := l.ws.NextWriter(websocket.TextMessage)
	for _, p := range parts {
		if err == nil {
			_, err = w.Write(p)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		l.fail(Broken, err)
	}
	return err
}

// track notes an acknowledgement before it is written. The next ping confirms it.
func (l *conn) track(ack socketmode.Response) *receipt {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &receipt{ping: l.pings + 1, ack: &ack}
	l.unconfirmed = append(l.unconfirmed, r)
	return r
}

// written records that it was written. If the connection has ended since without a close frame, it counts as lost.
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

// ping sends a ping, to learn whether Slack answers them.
func (l *conn) ping() {
	_ = l.ws.WriteControl(websocket.PingMessage, []byte("0"), time.Now().Add(writeTimeout))
}

// onPong confirms everything that was written before a ping.
func (l *conn) onPong(ping string) {
	n, err := strconv.ParseUint(ping, 10, 64)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pongs = true
	l.arrivedLocked(n)
}

// arrivedLocked forgets what was written before a ping. The caller holds l.mu.
func (l *conn) arrivedLocked(ping uint64) {
	for len(l.unconfirmed) > 0 && l.unconfirmed[0].ping <= ping {
		l.unconfirmed = l.unconfirmed[1:]
	}
}

// onPongOverdue closes a connection whose ping was not answered in time. If Slack has never answered one, what was written
// counts as arrived.
func (l *conn) onPongOverdue(n uint64) {
	l.mu.Lock()
	open := len(l.unconfirmed) > 0 && l.unconfirmed[0].ping <= n
	if open && !l.pongs {
		l.arrivedLocked(n)
	}
	dead := open && l.pongs
	l.mu.Unlock()
	if dead {
		l.fail(Silent, fmt.Errorf("no answer to a ping in %v", l.pong))
	}
}

// unconfirmedAcks returns the acknowledgements that may be lost, after the connection has ended. One that is still being written
// is not among them: its writer gets an error.
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
