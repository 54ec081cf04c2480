package bot

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// slowly takes every answer after a while.
type slowly time.Duration

func (d slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Duration(d)):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
}

// ackSays is what an acknowledgement says.
func ackSays(r socketmode.Response) string {
	payload, _ := r.Payload.(map[string]any)
	text, _, _ := strings.Cut(fmt.Sprint(payload["text"]), "\n")
	if r.Payload == nil {
		text = "nothing"
	}
	return r.EnvelopeID + " " + text
}

// While the last answers go out, the connections bring more: whoever asks now is told, and it is counted.
func TestStopTellsThoseWhoAskWhileAnswersGoOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPipeSlack(t)
		acks := make(chan socketmode.Response, 100)
		s.serve = func(_ int, p *peer) {
			p.acks = acks
			go func() {
				s.rest(10*time.Second + 100*time.Millisecond) // the bot stops after ten seconds
				for n := range 6 {
					p.say(typing(fmt.Sprint("late", n)))
					s.rest(150 * time.Millisecond)
				}
			}()
			p.stay()
		}
		o := &observer{}
		p := s.piped(slackapi.NewTokens("xapp-1", "xoxb-1"), Options{Sockets: 1, Gate: testGate(&fakeSlack{}), Observe: o.observe}.withDefaults())
		b := newBot(answers(echo), p.sockets, slackapi.NewWebhook(&http.Client{Transport: slowly(950 * time.Millisecond)}, slack.APIURL), Options{Gate: testGate(&fakeSlack{}), Observe: o.observe})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run(ctx, b, p.sockets) }()
		time.Sleep(10*time.Second - time.Millisecond)
		p.events <- socketmode.Event{ // an answer that takes the other way just now
			Type: socketmode.EventTypeErrorWriteFailed,
			Data: &socketmode.ErrorWriteFailed{Response: &socketmode.Response{EnvelopeID: "old", Payload: &carried{to: replyTo{responseURL: slackapi.NewResponseURL("https://hooks.slack.com/old")}}}},
		}
		time.Sleep(time.Millisecond)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = s.Close()
		s.links.Wait()
		close(acks)
		var got, want []string
		for ack := range acks {
			got = append(got, ackSays(ack))
		}
		for n := range 6 {
			want = append(want, fmt.Sprintf("late%d The bot is restarting", n))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("acknowledged (-want +got):\n%s", diff)
		}
		if n := o.outcomes()[string(Restarting)]; n != len(want) {
			t.Errorf("%d observed, want %d", n, len(want))
		}
	})
}

// What comes when nobody takes it any more is not acknowledged as if somebody had.
func TestStopTellsWhoseCommandsNobodyTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPipeSlack(t)
		acks := make(chan socketmode.Response, 10)
		s.serve = func(_ int, p *peer) {
			p.acks = acks
			go func() {
				s.rest(time.Second)
				p.say(typing("e1"))
				p.say(`{"envelope_id":"e2","type":"interactive","payload":{}}`)
			}()
			p.stay()
		}
		counts := &Counts{}
		p := s.run(t, Options{Sockets: 1, Counts: counts})
		time.Sleep(2 * time.Second)
		p.stop()
		close(acks)
		var got []string
		for ack := range acks {
			got = append(got, ackSays(ack))
		}
		if diff := cmp.Diff([]string{"e1 The bot is restarting"}, got); diff != "" {
			t.Errorf("acknowledged (-want +got):\n%s", diff)
		}
		if n := counts.Stats(); n.Untaken != 1 || n.Dropped != 1 {
			t.Errorf("counted %+v, want the command untaken, and the click dropped", n)
		}
	})
}
