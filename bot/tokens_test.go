package bot

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/view"
)

func TestTokensAreNeverPrinted(t *testing.T) {
	t.Parallel()
	tokens := NewTokens("xapp-secret", "xoxb-secret")
	holder := struct {
		Config Config
		kept   Config
	}{Config{Tokens: tokens}, Config{Tokens: tokens}}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%o"} {
		fmt.Fprintf(&out, verb+verb+verb, tokens, holder, &holder)
	}
	out.WriteString(tokens.String() + tokens.GoString())
	raw, err := json.Marshal(holder) //nolint:staticcheck // its HTTP client, which has no JSON, is nil
	if err != nil {
		t.Fatal(err)
	}
	out.Write(raw)
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "tokens", tokens, "holder", holder)
	}
	if text := out.String(); strings.Contains(text, "secret") || strings.Contains(text, fmt.Sprintf("%x", "secret")) {
		t.Errorf("a token was printed: %s", text)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	tokens := NewTokens("a1", "b1")
	for _, c := range []struct {
		app, bot string
		changed  bool
		want     string
	}{
		{"a1", "b1", false, "a1 b1"},
		{"a2", "", true, "a2 b1"},
		{"", "b2", true, "a2 b2"},
		{"", "", false, "a2 b2"},
		{"a3", "b3", true, "a3 b3"},
	} {
		next := tokens.pair().changed
		if got := tokens.Rotate(c.app, c.bot); got != c.changed {
			t.Errorf("rotate to %q, %q: changed %v, want %v", c.app, c.bot, got, c.changed)
		}
		app, bot := tokens.Current()
		if got := app + " " + bot; got != c.want {
			t.Errorf("current %q, want %q", got, c.want)
		}
		select {
		case <-next:
			if !c.changed {
				t.Errorf("rotate to %q, %q: said to be a change", c.app, c.bot)
			}
		default:
			if c.changed {
				t.Errorf("rotate to %q, %q: said to be no change", c.app, c.bot)
			}
		}
	}
}

func TestTokensOfManyGoroutines(t *testing.T) {
	t.Parallel()
	tokens := NewTokens("a", "b")
	web := Config{Tokens: tokens}.plainWebAPI()
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 100 {
				tokens.Rotate(fmt.Sprint("a", n, i), fmt.Sprint("b", n, i))
				if web.client() == nil || len(fmt.Sprint(tokens)) == 0 {
					t.Error("no client")
				}
				<-time.After(0)
			}
		})
	}
	wg.Wait()
}

// Everything that calls the Web API uses the token that is current then.
func TestCallsUseTheCurrentToken(t *testing.T) {
	t.Parallel()
	var used []string
	config := Config{Tokens: NewTokens("xapp-1", "xoxb-1"), APIURL: "http://slack.test/api/"}
	config.HTTP = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if token == "" {
			token = r.FormValue("token")
		}
		used = append(used, r.URL.Path+" "+token)
		return nil, http.ErrServerClosed
	})}
	self := Workspace{}
	directory := NewDirectory(config)
	poster := NewPoster(config, self, NewGate(directory, self, GateOptions{}), PosterOptions{})
	web := config.webAPI()
	calls := func(user string) { // another one each time: Slack is not asked in vain twice at once
		_, _ = directory.Zone(t.Context(), user)
		_, _ = poster.Post(t.Context(), "C1", "k", view.Page{})
		_, _, _ = poster.Find(t.Context(), "C1", "k", time.Now())
		_ = poster.Tell(t.Context(), "U1", view.Page{})
		_, _ = SignIn(t.Context(), config)
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
