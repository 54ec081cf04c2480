package sandbox

import (
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

func TestDisconnectOneLeavesTheOthers(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	first, second := greeted(t, w), greeted(t, w)
	if !w.DisconnectOne("refresh_requested") {
		t.Fatal("there was none to disconnect")
	}
	if r := first.read(); r.Reason != "refresh_requested" {
		t.Errorf("the oldest got %+v, want a disconnect", r)
	}
	done := command(t, w, "/missingkbs x")
	second.ack(second.read().EnvelopeID, nil)
	if d := await(t, done); !d.Acked {
		t.Errorf("delivery %+v, want one on the other connection", d)
	}
}

func TestDisconnectOneWarnsEachOnce(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	for _, a := range []*wire{greeted(t, w), greeted(t, w)} {
		w.DisconnectOne("warning")
		if r := a.read(); r.Reason != "warning" {
			t.Errorf("got %+v, want a warning", r)
		}
	}
	if w.DisconnectOne("warning") {
		t.Error("there was one more to warn")
	}
}

func TestDropOneIsWithoutAWord(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	first, second := greeted(t, w), greeted(t, w)
	if !w.DropOne() {
		t.Fatal("there was none to cut")
	}
	if _, err := first.next(); err == nil || websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("after the cut: %v, want a broken connection", err)
	}
	done := command(t, w, "/missingkbs x")
	second.ack(second.read().EnvelopeID, nil)
	if d := await(t, done); !d.Acked || w.Connections() != 1 {
		t.Errorf("delivery %+v on %d connections, want one on the other", d, w.Connections())
	}
}

func TestHushedSocketsStayOpenAndSayNothing(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.ping, s.ack = 10*time.Millisecond, 50*time.Millisecond })
	a := greeted(t, w)
	w.Stall()
	done := command(t, w, "/missingkbs x")
	if d := await(t, done); d.Err != sockets.NoAck || w.Connections() != 1 {
		t.Errorf("delivery %+v on %d connections, want none on one", d, w.Connections())
	}
	pings := make(chan struct{}, 100)
	a.ws.SetPingHandler(func(string) error { pings <- struct{}{}; return nil })
	_ = a.ws.SetReadDeadline(time.Now().Add(60 * time.Millisecond))
	if _, _, err := a.ws.ReadMessage(); err == nil {
		t.Error("a message came out of it")
	}
	if len(pings) > 2 { // those from before
		t.Errorf("%d pings came out of it", len(pings))
	}
}

func TestDismissFault(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	w.SetFaults(faults.Switches{Dismiss: "too_many_websockets"})
	a := greeted(t, w)
	if r := a.read(); r.Reason != "too_many_websockets" {
		t.Errorf("got %+v, want a disconnect", r)
	}
	if _, err := a.next(); err == nil {
		t.Error("the connection stays open")
	}
}

func TestMoreTokens(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	for _, c := range []struct{ method, old, more string }{
		{"apps.connections.open", w.AppToken(), w.NewAppToken()},
		{"auth.test", w.BotToken(), w.NewBotToken()},
	} {
		for _, token := range []string{c.old, c.more} {
			if answer := post(t, w, c.method, token, nil); answer["ok"] != true {
				t.Errorf("%s: %v, want both tokens to work", c.method, answer)
			}
		}
		w.RefuseToken(c.old, "token_revoked")
		if answer := post(t, w, c.method, c.old, nil); answer["error"] != "token_revoked" {
			t.Errorf("%s with the old token: %v", c.method, answer)
		}
		if answer := post(t, w, c.method, c.more, nil); answer["ok"] != true {
			t.Errorf("%s with the new token: %v", c.method, answer)
		}
	}
	if answer := post(t, w, "auth.test", w.NewAppToken(), nil); answer["error"] != "not_allowed_token_type" {
		t.Errorf("auth.test with an app token: %v", answer)
	}
}
