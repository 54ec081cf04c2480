package bot

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/view"
)

// A Slack that wants to be left alone for hours, or that swallows calls, does not hold up the start for ever.
func TestStartWaitsOnlySoLong(t *testing.T) {
	for name, answer := range map[string]slacktest.RoundTrip{
		"pause": func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"36000"}}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
		},
		"silence": func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := slackapi.Config{Tokens: slackapi.NewTokens("xapp-1", "xoxb-1"), APIURL: "http://slack.test/api/", HTTP: &http.Client{Transport: answer}}
				began := time.Now()
				if _, err := slackapi.SignIn(t.Context(), c); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "check that this machine reaches Slack") {
					t.Errorf("signed in: %v", err)
				}
				if took := time.Since(began); took > slackapi.StartTimeout {
					t.Errorf("signing in took %v", took)
				}
				gate := access.NewGate(access.NewDirectory(c.ClientWithoutRetry()), slackapi.Workspace{}, access.Options{Policy: access.Policy{AskGroups: []string{"S1"}, AskChannels: []string{"C1", "C2"}}})
				began = time.Now()
				if err := gate.Prepare(t.Context()); err != nil {
					t.Errorf("prepare: %v", err)
				}
				if took := time.Since(began); took > slackapi.StartTimeout+slackapi.Timeout {
					t.Errorf("preparing the gate took %v", took)
				}
			})
		})
	}
}

// A response_url that swallows answers holds a question up, but not for ever: it counts as lost.
func TestHangingReplyIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hook := slackapi.NewWebhook(&http.Client{Transport: slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}, "")
		page := func(context.Context, commands.Request) (view.Page, error) { return view.Page{Title: "answer"}, nil }
		var o observer
		b := newBot(answers(page), quiet{}, hook, Options{Gate: testGate(access.NewDirectory(&fakeSlack{began: time.Now()})), Observe: o.observe})
		events := make(chan socketmode.Event)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { b.Serve(ctx, events); close(ended) }()
		events <- clicks(1, "U1", "x-_-y", "")
		time.Sleep(replyTimeout + time.Second)
		if got := o.outcomes(); got[string(Lost)] != 1 || len(got) != 1 {
			t.Errorf("outcomes %v, want one that was lost", got)
		}
		stop()
		<-ended
	})
}
