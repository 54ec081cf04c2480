package slackapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tokenOffice is a Web API that says of each bot token what is written down, and counts the questions.
type tokenOffice struct {
	mu     sync.Mutex
	says   map[string]string // by token: a refusal, "down", or nothing for a good one
	asked  map[string]int    // auth.test by token
	method string            // refuses only calls of this one, if set
}

func (o *tokenOffice) RoundTrip(r *http.Request) (*http.Response, error) {
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		token = r.FormValue("token")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/auth.test") {
		o.asked[token]++
	}
	said := o.says[token]
	if o.method != "" && !strings.HasSuffix(r.URL.Path, o.method) {
		said = ""
	}
	body := `{"ok":true}`
	switch said {
	case "":
	case "down":
		return nil, errors.New("nobody answers")
	default:
		body = `{"ok":false,"error":"` + said + `"}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func (o *tokenOffice) say(token, what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.says[token] = what
}

func (o *tokenOffice) tests(token string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[token]
}

// watchedToken is the bot token xoxb-1 and what the checker makes of it.
type watchedToken struct {
	office *tokenOffice
	config Config
	log    bytes.Buffer
	ended  chan error
}

func watchToken(t *testing.T) *watchedToken {
	t.Helper()
	office := &tokenOffice{says: map[string]string{}, asked: map[string]int{}}
	w := &watchedToken{
		office: office, ended: make(chan error, 1),
		config: Config{Tokens: NewTokens("xapp-1", "xoxb-1"), APIURL: "http://slack.test/api/", HTTP: &http.Client{Transport: office}},
	}
	return w
}

func (w *watchedToken) watch(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	v := NewTokenChecker(w.config, slog.New(slog.NewTextHandler(&w.log, nil)))
	go func() { w.ended <- v.Run(ctx) }()
}

// call makes some call with the bot token.
func (w *watchedToken) call(t *testing.T) {
	t.Helper()
	_, _ = w.config.Client().GetUserInfoContext(t.Context(), "U1")
}

// lives fails if the checker has given up.
func (w *watchedToken) lives(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-w.ended:
		t.Errorf("it gave up: %v\n%s", err, w.log.String())
	default:
	}
}

// endsWithin is the error with which it gives up, nil when it does not in that time.
func (w *watchedToken) endsWithin(d time.Duration) error {
	select {
	case err := <-w.ended:
		return err
	case <-time.After(d):
		return nil
	}
}

// Each refusal of the bot token for good ends the bot, when Slack says it a second time, and with the cure.
func TestLostBotTokenEndsTheBot(t *testing.T) {
	for _, code := range lostTokens() {
		synctest.Test(t, func(t *testing.T) {
			w := watchToken(t)
			w.watch(t)
			w.call(t)
			w.office.say("xoxb-1", code)
			w.call(t)
			began := time.Now()
			err := w.endsWithin(time.Minute)
			if err == nil || !strings.Contains(err.Error(), code+": "+cures[code]) || cures[code] == "" || strings.Contains(err.Error(), "xoxb-1") {
				t.Errorf("%s: ended with %v, want the cure %q", code, err, cures[code])
			}
			if took := time.Since(began); took < 10*time.Second || took > 20*time.Second {
				t.Errorf("%s: it took %v", code, took)
			}
			if n := w.office.tests("xoxb-1"); n != 1 {
				t.Errorf("%s: Slack was asked %d times, want once", code, n)
			}
		})
	}
}

// A token that nobody uses is asked about all the same.
func TestLostBotTokenIsFoundWithoutQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchToken(t)
		w.watch(t)
		w.office.say("xoxb-1", "token_revoked")
		if err := w.endsWithin(checkEvery + time.Minute); err == nil {
			t.Error("it has not given up")
		}
	})
}

// One odd answer, a scope that is missing, a method that is not for this token, and a response URL end nothing.
func TestOddAnswersEndNothing(t *testing.T) {
	doubted := map[string]bool{"once": true, "one method": true, "Slack is down in between": true}
	for name, odd := range map[string]func(t *testing.T, w *watchedToken){
		"once": func(t *testing.T, w *watchedToken) {
			t.Helper()
			w.office.say("xoxb-1", "invalid_auth")
			w.call(t)
			w.office.say("xoxb-1", "")
		},
		"missing scope": func(t *testing.T, w *watchedToken) {
			t.Helper()
			w.office.say("xoxb-1", "missing_scope")
			w.call(t)
		},
		"one method": func(t *testing.T, w *watchedToken) {
			t.Helper()
			w.office.method = "/users.info"
			w.office.say("xoxb-1", "not_allowed_token_type")
			w.call(t)
		},
		"response URL": func(t *testing.T, w *watchedToken) {
			t.Helper()
			w.office.say("", "account_inactive") // no token travels with it
			_ = NewWebhook(w.config.HTTPClient(), w.config.APIURL).Reply(t.Context(), NewResponseURL("http://slack.test/commands/1"), json.RawMessage("{}"))
			w.office.say("", "")
		},
		"the app-level token": func(t *testing.T, w *watchedToken) { // has a keeper of its own
			t.Helper()
			w.office.say("xapp-1", "token_revoked")
			_, _, _ = w.config.ClientWithoutRetry().Current().StartSocketModeContext(t.Context())
		},
		"Slack is down in between": func(t *testing.T, w *watchedToken) {
			t.Helper()
			w.office.say("xoxb-1", "token_expired")
			w.call(t)
			w.office.say("xoxb-1", "down")
			time.Sleep(10 * time.Minute)
			w.lives(t)
			w.office.say("xoxb-1", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watchToken(t)
				w.watch(t)
				odd(t, w)
				time.Sleep(20 * time.Minute)
				w.lives(t)
				if asked, want := w.office.tests("xoxb-1") > 0, doubted[name]; asked != want {
					t.Errorf("Slack was asked about the bot token: %v, want %v", asked, want)
				}
			})
		})
	}
}

// A token that was rotated in time ends nothing: neither when the new one is there before Slack is asked again, nor when
// it is found by that question.
func TestRotatedBotTokenEndsNothing(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := watchToken(t)
			w.watch(t)
			w.office.say("xoxb-1", "token_revoked")
			w.call(t)
			time.Sleep(time.Second)
			w.config.Tokens.Rotate("xapp-2", "") // that is the other one
			time.Sleep(time.Second)
			w.config.Tokens.Rotate("", "xoxb-2")
			time.Sleep(2 * time.Hour)
			w.lives(t)
		})
	})
	t.Run("by the question", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := watchToken(t)
			began := time.Now()
			w.config.Refused = func(context.Context) {
				if time.Since(began) > 10*time.Second {
					w.config.Tokens.Rotate("", "xoxb-2")
				}
			}
			w.watch(t)
			w.office.say("xoxb-1", "token_revoked")
			w.call(t)
			time.Sleep(2 * time.Hour)
			w.lives(t)
			if _, bot := w.config.Tokens.Current(); bot != "xoxb-2" {
				t.Error("the new token was not found")
			}
		})
	})
	t.Run("by one that is lost, too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := watchToken(t)
			w.config.Refused = func(context.Context) { w.config.Tokens.Rotate("", "xoxb-2") }
			w.watch(t)
			w.office.say("xoxb-1", "token_revoked")
			w.office.say("xoxb-2", "invalid_auth")
			w.call(t)
			if err := w.endsWithin(time.Minute); err == nil || !strings.Contains(err.Error(), "invalid_auth") {
				t.Errorf("ended with %v", err)
			}
		})
	})
}
