package slackapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A redirect of the Web API is not followed: Go would send the form again, with the token in it, to wherever it leads.
func TestTokensFollowNoRedirect(t *testing.T) {
	t.Parallel()
	var stolen atomic.Int32
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen.Add(1)
		fmt.Fprint(w, `{"ok":true}`)
	}))
	t.Cleanup(thief.Close)
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(slack.Close)
	c := Config{Tokens: NewTokens("xapp-1", "xoxb-1"), APIURL: slack.URL + "/"}
	if _, err := SignIn(t.Context(), c); err == nil {
		t.Error("a redirect counts as an answer")
	}
	if _, _, err := c.ClientWithoutRetry().Current().StartSocketModeContext(t.Context()); err == nil {
		t.Error("a redirect counts as an answer")
	}
	if n := stolen.Load(); n != 0 {
		t.Errorf("%d calls went on to another host", n)
	}
}

// An answer of the Web API is read up to a limit.
func TestWebAPIAnswersAreLimited(t *testing.T) {
	t.Parallel()
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"ok":true,"team":"`)
		for range maxWebAnswer>>20 + 1 {
			fmt.Fprint(w, strings.Repeat("x", 1<<20))
		}
		fmt.Fprint(w, `","team_id":"T1"}`)
	}))
	t.Cleanup(slack.Close)
	if _, err := SignIn(t.Context(), Config{Tokens: NewTokens("xapp-1", "xoxb-1"), APIURL: slack.URL + "/"}); err == nil {
		t.Error("an answer without end was read")
	}
}
