package slackapi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
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
	web := Config{Tokens: tokens}.ClientWithoutRetry()
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 100 {
				tokens.Rotate(fmt.Sprint("a", n, i), fmt.Sprint("b", n, i))
				if web.Current() == nil || len(fmt.Sprint(tokens)) == 0 {
					t.Error("no client")
				}
				<-time.After(0)
			}
		})
	}
	wg.Wait()
}
