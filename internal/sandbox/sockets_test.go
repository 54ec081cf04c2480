package sandbox

import (
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

func TestHello(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	for want := range 2 {
		hello := dial(t, ticketURL(t, w)).read()
		if hello.Type != "hello" || hello.NumConnections != want+1 || hello.ConnectionInfo["app_id"] != AppID {
			t.Errorf("hello = %+v, want connection %d of %s", hello, want+1, AppID)
		}
		if hello.DebugInfo["approximate_connection_time"] != 3600.0 {
			t.Errorf("debug_info = %v, want an hour", hello.DebugInfo)
		}
	}
}

func TestTicketWorksOnce(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	url := ticketURL(t, w)
	dial(t, url).read()
	_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err == nil {
		t.Fatal("a used ticket opened a socket")
	}
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("status = %d, want 403", resp.StatusCode)
	}
	_ = resp.Body.Close()
}

func TestEleventhConnection(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	for range sockets.MaxConnections {
		greeted(t, w)
	}
	late := dial(t, ticketURL(t, w))
	if r := late.read(); r.Type != "disconnect" || r.Reason != "too_many_websockets" {
		t.Errorf("the eleventh got %+v, want disconnect", r)
	}
	if _, err := late.next(); err == nil {
		t.Error("the eleventh connection stays open")
	}
	if got := w.Connections(); got != sockets.MaxConnections {
		t.Errorf("connections = %d, want %d", got, sockets.MaxConnections)
	}
}

// sized is an acknowledgement of exactly n bytes.

func TestRoundRobin(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	conns := []*wire{greeted(t, w), greeted(t, w)}
	seen := map[string]bool{}
	for range conns {
		done := command(t, w, "/missingkbs x")
		_ = done
	}
	for _, a := range conns {
		r := a.read()
		seen[r.EnvelopeID] = true
		a.ack(r.EnvelopeID, nil)
	}
	if len(seen) != 2 {
		t.Errorf("envelopes %v, want one on each connection", seen)
	}
}

func TestRedeliverFault(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	w.SetFaults(faults.Switches{Redeliver: true})
	done := command(t, w, "/missingkbs x")
	first, second := a.read(), a.read()
	if first.EnvelopeID != second.EnvelopeID {
		t.Errorf("envelopes %s and %s, want the same twice", first.EnvelopeID, second.EnvelopeID)
	}
	a.ack(first.EnvelopeID, object{"text": "once"})
	a.ack(second.EnvelopeID, object{"text": "twice"})
	if d := await(t, done); d.Copies != 2 {
		t.Errorf("sent %d times, want twice", d.Copies)
	}
	// An app that answers both is seen to.
	if _, err := w.WaitMessage(soon(t), General, Alice, func(m Message) bool { return m.Text == "twice" }); err != nil {
		t.Error(err)
	}
}

func TestDropAcksFault(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.ack = 50 * time.Millisecond })
	a := greeted(t, w)
	w.SetFaults(faults.Switches{DropAcks: true})
	done := command(t, w, "/missingkbs x")
	a.ack(a.read().EnvelopeID, nil)
	if d := await(t, done); d.Err != sockets.NoAck {
		t.Errorf("error = %q, want %q", d.Err, sockets.NoAck)
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{"refresh_requested", "link_disabled"} {
		w := workspace(t, Options{})
		a := greeted(t, w)
		w.Disconnect(reason)
		if r := a.read(); r.Type != "disconnect" || r.Reason != reason {
			t.Errorf("got %+v, want disconnect %s", r, reason)
		}
		if _, err := a.next(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			t.Errorf("then %v, want an orderly close", err)
		}
		if err := w.Wait(soon(t), func() bool { return w.Connections() == 0 }); err != nil {
			t.Error(err)
		}
	}
}

func TestWarningComesBeforeTheRefresh(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.warning, s.lifetime = 20*time.Millisecond, 40*time.Millisecond })
	a := greeted(t, w) // the lifetime alone brings both
	for _, want := range []string{"warning", "refresh_requested"} {
		if r := a.read(); r.Reason != want {
			t.Errorf("reason %q, want %q", r.Reason, want)
		}
	}
}

func TestDropIsWithoutAWord(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	w.Drop()
	if _, err := a.next(); err == nil || websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Errorf("read after a cut: %v, want a broken connection", err)
	}
}

func TestPings(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.ping = 10 * time.Millisecond })
	a := greeted(t, w)
	pings := make(chan struct{}, 1)
	a.ws.SetPingHandler(func(string) error {
		select {
		case pings <- struct{}{}:
		default:
		}
		return nil
	})
	go func() { _, _ = a.next() }()
	select {
	case <-pings:
	case <-soon(t).Done():
		t.Error("no ping came")
	}
}
