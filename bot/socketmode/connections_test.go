package socketmode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
)

// Two connections, and each is opened when the other is not: not even at the start are they asked for together.
func TestSocketsAreOpenedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		p := runSockets(t, s, Options{})
		time.Sleep(4 * time.Hour)
		opens := s.Opens()
		if len(opens) < 8 || len(opens) > 12 {
			t.Errorf("%d calls of apps.connections.open in four hours, want one an hour for each socket: %v", len(opens), opens)
		}
		for i := 1; i < len(opens); i++ {
			if apart := opens[i] - opens[i-1]; apart < 3*time.Second {
				t.Errorf("two calls %v apart, want 3 s at least: %v", apart, opens)
			}
		}
		for _, state := range p.health.Sockets() {
			if state.Connected.IsZero() || state.Ended[Aged] < 3 || state.Failed != 0 {
				t.Errorf("socket %+v, want it connected, after some that had become old", state)
			}
		}
	})
}

// A storm: Slack says hello and sends the bot away at once, on and on.
func TestStormCostsFewCalls(t *testing.T) {
	for _, greets := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := slacktest.NewPipeSlack(t)
			s.Serve = func(_ int, p *slacktest.Peer) {
				if greets {
					p.Say(slacktest.HelloHour)
				}
				p.Say(slacktest.Dismissal("too_many_websockets"))
			}
			p := runSockets(t, s, Options{Count: 5})
			time.Sleep(time.Minute)
			first := len(s.Opens())
			time.Sleep(10 * time.Minute)
			later := len(s.Opens()) - first
			t.Logf("hello first %v: %d calls in the first minute, %d in the ten after", greets, first, later)
			if first > 8 || later > 21 {
				t.Errorf("%d calls in the first minute and %d in the ten after, want 8 and 21 at most", first, later)
			}
			if err := p.health.Ready(); err == nil && !greets {
				t.Error("ready without a hello")
			}
			s.Turn(func() { s.Serve = func(_ int, p *slacktest.Peer) { p.Stay() } }) // the storm is over
			time.Sleep(3 * time.Minute)
			if err := p.health.Ready(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A connection on which nothing comes any more is noticed, and replaced.
func TestHalfOpenConnectionIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(n int, p *slacktest.Peer) {
			if n > 0 {
				p.Stay()
				return
			}
			p.Mute.Store(true)
			p.Say(slacktest.HelloHour)
			p.Read() // and never a word again
		}
		p := runSockets(t, s, Options{Count: 1})
		time.Sleep(30 * time.Second)
		if n := len(s.Opens()); n != 1 {
			t.Fatalf("%d connections after 30 s, want 1", n)
		}
		time.Sleep(5 * time.Second)
		state := p.health.Sockets()[0]
		if state.Ended[Silent] != 1 || state.Opened != 2 || p.health.Ready() != nil {
			t.Errorf("after 35 s: %+v, want the silent connection replaced", state)
		}
		t.Logf("replaced after %v", s.Opens()[1])
	})
}

// One on which nobody asks anything, but which Slack pings, stays.
func TestQuietConnectionStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		p := runSockets(t, s, Options{Count: 1})
		time.Sleep(50 * time.Minute)
		state := p.health.Sockets()[0]
		if n := len(s.Opens()); n != 1 || state.Opened != 1 {
			t.Errorf("%d connections in 50 quiet minutes, want 1: %+v", n, state)
		}
		if old := time.Since(state.LastByte); old > 6*time.Second {
			t.Errorf("the last byte came %v ago, want the last ping", old)
		}
	})
}

// Each refusal for good ends it, with the cure; one of them is Slack's word on a connection that stands.
func TestRefusalForGoodEndsTheSockets(t *testing.T) {
	for _, code := range []string{
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type", "missing_scope", "team_access_not_granted",
		"org_login_required", "team_disabled", "user_removed_from_team", "forbidden_team", "app_not_found", "socket_mode_not_enabled", "socket_mode_disabled", "link_disabled",
	} {
		cure := slackapi.Cure(slack.SlackErrorResponse{Err: code})
		synctest.Test(t, func(t *testing.T) {
			s := slacktest.NewPipeSlack(t)
			if code == "link_disabled" {
				s.Serve = func(_ int, p *slacktest.Peer) {
					p.Say(slacktest.HelloHour)
					s.Rest(20 * time.Second)
					p.Say(slacktest.Dismissal(code))
				}
			} else {
				s.Refuse = func(string) string { return code }
			}
			p := runSockets(t, s, Options{})
			err := <-p.ended
			p.ended <- err
			if err == nil || !strings.Contains(err.Error(), code) || cure == "" || !strings.Contains(err.Error(), cure) {
				t.Errorf("%s: ended with %v, want the cure %q", code, err, cure)
			}
		})
	}
}

// A pause that Slack asked one socket for is not cut short by the failure of another.
func TestPauseIsKeptByAllSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &reconnectLimiter{minInterval: 3 * time.Second, maxInterval: 30 * time.Second, shortLife: time.Minute}
		p.failed(40 * time.Second)
		p.failed(0)
		if d := p.reserve(time.Now()); d != 40*time.Second {
			t.Errorf("the next call is made in %v, want 40s", d)
		}
	})
}

// What passes does not end it.
func TestPassingTroubleEndsNothing(t *testing.T) {
	for _, code := range []string{"429", "internal_error", "ratelimited", "service_unavailable"} {
		synctest.Test(t, func(t *testing.T) {
			s := slacktest.NewPipeSlack(t)
			s.Refuse = func(string) string { return code }
			p := runSockets(t, s, Options{})
			time.Sleep(10 * time.Second)
			if err := p.health.Ready(); err == nil || strings.Contains(err.Error(), "xapp-") {
				t.Errorf("%s: ready %v, want why not", code, err)
			}
			if n := len(s.Opens()); code == "429" && n != 1 {
				t.Errorf("%d calls, want the pause kept that Slack asks for", n)
			}
			s.Turn(func() { s.Refuse = func(string) string { return "" } })
			time.Sleep(time.Minute)
			if err := p.health.Ready(); err != nil {
				t.Errorf("%s: %v", code, err)
			}
			if sum := p.health.Sockets()[0].Failed + p.health.Sockets()[1].Failed; sum == 0 {
				t.Error("no failure is counted")
			}
		})
	}
}

// New app-level token: the next connection is there before the old one goes, one socket after another.
func TestRotationReplacesTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		p := runSockets(t, s, Options{})
		time.Sleep(time.Minute)
		p.tokens.Rotate("", "xoxb-2")
		time.Sleep(time.Minute)
		if n := len(s.Opens()); n != 2 {
			t.Fatalf("%d connections after a new bot token, want the 2 from before", n)
		}
		s.Turn(func() { s.Refuse = refusing("xapp-1", "token_revoked") }) // in the same moment
		p.tokens.Rotate("xapp-2", "")
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			if err := p.health.Ready(); err != nil {
				t.Fatal(err)
			}
		}
		for _, state := range p.health.Sockets() {
			if state.Opened != 2 || state.Ended[Rotated] != 1 {
				t.Errorf("%+v, want one connection replaced because of the token", state)
			}
		}
		if want := []string{"xapp-1", "xapp-1", "xapp-2", "xapp-2"}; !slices.Equal(s.Tokens(), want) {
			t.Errorf("opened by %v, want %v", s.Tokens(), want)
		}
	})
}

// refusing refuses one token.
func refusing(bad, why string) func(string) string {
	return func(token string) string {
		if token == bad {
			return why
		}
		return ""
	}
}

// A token that is refused when there is a newer one already is no reason to end.
func TestRotationHealsARevokedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		tokens := slackapi.NewTokens("xapp-1", "xoxb-1")
		s.Refuse = func(token string) string {
			if token == "xapp-1" {
				tokens.Rotate("xapp-2", "") // while the call is on its way
				return "token_revoked"
			}
			return ""
		}
		p := runWith(t, s, tokens, Options{Count: 1})
		time.Sleep(time.Minute)
		if err := p.health.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// A new token that is wrong takes nothing away, and once it is right again nothing is left of it.
func TestRotationToAWrongTokenKeepsTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		p := runSockets(t, s, Options{})
		time.Sleep(time.Minute)
		s.Turn(func() { s.Refuse = refusing("xapp-wrong", "invalid_auth") })
		p.tokens.Rotate("xapp-wrong", "")
		time.Sleep(20 * time.Minute)
		if err := p.health.Ready(); err != nil || len(s.Opens()) > 4 {
			t.Errorf("%v after %d calls, want the old connections kept and one try each", err, len(s.Opens()))
		}
		p.tokens.Rotate("xapp-3", "")
		time.Sleep(time.Minute)
		for _, state := range p.health.Sockets() {
			if state.Ended[Rotated] != 1 || state.Connected.IsZero() {
				t.Errorf("%+v, want a connection by the third token", state)
			}
		}
	})
}

// lastEvent reads what the sockets gave to the bot.
func (p *piped) lastEvent(t *testing.T) socketmode.Event {
	t.Helper()
	synctest.Wait()
	select {
	case e := <-p.events:
		return e
	default:
		t.Fatal("no event")
		return socketmode.Event{}
	}
}

// nextEvent waits for what the sockets give to the bot.
func (p *piped) nextEvent(t *testing.T) socketmode.Event {
	t.Helper()
	select {
	case e := <-p.events:
		return e
	case <-time.After(time.Minute):
		t.Fatal("no event")
		return socketmode.Event{}
	}
}

// An answer that may have gone down with its connection is given back, one that has arrived is not.
func TestAnswersThatAreLostWithTheirConnection(t *testing.T) {
	for name, c := range map[string]struct {
		pongs bool // Slack answers the ping behind the answer
		bye   bool // it ends in order
		lost  bool
	}{
		"cut before Slack's word of it": {false, false, true},
		"cut after it":                  {true, false, false},
		"closed in order":               {false, true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := slacktest.NewPipeSlack(t)
			s.Serve = func(n int, p *slacktest.Peer) {
				if n > 0 {
					p.Stay()
					return
				}
				if !c.pongs {
					p.Mute.Store(true)
				}
				go p.Read()
				p.Say(slacktest.HelloHour)
				p.Say(slacktest.Typing("e1"))
				<-p.Acks
				s.Rest(time.Second)
				if c.bye {
					_ = p.WriteControl(8, []byte{3, 232}, time.Now().Add(time.Second))
					s.Rest(time.Second)
				}
			}
			p := runSockets(t, s, Options{Count: 1})
			if e := p.lastEvent(t); e.Request.EnvelopeID != "e1" {
				t.Fatalf("got %+v", e)
			}
			if err := p.AckCtx(t.Context(), "e1", json.RawMessage(`{"text":"answer"}`)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
			lost := len(p.events) == 1
			if lost != c.lost {
				t.Errorf("%s: given back %v, want %v", name, lost, c.lost)
			}
		})
	}
}

// Where Slack answers pings, a connection that swallows an answer is known to be dead after seconds.
func TestSwallowedAnswerIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(n int, p *slacktest.Peer) {
			if n > 0 {
				p.Stay()
				return
			}
			go p.Read()
			p.Say(slacktest.HelloHour)
			s.Rest(time.Second)
			p.Mute.Store(true)
			p.Say(slacktest.Typing("e1"))
			s.Rest(time.Hour)
		}
		p := runSockets(t, s, Options{Count: 1})
		time.Sleep(2 * time.Second)
		p.lastEvent(t)
		began := time.Now()
		if err := p.AckCtx(t.Context(), "e1", json.RawMessage(`{"text":"answer"}`)); err != nil {
			t.Fatal(err)
		}
		e := <-p.events
		if took := time.Since(began); e.Type != socketmode.EventTypeErrorWriteFailed || took > 6*time.Second {
			t.Errorf("got %s after %v, want the answer back after 5 s", e.Type, took)
		}
		time.Sleep(time.Second)
	})
}

// Acknowledgements in quick succession share a ping. It confirms all of them, and the last is missed like any other.
func TestAcknowledgementsShareAPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 50
		var pings atomic.Int64
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(_ int, p *slacktest.Peer) {
			if pings.Load() > 0 {
				p.Stay()
				return
			}
			pong := p.PingHandler()
			p.SetPingHandler(func(data string) error {
				pings.Add(1)
				return pong(data)
			})
			go p.Read()
			p.Say(slacktest.HelloHour)
			for i := range n {
				p.Say(slacktest.Typing(fmt.Sprint("e", i)))
				s.Rest(5 * time.Millisecond)
			}
			s.Rest(20 * time.Second)
			p.Mute.Store(true)
			p.Say(slacktest.Typing("swallowed"))
			s.Rest(time.Hour)
		}
		p := runSockets(t, s, Options{Count: 1})
		acknowledge := func() string {
			e := p.nextEvent(t)
			if err := p.AckCtx(t.Context(), e.Request.EnvelopeID, json.RawMessage(`{"text":"answer"}`)); err != nil {
				t.Fatal(err)
			}
			return e.Request.EnvelopeID
		}
		for range n {
			acknowledge()
		}
		time.Sleep(10 * time.Second) // long enough to miss a pong
		if got := pings.Load(); got < 3 || got > 6 {
			t.Errorf("%d pings for %d acknowledgements within a quarter of a second, want one each tenth of a second", got, n)
		}
		if id := acknowledge(); id != "swallowed" {
			t.Fatalf("got %s, want no acknowledgement given back", id)
		}
		if e := p.nextEvent(t); e.Type != socketmode.EventTypeErrorWriteFailed || e.Data.(*socketmode.ErrorWriteFailed).Response.EnvelopeID != "swallowed" {
			t.Errorf("got %+v, want the swallowed acknowledgement back", e)
		}
	})
}

// An acknowledgement that waits for its ping is not taken for arrived: one that goes down meanwhile is given back.
func TestAnAcknowledgementWithoutItsPingIsNotConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(n int, p *slacktest.Peer) {
			if n > 0 {
				p.Stay()
				return
			}
			go p.Read()
			p.Say(slacktest.HelloHour)
			p.Say(slacktest.Typing("e1"))
			<-p.Acks
			s.Rest(pingInterval / 4)
			p.Say(slacktest.Typing("e2"))
			<-p.Acks
			s.Rest(pingInterval / 4)
		}
		p := runSockets(t, s, Options{Count: 1})
		for range 2 {
			e := p.nextEvent(t)
			if err := p.AckCtx(t.Context(), e.Request.EnvelopeID, json.RawMessage(`{"text":"answer"}`)); err != nil {
				t.Fatal(err)
			}
		}
		if e := p.nextEvent(t); e.Type != socketmode.EventTypeErrorWriteFailed || e.Data.(*socketmode.ErrorWriteFailed).Response.EnvelopeID != "e2" {
			t.Errorf("got %+v, want the second acknowledgement back", e)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(p.events) > 0 {
			t.Errorf("and %+v", <-p.events)
		}
	})
}

// A connection that Slack will end is left in order: its envelopes are acknowledged there, their answers take the other way.
func TestDismissedConnectionIsSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acks := make(chan socketmode.Response, 10)
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(n int, p *slacktest.Peer) {
			if n > 0 {
				p.Stay()
				return
			}
			p.Acks = acks
			go p.Read()
			p.Say(slacktest.HelloHour)
			p.Say(slacktest.Typing("e1"))
			s.Rest(time.Second)
			p.Say(slacktest.Dismissal("refresh_requested"))
			s.Rest(time.Hour)
		}
		p := runSockets(t, s, Options{Count: 1})
		time.Sleep(2 * time.Second)
		p.lastEvent(t)
		if ack := <-acks; ack.EnvelopeID != "e1" || ack.Payload != nil {
			t.Errorf("acknowledged %+v, want e1 without an answer", ack)
		}
		if err := p.AckCtx(t.Context(), "e1", json.RawMessage(`{"text":"answer"}`)); !errors.Is(err, ErrAcknowledged) {
			t.Errorf("an answer for it: %v, want %v", err, ErrAcknowledged)
		}
		if err := p.AckCtx(t.Context(), "e1", nil); err != nil {
			t.Errorf("a second acknowledgement: %v, want none needed", err)
		}
		if len(acks) != 0 {
			t.Errorf("%d more acknowledgements", len(acks))
		}
	})
}

// Only an acknowledgement without an answer takes another connection, and it waits for one.
func TestAckWhoseConnectionIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acks := make(chan socketmode.Response, 10)
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(n int, p *slacktest.Peer) {
			if n > 0 {
				p.Acks = acks
				p.Stay()
				return
			}
			p.Say(slacktest.HelloHour)
			p.Say(slacktest.Typing("e1"))
			s.Rest(10 * time.Second)
		}
		p := runSockets(t, s, Options{Count: 1})
		time.Sleep(10 * time.Second)
		p.lastEvent(t)
		if err := p.AckCtx(t.Context(), "e1", json.RawMessage(`{"text":"answer"}`)); err == nil {
			t.Error("an answer took another connection")
		}
		ctx, cancel := context.WithTimeout(t.Context(), AckTimeout)
		defer cancel()
		if err := p.AckCtx(ctx, "e1", nil); err != nil {
			t.Error(err)
		}
		if ack := <-acks; ack.EnvelopeID != "e1" || ack.Payload != nil {
			t.Errorf("the other connection got %+v", ack)
		}
	})
}

// The end is in order: Slack sees a close frame.
func TestStopSendsACloseFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		codes := make(chan int, 2)
		s.Serve = func(_ int, p *slacktest.Peer) {
			answer := p.CloseHandler()
			p.SetCloseHandler(func(code int, text string) error {
				codes <- code
				return answer(code, text)
			})
			p.Stay()
		}
		p := runSockets(t, s, Options{})
		time.Sleep(10 * time.Second)
		began := time.Now()
		p.stop()
		if took := time.Since(began); took > 2*time.Second || len(codes) != 2 || <-codes != 1000 {
			t.Errorf("ended after %v with %d close frames, want one for each connection, at once", took, len(codes))
		}
	})
}

// Whoever does not read answers no ping; so an event that the bot does not take is dropped after a while.
func TestUnreadEventsDoNotKillTheConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(_ int, p *slacktest.Peer) {
			go func() {
				for i := range 200 {
					p.Say(slacktest.Typing(fmt.Sprint("e", i)))
				}
			}()
			p.Stay()
		}
		p := runSockets(t, s, Options{Count: 1})
		time.Sleep(20 * time.Minute)
		state := p.health.Sockets()[0]
		if state.Opened != 1 || time.Since(state.LastByte) > 10*time.Second {
			t.Errorf("%+v, want the connection alive though nobody takes what comes on it", state)
		}
	})
}

// A message that cannot be read does not cost the connection.
func TestUnreadableMessagesDoNotEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(_ int, p *slacktest.Peer) {
			p.Say(slacktest.HelloHour)
			for range 20 {
				p.Say(`{"type":`)
				p.Say(``)
				p.Say(`[]`)
			}
			p.Say(`{"type":"brand_new"}`)
			p.Say(`{"type":"brand_new","envelope_id":"e1"}`)
			p.Read()
		}
		p := runSockets(t, s, Options{Count: 1})
		if e := p.lastEvent(t); e.Request.EnvelopeID != "e1" || p.health.Sockets()[0].Opened != 1 {
			t.Errorf("got %+v", e)
		}
	})
}

// A Web API that swallows calls does not hang the bot.
func TestSwallowedCallsAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		s.Swallow.Store(true)
		p := runSockets(t, s, Options{Count: 1})
		time.Sleep(time.Minute)
		s.Swallow.Store(false)
		time.Sleep(time.Minute)
		if err := p.health.Ready(); err != nil {
			t.Errorf("%v, after %d calls", err, len(s.Opens()))
		}
	})
}

// The dialer has all that a WebSocket to Slack needs: a proxy, an end to waiting, and a buffer for the largest message.
func TestDialerHasAProxyAndAnEndToWaiting(t *testing.T) {
	t.Parallel()
	d := newDialer()
	if d.Proxy == nil || d.HandshakeTimeout <= 0 || d.HandshakeTimeout > 20*time.Second || d.WriteBufferSize < maxResponse || d.EnableCompression {
		t.Errorf("dialer %+v", d)
	}
}

// Who is told to stop opens nothing any more.
func TestEndedContextOpensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		p := runSockets(t, s, Options{})
		p.stop()
		before := len(s.Opens())
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		if err := p.Run(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if n := len(s.Opens()) - before; n != 0 {
			t.Errorf("%d calls", n)
		}
	})
}

// Nobody waits for ever for a connection to acknowledge on.
func TestAckGivesUpWithoutAnyConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		s.Refuse = func(string) string { return "internal_error" }
		p := runSockets(t, s, Options{})
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), AckTimeout)
		defer cancel()
		for range 30 { // more than any queue between here and a connection would take
			if err := p.AckCtx(ctx, "e1", nil); err == nil {
				t.Error("acknowledged without a connection")
			}
		}
		if took := time.Since(began); took > AckTimeout {
			t.Errorf("gave up after %v, want %v", took, AckTimeout)
		}
	})
}

// Slack may switch Socket Mode off on a connection that has just said hello.
func TestSocketModeOffBehindHello(t *testing.T) {
	for range 20 { // which of the two is seen first is chance
		synctest.Test(t, func(t *testing.T) {
			s := slacktest.NewPipeSlack(t)
			s.Serve = func(n int, p *slacktest.Peer) {
				if n > 0 { // the word was given once
					p.Stay()
					return
				}
				p.Say(slacktest.HelloHour)
				p.Say(slacktest.Dismissal("link_disabled"))
			}
			p := runSockets(t, s, Options{Count: 1})
			select {
			case err := <-p.ended:
				p.ended <- err
				if !strings.Contains(err.Error(), "link_disabled") {
					t.Errorf("ended with %v", err)
				}
			case <-time.After(time.Minute):
				t.Error("still there")
			}
		})
	}
}

// Connections that break together are there again soon, also when the network does so twice: it is no storm.
func TestBreaksOfAllConnectionsAreMendedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every, breaks = 45 * time.Second, 2
		s := slacktest.NewPipeSlack(t)
		s.Serve = func(_ int, p *slacktest.Peer) {
			life := every - time.Since(s.Began)%every
			cut := time.AfterFunc(life, func() { _ = p.Close() })
			defer cut.Stop()
			p.Stay()
		}
		p := runSockets(t, s, Options{Count: 3})
		for n := range breaks {
			time.Sleep(every - time.Since(s.Began)%every + 20*time.Second)
			for _, one := range p.health.Sockets() {
				if one.Connected.IsZero() {
					t.Errorf("break %d: 20 s later socket %d is not connected", n+1, one.Number)
				}
			}
		}
		if n := len(s.Opens()); n != 3*(breaks+1) {
			t.Errorf("%d connections were opened, want each one once", n)
		}
	})
}

// An acknowledgement is what package json makes of it.
func TestAcknowledgementsAreJSON(t *testing.T) {
	t.Parallel()
	for _, payload := range []any{nil, json.RawMessage(`{"text":"\u003cb\u003e"}`), map[string]string{"text": "<b> \xff\u2028"}} {
		ack := socketmode.Response{EnvelopeID: `e"1`, Payload: payload}
		want, err := json.Marshal(ack)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ackJSON(ack)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(bytes.Join(got, nil))); diff != "" {
			t.Errorf("%T (-want +got):\n%s", payload, diff)
		}
	}
}
