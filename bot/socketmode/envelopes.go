package socketmode

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// ErrAcknowledged is the error of an answer that comes when its envelope was acknowledged already.
var ErrAcknowledged = errors.New("the envelope was acknowledged without an answer, because its connection ends")

// AckCtx acknowledges an envelope on the connection that it came on. Without an answer it may take another one, and
// waits for one until ctx ends.
func (s *Connections) AckCtx(ctx context.Context, envelope string, payload any) error {
	l, first := s.pending.claim(envelope)
	switch {
	case !first && payload == nil:
		return nil
	case !first:
		return ErrAcknowledged
	}
	err := errConnGone
	if l != nil {
		if err = l.send(ctx, socketmode.Response{EnvelopeID: envelope, Payload: payload}); err == nil {
			return nil
		}
		s.pending.unclaim(envelope, l)
	}
	if payload != nil {
		return err
	}
	return s.ackElsewhere(ctx, envelope, l)
}

// ackElsewhere acknowledges an envelope on any connection but its own.
func (s *Connections) ackElsewhere(ctx context.Context, envelope string, own *conn) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		for _, l := range s.live() {
			if l != own && !l.isLeaving() && l.send(ctx, socketmode.Response{EnvelopeID: envelope}) == nil {
				return nil
			}
		}
		select {
		case <-changed:
		case <-s.closed:
			return errConnGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ackPending acknowledges what a connection has brought before it ends; the answers take the other way. It is called in
// the goroutine that reads the connection, before that goes on to read its end: afterwards nothing can be written.
func (s *Connections) ackPending(l *conn) {
	if s.isClosed() {
		s.rejectPending(l)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	for _, envelope := range s.pending.waiting(l) {
		if own, first := s.pending.claim(envelope); !first || own != l {
			continue
		}
		if err := l.send(ctx, socketmode.Response{EnvelopeID: envelope}); err != nil {
			s.pending.unclaim(envelope, l)
		}
	}
}

// rejectPending tells whoever typed a command that nobody took before the bot stopped. An empty acknowledgement would say that
// it was taken. The rest stays without one, for nothing could be said in it: Slack brings events again, elsewhere, and
// shows that a click failed.
func (s *Connections) rejectPending(l *conn) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	told := 0
	for _, envelope := range s.pending.commands(l) {
		if own, first := s.pending.claim(envelope); !first || own != l {
			continue
		}
		if err := l.send(ctx, socketmode.Response{EnvelopeID: envelope, Payload: s.options.Rejection}); err != nil {
			s.pending.unclaim(envelope, l)
			continue
		}
		told++
	}
	if told > 0 {
		s.options.Rejected(told)
		s.options.Log.Warn("commands came as the bot stopped; whoever typed them was told that it restarts", "commands", told)
	}
}

func (s *Connections) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// envelope hands an envelope to the bot.
func (s *Connections) envelope(l *conn, r socketmode.Request) {
	if r.EnvelopeID == "" {
		s.options.Log.Debug("a message without an envelope came from Slack", "type", r.Type)
		return
	}
	s.pending.add(r.EnvelopeID, l, r.Type == socketmode.RequestTypeSlashCommands)
	switch {
	case s.deliver(EventOf(r)):
	case s.isClosed():
		s.rejectPending(l)
	default:
		s.pending.forget(r.EnvelopeID) // nobody will answer: an acknowledgement would hide that
		s.options.Dropped(1)
		s.options.Log.Error("dropped an event of Slack's: the bot takes none", "type", r.Type, "envelope", r.EnvelopeID)
	}
}

// unreadable notes a message that is no JSON, or nothing of Slack's. The connection is as good as before.
func (s *Connections) unreadable(l *conn, err error) {
	s.options.Log.Warn("an unreadable message came from Slack", "socket", l.socket+1, "error", err)
}

// deliver hands an event to the bot, which takes events at once, and reports whether it could. Should the bot take none,
// the connection must live all the same: whoever does not read answers no ping.
func (s *Connections) deliver(e socketmode.Event) bool {
	if s.isClosed() {
		return false
	}
	select {
	case s.events <- e:
		return true
	default:
	}
	t := time.NewTimer(s.options.Timing.DeliverTimeout)
	defer t.Stop()
	select {
	case s.events <- e:
		return true
	case <-t.C:
	case <-s.closed:
	}
	return false
}

// event is the event of an envelope. Only slash commands are decoded here; a click holds the whole message that it was
// made on, with blocks that slack-go may not know, and who handles it decodes what is needed. An envelope that cannot be
// decoded is an event all the same: it has to be acknowledged.
func EventOf(r socketmode.Request) socketmode.Event {
	e := socketmode.Event{Type: socketmode.EventType(r.Type), Request: &r}
	if r.Type == socketmode.RequestTypeSlashCommands {
		var cmd slack.SlashCommand
		if json.Unmarshal(r.Payload, &cmd) == nil {
			e.Data = cmd
		}
	}
	return e
}
