// Package socketmode keeps the bot connected to Slack by Socket Mode: several WebSocket connections, each replaced before it
// ends, the acknowledgements that are pending on them, and a limiter for reconnects. It hands envelopes on and knows nothing
// of what they ask.
package socketmode

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"
)

// ackTimeout bounds handing an acknowledgement to a connection. Slack waits three seconds in all.
const AckTimeout = 2 * time.Second

// Timing holds the durations that govern connections; tests shorten them.
type Timing struct {
	MinInterval     time.Duration // between two calls of apps.connections.open in good times
	MaxInterval     time.Duration // and in bad ones
	ShortLife       time.Duration // a connection that lived less than this was short-lived
	HelloTimeout    time.Duration // Slack has for its hello
	IdleTimeout     time.Duration // without a byte, after which the connection is dead
	PongTimeout     time.Duration // Slack has for answering our ping behind an acknowledgement
	WarningGrace    time.Duration // from Slack's warning until we close a connection ourselves
	DisconnectGrace time.Duration // the same from Slack's disconnect message
	Overlap         time.Duration // how long before a connection's end the next one is opened
	DeliverTimeout  time.Duration // an envelope waits for the bot to accept it
}

// SlackTiming returns the durations that suit Slack.
func SlackTiming() Timing {
	return Timing{
		MinInterval: 3 * time.Second, MaxInterval: 30 * time.Second, ShortLife: time.Minute,
		HelloTimeout: 10 * time.Second, IdleTimeout: 33 * time.Second, PongTimeout: 5 * time.Second,
		WarningGrace: 15 * time.Second, DisconnectGrace: 2 * time.Second, Overlap: time.Minute,
		DeliverTimeout: 2 * time.Second,
	}
}

// sockets keeps the bot connected to Slack: several connections, each replaced by a new one before it ends where
// that can be known. It owns the connections instead of leaving them to slack-go's managed client, which closes a
// connection before it opens the next, opens without a pause after a disconnect, keeps the reason of a disconnect to
// itself, and writes an acknowledgement on whichever connection comes next. The Web API, the types of envelopes and
// events, and how WebSockets are dialled are slack-go's.
//
// What becomes of an envelope whose connection ends: Slack documents neither that it takes an acknowledgement on another
// connection nor that it does not. So all envelopes of a connection that is about to end are acknowledged there, without
// an answer, while that is possible, and the answers go to their response_url. Only where the network has cut a
// connection, an acknowledgement takes another one; it never carries an answer, which might then come twice. One that
// was written, but after which the connection broke before Slack had answered the ping behind it, counts as lost: it
// takes another connection, too, and the answer in it goes to the response_url. So an answer comes twice when Slack has
// shown it and the network breaks before Slack's word of that is here; the other choice would be that some never come.
type Connections struct {
	options Options
	config  slackapi.Config
	web     *slackapi.Client // that never tries again: the pace is kept here
	dialer  *websocket.Dialer
	dial    DialFunc // opens network connections
	limiter *reconnectLimiter
	events  chan socketmode.Event // for [Bot.Serve]: envelopes, and answers that were lost
	pending *pendingAcks

	running sync.WaitGroup // all goroutines that outlive run
	closed  chan struct{}  // closed when nobody takes events any more
	closing sync.Once

	mu      sync.Mutex
	conns   []*conn       // on which Slack has said hello, and that live
	changed chan struct{} // closed when one more does
}

// SocketOptions configure [NewSockets]. The zero value of each field stands for its default.
type Options struct {
	Count   int       // connections; default 2
	Health  *Health   // is told about the connections; default: none
	Dial    DialFunc  // opens network connections; default: a dialer that goes through the proxy of the environment
	Timing  Timing    // default [SlackTiming]
	Dropped func(int) // is called with the number of events that were lost; default: none
	// Rejection is the payload for commands that come when the bot no longer accepts events; default: an empty one.
	Rejection json.Marshaler
	Rejected  func(int)    // is called with the number of commands that got it; default: none
	Log       *slog.Logger // default: nothing is logged
}

func (o Options) withDefaults() Options {
	if o.Count == 0 {
		o.Count = 2
	}
	if o.Health == nil {
		o.Health = NewHealth()
	}
	if o.Timing == (Timing{}) {
		o.Timing = SlackTiming()
	}
	if o.Dropped == nil {
		o.Dropped = func(int) {}
	}
	if o.Rejected == nil {
		o.Rejected = func(int) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// NewSockets returns connections that are not open yet.
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

// Run keeps the connections until ctx ends, which is no failure, or until Slack refuses the bot for good. They outlive
// it, until close.
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

// Close ends all connections in order. Run must have ended, and nobody takes events any more.
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
		s.options.Log.Error("the bot ended before it took what Slack brought; Slack tells people that it did not respond", "dropped", left)
	}
}

// answersLeft takes the events that nobody will take, and tells how many answers are among them.
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

// maintain keeps one socket connected.
func (s *Connections) maintain(ctx context.Context, socket int) error {
	var old *conn
	var refused string // a token that Slack did not take in exchange for the one of old
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

// awaitReplacement returns when a connection is to be replaced. Its error is a refusal for good.
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

// usefulLife is how long a connection is kept before the next is opened, by what Slack has said; zero where it has not.
// Chance keeps the processes of a deployment, which started together, from doing it together.
func (s *Connections) usefulLife(l *conn) time.Duration {
	life := l.lifetime()
	overlap := min(s.options.Timing.Overlap, life/10)
	if overlap <= 0 {
		return 0
	}
	return max(time.Millisecond, life-overlap-rand.N(overlap)-time.Since(l.began))
}

// drain ends a connection whose replacement has said hello: Slack may do it first, where it said that it would or the
// time is near. Until then it can bring envelopes.
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

// onConnected notes a connection on which Slack has said hello, unless it has ended since.
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

// onClosed cleans up after a connection.
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

// redeliver does what can be done for an acknowledgement that may have gone down with its connection: Slack gets an empty
// one elsewhere, and the bot sends the answer that was in it.
func (s *Connections) redeliver(l *conn, ack *socketmode.Response) {
	ctx, cancel := context.WithTimeout(context.Background(), AckTimeout)
	defer cancel()
	if ack.Payload != nil && !s.deliver(socketmode.Event{
		Type: socketmode.EventTypeErrorWriteFailed,
		Data: &socketmode.ErrorWriteFailed{Cause: l.closeCause(), Response: ack},
	}) {
		s.options.Dropped(1)
		s.options.Log.Error("answer lost with its connection: the bot takes no events", "envelope", ack.EnvelopeID)
		return // an empty acknowledgement would hide that
	}
	if err := s.ackElsewhere(ctx, ack.EnvelopeID, l); err != nil {
		s.options.Log.Warn("an acknowledgement was lost with its connection", "error", err)
	}
}

// live returns the connections on which Slack has said hello and that have not ended.
func (s *Connections) live() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}
