package sandbox

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/ui"
)

type stream struct {
	t     *testing.T
	lines *bufio.Scanner
}

type sent struct{ id, name, data string }

func follow(t *testing.T, w *Workspace, last string) stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.URL()+"/ui/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	s := stream{t, lines}
	for s.lines.Scan() && s.lines.Text() != "" { // the retry line: the server listens now
	}
	return s
}

func (s stream) next() (e sent) {
	s.t.Helper()
	for s.lines.Scan() {
		key, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch key {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	s.t.Fatalf("the stream ended: %v", s.lines.Err())
	return e
}

func (s stream) until(name string) sent {
	s.t.Helper()
	for {
		if e := s.next(); e.name == name {
			return e
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	s := follow(t, w, "")
	ts := posted(t, w, General)
	message := s.until("message")
	if !strings.Contains(message.data, `"channel":"C0GENERAL","message":{"ts":"`+ts) {
		t.Errorf("message event = %s", message.data)
	}
	form(t, w, "chat.delete", w.BotToken(), url.Values{"channel": {General}, "ts": {ts}})
	if e := s.until("message_deleted"); !strings.Contains(e.data, ts) {
		t.Errorf("message_deleted event = %s", e.data)
	}
	a := greeted(t, w)
	if e := s.until("connections"); e.data != `{"connections":1}` {
		t.Errorf("connections event = %s", e.data)
	}
	id := modal(t, w, a)
	if e := s.until("view"); !strings.Contains(e.data, id) {
		t.Errorf("view event = %s", e.data)
	}
	w.SetFaults(faults.Switches{Redeliver: true})
	if e := s.until("faults"); !strings.Contains(e.data, `"slack_redeliver":true`) {
		t.Errorf("faults event = %s", e.data)
	}
	w.Advance(time.Hour)
	s.until("clock")

	// Coming back: what was missed follows, or the page is told to read everything.
	if e := follow(t, w, message.id).until("message_deleted"); !strings.Contains(e.data, ts) {
		t.Errorf("after coming back: %s, want what was missed", e.data)
	}
	if e := follow(t, w, "999999").next(); e.name != "state_reset" {
		t.Errorf("with an unknown id: %s, want state_reset", e.name)
	}
}

func TestSlowPageIsDropped(t *testing.T) {
	t.Parallel()
	f := ui.NewFeed()
	slow, _ := f.Subscribe(-1)
	for range cap(slow) + 1 {
		f.Send("x", nil)
	}
	n := 0
	for range slow { // ends, because it was closed
		n++
	}
	if n != cap(slow) {
		t.Errorf("%d events, want %d and the end", n, cap(slow))
	}
	f.Unsubscribe(slow) // harmless
	late, complete := f.Subscribe(1)
	if complete {
		t.Error("events that are no longer kept count as complete")
	}
	f.Close()
	for range late {
	}
	if _, complete := f.Subscribe(-1); !complete {
		t.Error("after the end there is nothing to miss")
	}
}
