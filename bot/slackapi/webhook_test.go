package slackapi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/missingkbs/missingkbs/bot/slacktest"
)

func TestResponseURLsLeadToSlack(t *testing.T) {
	answers := slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
	})
	for apiURL, c := range map[string]map[string]bool{
		"https://slack.com/api/": {
			"https://hooks.slack.com/commands/x":     true,
			"https://hooks.slack-gov.com/commands/x": true,
			"http://hooks.slack.com/commands/x":      false,
			"https://hooks.slack.com.evil.example/":  false,
			"https://evil.example/hooks.slack.com":   false,
			"http://127.0.0.1:7070/commands/x":       false,
			"://":                                    false,
			"":                                       false,
		},
		"http://127.0.0.1:7070/api/": {
			"http://127.0.0.1:7070/commands/x": true,
			"http://127.0.0.1:7071/commands/x": false,
		},
	} {
		for address, want := range c {
			err := NewWebhook(&http.Client{Transport: answers}, apiURL).Reply(t.Context(), NewResponseURL(address), json.RawMessage("{}"))
			if (err == nil) != want {
				t.Errorf("%s with the API at %s: got %v", address, apiURL, err)
			}
			if err != nil && address != "" && strings.Contains(err.Error(), address) {
				t.Errorf("the error holds the address: %v", err)
			}
		}
	}
}

// A response_url that is too old takes no post.
func TestOldResponseURLsTakeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var posted []string
		network := slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
			posted = append(posted, r.URL.Path)
			return nil, io.EOF
		})
		hook, to := NewWebhook(&http.Client{Transport: network}, ""), NewResponseURL("https://hooks.slack.com/r1")
		time.Sleep(responseURLLife)
		if err := hook.Reply(t.Context(), to, json.RawMessage("{}")); !errors.Is(err, errNoPostsLeft) || len(posted) > 0 {
			t.Errorf("after %v: %v, posted %v", responseURLLife, err, posted)
		}
	})
}

// A response_url refuses with a word or with JSON, and seldom says why.
func TestRefusedAtHook(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"ok":                                    "",
		`{"ok":true}`:                           "",
		"used_url":                              "",
		"invalid_blocks":                        "invalid_blocks",
		"invalid_arguments":                     "invalid_arguments",
		"invalid_blocks_format":                 "invalid_blocks_format",
		`{"ok":false,"error":"invalid_blocks"}`: "invalid_blocks",
		`{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":["[ERROR] a [json-pointer:/blocks/0]"]}}`: "invalid_arguments [ERROR] a [json-pointer:/blocks/0]",
		`{"ok":false,"error":"invalid_blocks","errors":["b [json-pointer:/blocks/0]"]}`:                                    "invalid_blocks b [json-pointer:/blocks/0]",
	} {
		got, ok := refusedAtHook([]byte(body), refusal([]byte(body)))
		words := append([]string{got.Err}, got.ResponseMetadata.Messages...)
		for _, e := range got.Errors {
			words = append(words, *e.Message)
		}
		said := strings.TrimSpace(strings.Join(words, " "))
		if said != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", body, said, ok, want)
		}
	}
}
