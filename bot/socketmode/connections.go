// Package socketmode keeps the bot connected to Slack by Socket Mode: several WebSocket connections, each replaced
// before it ends, the acknowledgements pending on them, and a limiter for reconnects. It passes envelopes on and knows
// nothing of what they ask.
package socketmode

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/bot/slackapi"
)

// Connections keeps the bot connected to Slack by several connections. It replaces each before it ends, if its lifetime
// is known. It manages them itself instead of using slack-go's managed client. That one closes a connection before it
// opens the next, reconnects without a pause after a disconnect, does not report the reason of a disconnect, and writes
// an acknowledgement on whichever connection comes next. The Web API and the types of envelopes and events are
// slack-go's.
//
// What happens to an envelope whose connection ends? Slack does not document whether it accepts an acknowledgement on
// another connection. So all envelopes of a connection that is about to end are acknowledged on it, without an answer,
// while that is possible; their answers go to the response_url. Only after the network has cut a connection does an
// acknowledgement take another one, and then it never carries an answer, which might arrive twice.
//
// A ping follows each acknowledgement. If the connection breaks before Slack answers the ping, the acknowledgement
// counts as lost: an empty one takes another connection, and the answer goes to the response_url. So an answer arrives
// twice if Slack has shown it and the network breaks before the pong. The alternative would be answers that never
// arrive.
type Connections struct {
	options Options
	config  slackapi.Config
	web     *slackapi.Client // without retries: the limiter spaces the calls
	dialer  *websocket.Dialer
	dial    DialFunc // opens network connections
	limiter *reconnectLimiter
	events  chan socketmode.Event // envelopes, and answers that were lost
	pending *pendingAcks

	running sync.WaitGroup // goroutines that outlive Run
	closed  chan struct{}  // closed by StopAccepting
	closing sync.Once

	mu      sync.Mutex
	conns   []*conn       // open, and greeted by Slack
	changed chan struct{} // closed when conns grows
}

// New returns connections that are not open yet. [Connections.Run] opens them.
func New(c slackapi.Config, o Options) *Connections {
	o, c = o.withDefaults(), c.WithDefaults()
	o.Health.keep(o.Count)
	s := &Connections{
		options: o, config: c, web: c.ClientWithoutRetry(), dialer: newDialer(),
		limiter: &reconnectLimiter{minInterval: o.Timing.MinInterval, maxInterval: o.Timing.MaxInterval, shortLife: o.Timing.ShortLife},
		events:  make(chan socketmode.Event, 64), pending: newPendingAcks(),
		closed: make(chan struct{}), changed: make(chan struct{}),
	}
	if o.Dial != nil {
		s.dial, s.dialer.Proxy = o.Dial, nil
	} else {
		s.dial = (&net.Dialer{Timeout: slackapi.Timeout, KeepAlive: 15 * time.Second}).DialContext
	}
	return s
}

// Events returns the envelopes that Slack sends, and the answers that were lost with their connection.
func (s *Connections) Events() <-chan socketmode.Event { return s.events }

// Run keeps the connections open until ctx ends, then returns nil. It returns an error if Slack refuses the bot for good. The
// connections stay open until [Connections.Close].
func (s *Connections) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for n := range s.options.Count {
		g.Go(func() error { return s.maintain(ctx, n) })
	}
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// StopAccepting makes further deliveries of events fail.
func (s *Connections) StopAccepting() { s.closing.Do(func() { close(s.closed) }) }

// Close closes all connections with a close frame. Run must have returned. Events that were not received are lost.
func (s *Connections) Close() {
	s.StopAccepting()
	all := s.live()
	for _, l := range all {
		s.running.Go(func() {
			s.ackPending(l)
			l.close(Stopped)
		})
	}
	s.running.Wait()
	left := s.answersLeft()
	for _, l := range all {
		left += len(s.pending.waiting(l))
	}
	if left > 0 {
		s.options.Dropped(left)
		s.options.Log.Error("stopped with unhandled events; Slack tells the users that the app did not respond", "dropped", left)
	}
}

// answersLeft removes the events that were not received, and returns how many lost answers are among them.
func (s *Connections) answersLeft() (n int) {
	for {
		select {
		case e := <-s.events:
			if e.Type == socketmode.EventTypeErrorWriteFailed {
				n++
			}
		default:
			return n
		}
	}
}

// maintain keeps one of the connections open.
func (s *Connections) maintain(ctx context.Context, socket int) error {
	var old *conn
	var refused string // a new token that Slack refused while old stays open
	for {
		l, err := s.connect(ctx, socket)
		switch {
		case err == nil:
			if old != nil {
				s.drain(old)
			}
			old, refused = l, ""
		case ctx.Err() == nil && old != nil && old.reason() == "" && old.token != s.appToken():
			refused = s.appToken()
			s.options.Log.Error("Slack refuses the new app-level token; staying connected by the old one", "socket", socket+1, "error", err)
		default:
			return err
		}
		if err := s.awaitReplacement(ctx, old, refused); err != nil {
			return err
		}
	}
}

func (s *Connections) appToken() string {
	app, _ := s.config.Tokens.Current()
	return app
}

// awaitReplacement returns nil when a connection must be replaced. Its error is a permanent refusal.
func (s *Connections) awaitReplacement(ctx context.Context, l *conn, refused string) error {
	var old <-chan time.Time
	if d := s.usefulLife(l); d > 0 && refused == "" {
		t := time.NewTimer(d)
		defer t.Stop()
		old = t.C
	}
	for {
		token, replaced := s.config.Tokens.App()
		if token != l.token && token != refused {
			return nil
		}
		select {
		case <-replaced:
			continue
		case <-old:
			return nil
		case <-l.leave:
		case <-l.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		s.limiter.ended(time.Since(l.began))
		if l.reason() == LinkDisabled && s.appToken() == l.token {
			return permanent(errSocketModeOff)
		}
		return nil
	}
}

// usefulLife returns how long to keep a connection before opening the next, or 0 if Slack did not announce its lifetime. Jitter
// keeps processes that started together from reconnecting together.
func (s *Connections) usefulLife(l *conn) time.Duration {
	life := l.lifetime()
	overlap := min(s.options.Timing.Overlap, life/10)
	if overlap <= 0 {
		return 0
	}
	return max(time.Millisecond, life-overlap-rand.N(overlap)-time.Since(l.began))
}

// drain closes a connection that was replaced, after a grace period in which it may still bring envelopes. Slack may close it
// first.
func (s *Connections) drain(l *conn) {
	why, patience := l.reason(), s.options.Timing.DisconnectGrace
	switch {
	case why == Warned:
		patience = s.options.Timing.WarningGrace
	case why == "" && l.token == s.appToken():
		why, patience = Aged, l.lifetime()-time.Since(l.began)+s.options.Timing.WarningGrace
	case why == "":
		why, patience = Rotated, 0
	}
	s.running.Go(func() {
		t := time.NewTimer(patience)
		defer t.Stop()
		select {
		case <-l.done:
			return
		case <-s.closed:
			return
		case <-t.C:
		}
		s.ackPending(l)
		l.close(why)
	})
}

// onConnected adds a connection on which Slack has said hello, and returns false if it has ended since.
func (s *Connections) onConnected(l *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.ended() {
		return false
	}
	s.conns = append(s.conns, l)
	close(s.changed)
	s.changed = make(chan struct{})
	s.options.Health.connected(l)
	s.options.Log.Info("connected to Slack", "socket", l.socket+1, "connections", l.connections(), "lifetime", l.lifetime())
	return true
}

// onClosed removes a connection that has ended, and redelivers its unconfirmed acknowledgements.
func (s *Connections) onClosed(l *conn) {
	s.mu.Lock()
	known := slices.Contains(s.conns, l)
	s.conns = slices.DeleteFunc(s.conns, func(x *conn) bool { return x == l })
	s.mu.Unlock()
	if !known {
		return
	}
	why := l.reason()
	s.options.Health.closed(l, why)
	level := slog.LevelInfo
	if slices.Contains([]Reason{Broken, Silent, TooManySockets, LinkDisabled, OtherDisconnect}, why) {
		level = slog.LevelWarn
	}
	s.options.Log.Log(context.Background(), level, "a connection to Slack ended", "socket", l.socket+1, "reason", why, "cause", l.closeCause(), "lived", time.Since(l.began).Round(time.Millisecond))
	for _, ack := range l.unconfirmedAcks() {
		s.running.Go(func() { s.redeliver(l, ack) })
	}
}

// redeliver handles an acknowledgement that may be lost: Slack gets an empty one on another connection, and the bot gets the
// answer back.
func (s *Connections) redeliver(l *conn, ack *socketmode.Response) {
	ctx, cancel := context.WithTimeout(context.Background(), AckTimeout)
	defer cancel()
	if ack.Payload != nil && !s.deliver(socketmode.Event{
		Type: socketmode.EventTypeErrorWriteFailed,
		Data: &socketmode.ErrorWriteFailed{Cause: l.closeCause(), Response: ack},
	}) {
		s.options.Dropped(1)
		s.options.Log.Error("lost an answer with its connection: the bot accepts no events", "envelope", ack.EnvelopeID)
		return // an empty acknowledgement would hide that
	}
	if err := s.ackElsewhere(ctx, ack.EnvelopeID, l); err != nil {
		s.options.Log.Warn("lost an acknowledgement with its connection", "error", err)
	}
}

// live returns the open connections.
func (s *Connections) live() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}
