package post

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Everything that calls the Web API uses the token that is current then.
func TestCallsUseTheCurrentToken(t *testing.T) {
	t.Parallel()
	var used []string
	config := slackapi.Config{Tokens: slackapi.NewTokens("xapp-1", "xoxb-1"), APIURL: "http://slack.test/api/"}
	config.HTTP = &http.Client{Transport: slacktest.RoundTrip(func(r *http.Request) (*http.Response, error) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token == "" {
			token = r.FormValue("token")
		}
		used = append(used, r.URL.Path+" "+token)
		return nil, http.ErrServerClosed
	})}
	self := slackapi.Workspace{}
	directory := access.NewDirectory(config.ClientWithoutRetry())
	poster := New(config, self, access.NewGate(directory, self, access.Options{}), Options{})
	web := config.Client()
	calls := func(user string) { // another one each time: Slack is not asked in vain twice at once
		_, _ = directory.Zone(t.Context(), user)
		_, _ = poster.Post(t.Context(), "C1", "k", view.Page{})
		_, _, _ = poster.Find(t.Context(), "C1", "k", time.Now())
		_ = poster.Tell(t.Context(), "U1", view.Page{})
		_, _ = slackapi.SignIn(t.Context(), config)
		_, _ = web.GetConversationInfoContext(t.Context(), nil)
	}
	calls("U1")
	config.Tokens.Rotate("", "xoxb-2")
	calls("U2")
	for i, call := range used {
		want := "xoxb-1"
		if i >= len(used)/2 {
			want = "xoxb-2"
		}
		if !strings.HasSuffix(call, " "+want) {
			t.Errorf("call %d: %s, want token %s", i, call, want)
		}
	}
	if len(used) < 10 {
		t.Errorf("only %d calls: %v", len(used), used)
	}
}
