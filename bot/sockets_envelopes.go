package bot

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

var _ acker = (*sockets)(nil)

// errAcked is the error of an answer that comes when its envelope was acknowledged already.
var errAcked = errors.New("the envelope was acknowledged without an answer, because its connection ends")

// AckCtx acknowledges an envelope on the connection that it came on. Without an answer it may take another one, and
// waits for one until ctx ends.
func (s *sockets) AckCtx(ctx context.Context, envelope string, payload any) error {
	l, first := s.routes.claim(envelope)
	switch {
	case !first && payload == nil:
		return nil
	case !first:
		return errAcked
	}
	err := errLinkGone
	if l != nil {
		if err = l.send(ctx, socketmode.Response{EnvelopeID: envelope, Payload: payload}); err == nil {
			return nil
		}
		s.routes.unclaim(envelope, l)
	}
	if payload != nil {
		return err
	}
	return s.ackElsewhere(ctx, envelope, l)
}

// ackElsewhere acknowledges an envelope on any connection but its own.
func (s *sockets) ackElsewhere(ctx context.Context, envelope string, own *link) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		for _, l := range s.living() {
			if l != own && !l.left() && l.send(ctx, socketmode.Response{EnvelopeID: envelope}) == nil {
				return nil
			}
		}
		select {
		case <-changed:
		case <-s.closed:
			return errLinkGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// leaving acknowledges what a connection has brought before it ends; the answers take the other way. It is called in
// the goroutine that reads the connection, before that goes on to read its end: afterwards nothing can be written.
func (s *sockets) leaving(l *link) {
	if s.isUntended() {
		s.parting(l)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	for _, envelope := range s.routes.waiting(l) {
		if own, first := s.routes.claim(envelope); !first || own != l {
			continue
		}
		if err := l.send(ctx, socketmode.Response{EnvelopeID: envelope}); err != nil {
			s.routes.unclaim(envelope, l)
		}
	}
}

// parting tells whoever typed a command that nobody took before the bot stopped. An empty acknowledgement would say that
// it was taken. The rest stays without one, for nothing could be said in it: Slack brings events again, elsewhere, and
// shows that a click failed.
func (s *sockets) parting(l *link) {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	told := 0
	for _, envelope := range s.routes.commands(l) {
		if own, first := s.routes.claim(envelope); !first || own != l {
			continue
		}
		if err := l.send(ctx, socketmode.Response{EnvelopeID: envelope, Payload: inWords(restarting())}); err != nil {
			s.routes.unclaim(envelope, l)
			continue
		}
		told++
	}
	if told > 0 {
		s.counts.untaken.Add(int64(told))
		s.log.Warn("commands came as the bot stopped; whoever typed them was told that it restarts", "commands", told)
	}
}

func (s *sockets) isUntended() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// envelope hands an envelope to the bot.
func (s *sockets) envelope(l *link, r socketmode.Request) {
	if r.EnvelopeID == "" {
		s.log.Debug("a message without an envelope came from Slack", "type", r.Type)
		return
	}
	s.routes.add(r.EnvelopeID, l, r.Type == socketmode.RequestTypeSlashCommands)
	switch {
	case s.give(event(r)):
	case s.isUntended():
		s.parting(l)
	default:
		s.routes.forget(r.EnvelopeID) // nobody will answer: an acknowledgement would hide that
		s.counts.dropped.Add(1)
		s.log.Error("dropped an event of Slack's: the bot takes none", "type", r.Type, "envelope", r.EnvelopeID)
	}
}

// unreadable notes a message that is no JSON, or nothing of Slack's. The connection is as good as before.
func (s *sockets) unreadable(l *link, err error) {
	s.log.Warn("an unreadable message came from Slack", "socket", l.socket+1, "error", err)
}

// give hands an event to the bot, which takes events at once, and reports whether it could. Should the bot take none,
// the connection must live all the same: whoever does not read answers no ping.
func (s *sockets) give(e socketmode.Event) bool {
	if s.isUntended() {
		return false
	}
	select {
	case s.events <- e:
		return true
	default:
	}
	t := time.NewTimer(s.timing.patience)
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
func event(r socketmode.Request) socketmode.Event {
	e := socketmode.Event{Type: socketmode.EventType(r.Type), Request: &r}
	if r.Type == socketmode.RequestTypeSlashCommands {
		var cmd slack.SlashCommand
		if json.Unmarshal(r.Payload, &cmd) == nil {
			e.Data = cmd
		}
	}
	return e
}
