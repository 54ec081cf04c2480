package bot

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"
)

// clickJSON is a click of Alice's on a button of some kind, in a message that only she sees.
const clickJSON = `{"type":"block_actions","trigger_id":"t","response_url":"https://hooks.slack.com/r1","user":{"id":"U1","team_id":"T1"},
	"channel":{"id":"C0OWN"},"container":{"type":"message","is_ephemeral":true},"actions":[{"action_id":"%s:1","value":"x"}]}`

// Where a connection breaks behind an answer nobody knows whether Slack has taken it. It is not sent again where it might
// come twice, and the person is told.
func TestAnswersThatMayBeMissingAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind string // of the button; "": typed
		cuts int
		want []string
		says string // in the last message
	}{
		"typed":         {"", 1, []string{"1.5s ack e1", "2s /r1 answer to x", "2s /r1 Your answer may be missing"}, "ask again"},
		"clicked":       {"run", 1, []string{"0s ack e1", "2s /r1 answer to x", "2s /r1 Your answer may be missing"}, "ask again"},
		"in place":      {"replace", 1, []string{"0s ack e1", "2s /r1 answer to x", "2s /r1 answer to x"}, "answer to x"},
		"in place, cut": {"replace", 2, []string{"0s ack e1", "2s /r1 answer to x", "2s /r1 answer to x", "2s /r1 Your answer may be missing"}, "ask again"},
		"shared":        {"share", 1, []string{"0s ack e1", "2s /r1 answer to x", "2s /r1 Your answer may be missing"}, "Look whether it is there"},
		"told in vain":  {"", 2, []string{"1.5s ack e1", "2s /r1 answer to x", "2s /r1 Your answer may be missing"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var o observer
				posts := make([]hookAnswer, c.cuts)
				for i := range posts {
					posts[i] = cutOff
				}
				b := start(t, slow(2*time.Second), Options{Observe: o.observe}, posts...)
				e := typed(1, "x")
				if c.kind != "" {
					e = interaction(1, fmt.Sprintf(clickJSON, c.kind))
				}
				b.events <- e
				time.Sleep(time.Minute)
				expect(t, b, c.want...)
				last := b.log[len(b.log)-1].Message
				if !strings.Contains(last.Text, c.says) || last.Type != "ephemeral" {
					t.Errorf("the last message is %s: %q, want %q for the person alone", last.Type, last.Text, c.says)
				}
				if name == "in place" && o.outcomes()["answered"] != 1 || name != "in place" && o.outcomes()["lost"] != 1 {
					t.Errorf("outcomes %v", o.outcomes())
				}
			})
		})
	}
}

// A message to a person, and a Home tab, are tried again where that says nothing twice.
func TestScreensAreTriedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payload string
		errs    []error
		want    string
	}{
		"home, broken":     {homeTapJSON, []error{io.EOF}, "home U1,home U1"},
		"home, in trouble": {homeTapJSON, []error{slack.StatusCodeError{Code: 503}}, "home U1,home U1"},
		"home, in vain":    {homeTapJSON, []error{io.EOF, io.EOF, io.EOF}, "home U1,home U1"},
		"home, refused":    {homeTapJSON, []error{slack.SlackErrorResponse{Err: "user_not_found"}}, "home U1"},
		"told, broken":     {submitJSON, []error{io.EOF}, "message U1,message U1"}, // that it may be missing
		"told, in trouble": {submitJSON, []error{slack.StatusCodeError{Code: 500}}, "message U1,message U1"},
		"told, no way":     {submitJSON, []error{&net.OpError{Op: "dial", Err: io.EOF}}, "message U1,message U1"},
		"told, refused":    {submitJSON, []error{slack.SlackErrorResponse{Err: "user_not_found"}}, "message U1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, f, _ := screened(t)
				f.errs = c.errs
				b.events <- interaction(1, fmt.Sprintf(c.payload, "T1"))
				time.Sleep(time.Minute)
				if got := strings.Join(f.shown(), ","); got != c.want {
					t.Errorf("shown %q, want %q", got, c.want)
				}
			})
		})
	}
}
