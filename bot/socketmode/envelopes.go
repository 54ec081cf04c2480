package socketmode

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// ErrAcknowledged is returned for an answer whose envelope was already acknowledged because its connection ends.
var ErrAcknowledged = errors.New("the envelope was acknowledged without an answer, because its connection ends")

// AckCtx acknowledges an envelope on its own connection. Without a payload it may use another one, and waits for one until ctx
// ends.
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

// ackElsewhere acknowledges an envelope on a connection other than its own.
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

// ackPending acknowledges the pending envelopes of a connection that is about to end; their answers go to the
// response_url. The goroutine that reads the connection calls it before it reads the end: afterwards nothing can be
// written.
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

// rejectPending answers the pending commands of a connection after the bot has stopped accepting events. An empty
// acknowledgement would mean that the command was accepted. Other envelopes stay unacknowledged, because theirs cannot
// carry text: Slack then repeats events to another process, and shows that a click failed.
func (s *Connections) rejectPending(l *conn) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	rejected := 0
	for _, envelope := range s.pending.commands(l) {
		if own, first := s.pending.claim(envelope); !first || own != l {
			continue
		}
		if err := l.send(ctx, socketmode.Response{EnvelopeID: envelope, Payload: s.options.Rejection}); err != nil {
			s.pending.unclaim(envelope, l)
			continue
		}
		rejected++
	}
	if rejected > 0 {
		s.options.Rejected(rejected)
		s.options.Log.Warn("told users that the bot restarts: their commands came as it stopped", "commands", rejected)
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

// envelope delivers an envelope.
func (s *Connections) envelope(l *conn, r socketmode.Request) {
	if r.EnvelopeID == "" {
		s.options.Log.Debug("received a message without an envelope from Slack", "type", r.Type)
		return
	}
	s.pending.add(r.EnvelopeID, l, r.Type == socketmode.RequestTypeSlashCommands)
	switch {
	case s.deliver(EventOf(r)):
	case s.isClosed():
		s.rejectPending(l)
	default:
		s.pending.forget(r.EnvelopeID) // no answer will come: an acknowledgement would hide that
		s.options.Dropped(1)
		s.options.Log.Error("dropped an event: the bot accepts none", "type", r.Type, "envelope", r.EnvelopeID)
	}
}

// unreadable logs a message that cannot be decoded. It does not harm the connection.
func (s *Connections) unreadable(l *conn, err error) {
	s.options.Log.Warn("received an unreadable message from Slack", "socket", l.socket+1, "error", err)
}

// deliver passes an event to the bot, which normally receives at once, and reports whether it could. It gives up after
// a time, because a connection that is not read answers no pings.
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

// EventOf returns the event of an envelope. It decodes slash commands only. A click contains the whole message that it was
// made on, with blocks that slack-go may not know, so its handler decodes what it needs. An envelope that cannot be decoded
// is an event all the same, since it must be acknowledged.
func EventOf(r socketmode.Request) socketmode.Event {
	e := socketmode.Event{Type: socketmode.EventType(r.Type), Request: &r}
	if r.Type == socketmode.RequestTypeSlashCommands {
		var cmd typed
		if json.Unmarshal(r.Payload, &cmd) == nil {
			e.Data = slack.SlashCommand{
				Text: cmd.Text, UserID: cmd.UserID, TeamID: cmd.TeamID, ChannelID: cmd.ChannelID, TriggerID: cmd.TriggerID, ResponseURL: cmd.ResponseURL,
			}
		}
	}
	return e
}

// typed is what the bot reads of a slash command. slack-go's type has three times as many fields, and decodes itself twice.
type typed struct {
	Text        string `json:"text"`
	UserID      string `json:"user_id"`
	TeamID      string `json:"team_id"`
	ChannelID   string `json:"channel_id"`
	TriggerID   string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
}
