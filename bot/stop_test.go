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
	"github.com/slack-go/slack"
	slacksocket "github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/bot/socketmode"
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
func ackSays(r slacksocket.Response) string {
	payload, _ := r.Payload.(map[string]any)
	text, _, _ := strings.Cut(fmt.Sprint(payload["text"]), "\n")
	if r.Payload == nil {
		text = "nothing"
	}
	return r.EnvelopeID + " " + text
}

// stopped makes the connections of a bot, and does not run them.
func stopped(s *slacktest.PipeSlack, o Options) (slackapi.Config, *socketmode.Connections) {
	config := slackapi.Config{Tokens: slackapi.NewTokens("xapp-1", "xoxb-1"), APIURL: slacktest.APIURL, HTTP: s.Client()}
	so := socketOptions(o.withDefaults())
	so.Dial = s.Dial
	return config, socketmode.New(config, so)
}

// While the last answers go out, the connections bring more: whoever asks now is told, and it is counted.
func TestStopTellsThoseWhoAskWhileAnswersGoOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slacktest.NewPipeSlack(t)
		acks := make(chan slacksocket.Response, 100)
		s.Serve = func(_ int, p *slacktest.Peer) {
			p.Acks = acks
			go func() {
				s.Rest(10*time.Second + 100*time.Millisecond) // the bot stops after ten seconds
				for n := range 6 {
					p.Say(slacktest.Typing(fmt.Sprint("late", n)))
					s.Rest(150 * time.Millisecond)
				}
			}()
			p.Stay()
		}
		o := &observer{}
		config, conns := stopped(s, Options{Sockets: 1})
		b := newBot(answers(echo), conns, slackapi.NewWebhook(&http.Client{Transport: slowly(950 * time.Millisecond)}, slack.APIURL), Options{Gate: testGate(access.NewDirectory(&fakeSlack{})), Observe: o.observe})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run(ctx, b, config, conns) }()
		time.Sleep(10*time.Second - time.Millisecond)
		b.lostAck(slacksocket.Event{ // an answer that takes the other way just now
			Type: slacksocket.EventTypeErrorWriteFailed,
			Data: &slacksocket.ErrorWriteFailed{Response: &slacksocket.Response{EnvelopeID: "old", Payload: &ackAnswer{to: replyTo{responseURL: slackapi.NewResponseURL("https://hooks.slack.com/old")}}}},
		})
		time.Sleep(time.Millisecond)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Finish()
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
		s := slacktest.NewPipeSlack(t)
		acks := make(chan slacksocket.Response, 10)
		s.Serve = func(_ int, p *slacktest.Peer) {
			p.Acks = acks
			go func() {
				s.Rest(time.Second)
				p.Say(slacktest.Typing("e1"))
				p.Say(`{"envelope_id":"e2","type":"interactive","payload":{}}`)
			}()
			p.Stay()
		}
		counts := &Counts{}
		_, conns := stopped(s, Options{Sockets: 1, Counts: counts})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- conns.Run(ctx) }()
		time.Sleep(2 * time.Second)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		conns.Close()
		s.Finish()
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
