package bot

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
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"
)

// socketTiming holds the spans by which connections live; tests shorten them.
type socketTiming struct {
	gap      time.Duration // between two calls of apps.connections.open in good times
	mostGap  time.Duration // and in bad ones
	short    time.Duration // a connection that lived less than this lived shortly
	hello    time.Duration // Slack has for saying hello
	silence  time.Duration // without a byte: the connection is dead
	pong     time.Duration // Slack has for answering our ping behind an answer
	warned   time.Duration // from Slack's warning until we end a connection ourselves
	left     time.Duration // the same from its word that the end has come
	overlap  time.Duration // before a connection's time is up the next is opened
	patience time.Duration // an envelope waits for the bot to take it
}

func slackTiming() socketTiming {
	return socketTiming{
		gap: 3 * time.Second, mostGap: 30 * time.Second, short: time.Minute,
		hello: 10 * time.Second, silence: 33 * time.Second, pong: 5 * time.Second,
		warned: 15 * time.Second, left: 2 * time.Second, overlap: time.Minute,
		patience: 2 * time.Second,
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
type sockets struct {
	count  int
	config slackapi.Config
	web    *slackapi.Client // that never tries again: the pace is kept here
	dialer *websocket.Dialer
	dial   dialFunc // opens network connections
	timing socketTiming
	pace   *pace
	health *Health
	log    *slog.Logger
	events chan socketmode.Event // for [Bot.Serve]: envelopes, and answers that were lost
	routes *routes
	counts *Counts

	running sync.WaitGroup // all goroutines that outlive run
	closed  chan struct{}  // closed when nobody takes events any more
	closing sync.Once

	mu      sync.Mutex
	links   []*link       // on which Slack has said hello, and that live
	changed chan struct{} // closed when one more does
}

func newSockets(c slackapi.Config, o Options, t socketTiming) *sockets {
	o.Health.keep(o.Sockets)
	return &sockets{
		count: o.Sockets, config: c, web: c.ClientWithoutRetry(), dialer: newDialer(), dial: (&net.Dialer{Timeout: slackapi.Timeout, KeepAlive: 15 * time.Second}).DialContext, timing: t,
		pace:   &pace{gap: t.gap, most: t.mostGap, short: t.short},
		health: o.Health, log: o.Log, counts: o.Counts,
		events: make(chan socketmode.Event, 64), routes: newRoutes(),
		closed: make(chan struct{}), changed: make(chan struct{}),
	}
}

// run keeps the connections until ctx ends, which is no failure, or until Slack refuses the bot for good. They outlive
// it, until close.
func (s *sockets) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for n := range s.count {
		g.Go(func() error { return s.keep(ctx, n) })
	}
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// untended notes that nobody takes events any more.
func (s *sockets) untended() { s.closing.Do(func() { close(s.closed) }) }

// close ends all connections in order. Run must have ended, and nobody takes events any more.
func (s *sockets) close() {
	s.untended()
	all := s.living()
	for _, l := range all {
		s.running.Go(func() {
			s.leaving(l)
			l.close(Stopped)
		})
	}
	s.running.Wait()
	left := s.answersLeft()
	for _, l := range all {
		left += len(s.routes.waiting(l))
	}
	if left > 0 {
		s.counts.dropped.Add(int64(left))
		s.log.Error("the bot ended before it took what Slack brought; Slack tells people that it did not respond", "dropped", left)
	}
}

// answersLeft takes the events that nobody will take, and tells how many answers are among them.
func (s *sockets) answersLeft() (n int) {
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

// keep keeps one socket connected.
func (s *sockets) keep(ctx context.Context, socket int) error {
	var old *link
	var refused string // a token that Slack did not take in exchange for the one of old
	for {
		l, err := s.connect(ctx, socket)
		switch {
		case err == nil:
			if old != nil {
				s.retire(old)
			}
			old, refused = l, ""
		case ctx.Err() == nil && old != nil && old.reason() == "" && old.token != s.appToken():
			refused = s.appToken()
			s.log.Error("Slack refuses the new app-level token; staying connected by the old one", "socket", socket+1, "error", err)
		default:
			return err
		}
		if err := s.watch(ctx, old, refused); err != nil {
			return err
		}
	}
}

func (s *sockets) appToken() string {
	app, _ := s.config.Tokens.Current()
	return app
}

// watch returns when a connection is to be replaced. Its error is a refusal for good.
func (s *sockets) watch(ctx context.Context, l *link, refused string) error {
	var old <-chan time.Time
	if d := s.useful(l); d > 0 && refused == "" {
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
		s.pace.ended(time.Since(l.began))
		if l.reason() == LinkDisabled && s.appToken() == l.token {
			return forGood(errSocketModeOff)
		}
		return nil
	}
}

// useful is how long a connection is kept before the next is opened, by what Slack has said; zero where it has not.
// Chance keeps the processes of a deployment, which started together, from doing it together.
func (s *sockets) useful(l *link) time.Duration {
	life := l.lifetime()
	overlap := min(s.timing.overlap, life/10)
	if overlap <= 0 {
		return 0
	}
	return max(time.Millisecond, life-overlap-rand.N(overlap)-time.Since(l.began))
}

// retire ends a connection whose replacement has said hello: Slack may do it first, where it said that it would or the
// time is near. Until then it can bring envelopes.
func (s *sockets) retire(l *link) {
	why, patience := l.reason(), s.timing.left
	switch {
	case why == Warned:
		patience = s.timing.warned
	case why == "" && l.token == s.appToken():
		why, patience = Aged, l.lifetime()-time.Since(l.began)+s.timing.warned
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
		s.leaving(l)
		l.close(why)
	})
}

// connected notes a connection on which Slack has said hello, unless it has ended since.
func (s *sockets) connected(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.ended() {
		return false
	}
	s.links = append(s.links, l)
	close(s.changed)
	s.changed = make(chan struct{})
	s.health.connected(l)
	s.log.Info("connected to Slack", "socket", l.socket+1, "connections", l.connections(), "lifetime", l.lifetime())
	return true
}

// over cleans up after a connection.
func (s *sockets) over(l *link) {
	s.mu.Lock()
	known := slices.Contains(s.links, l)
	s.links = slices.DeleteFunc(s.links, func(x *link) bool { return x == l })
	s.mu.Unlock()
	if !known {
		return
	}
	why := l.reason()
	s.health.over(l, why)
	level := slog.LevelInfo
	if slices.Contains([]Reason{Broken, Silent, TooManySockets, LinkDisabled, OtherDisconnect}, why) {
		level = slog.LevelWarn
	}
	s.log.Log(context.Background(), level, "a connection to Slack ended", "socket", l.socket+1, "reason", why, "cause", l.story(), "lived", time.Since(l.began).Round(time.Millisecond))
	for _, ack := range l.lost() {
		s.running.Go(func() { s.again(l, ack) })
	}
}

// again does what can be done for an acknowledgement that may have gone down with its connection: Slack gets an empty
// one elsewhere, and the bot sends the answer that was in it.
func (s *sockets) again(l *link, ack *socketmode.Response) {
	ctx, cancel := context.WithTimeout(context.Background(), ackTimeout)
	defer cancel()
	if ack.Payload != nil && !s.give(socketmode.Event{
		Type: socketmode.EventTypeErrorWriteFailed,
		Data: &socketmode.ErrorWriteFailed{Cause: l.story(), Response: ack},
	}) {
		s.counts.dropped.Add(1)
		s.log.Error("answer lost with its connection: the bot takes no events", "envelope", ack.EnvelopeID)
		return // an empty acknowledgement would hide that
	}
	if err := s.ackElsewhere(ctx, ack.EnvelopeID, l); err != nil {
		s.log.Warn("an acknowledgement was lost with its connection", "error", err)
	}
}

// living returns the connections on which Slack has said hello and that have not ended.
func (s *sockets) living() []*link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.links)
}
