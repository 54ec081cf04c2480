package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/google/go-cmp/cmp"
)

// Neither an error nor a log line shows the token, the secret, a body or what
// somebody typed, even when the other side repeats them.
func TestNothingSecretIsShown(t *testing.T) {
	t.Parallel()
	const body = "body-that-is-nobodys-business"
	parrot := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			w.WriteHeader(status)
			say(w, refusal(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "you sent "+r.Header.Get("Authorization")))
		}
	}
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var shown []string
	for _, handler := range []http.HandlerFunc{
		parrot(400), parrot(401), parrot(403), parrot(404), parrot(429), parrot(500),
		respond("<html>" + body + "</html>"), respond(`{"value":"` + body + `"}`), respond(`{"value":[{"id":"` + body),
		respond(`{"value":[{"id":"1","cveAddressed":"` + body + `"}]}`), respond(body),
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.test/"+body+"?token="+secretToken, http.StatusFound)
		},
		respond(edge),
	} {
		s := serve(t, handler)
		s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		c := s.client(t, func(o *Options) { o.Logger, o.Retry.MaxRetries = logger, 1 })
		for _, ask := range []func() error{
			func() error { _, err := c.MissingKBs(t.Context(), "a"); return err },
			func() error { _, err := c.SoftwareByID(t.Context(), "a"); return err },
			func() error { _, err := c.MachinesByName(t.Context(), "typed-by-somebody"); return err },
		} {
			err := ask()
			if err == nil {
				continue
			}
			e, _ := errors.AsType[*Error](err)
			shown = append(shown, err.Error(), fmt.Sprintf("%+v %#v", e, *e))
			for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
				shown = append(shown, cause.Error())
			}
		}
	}
	if logged.Len() == 0 || len(shown) == 0 {
		t.Fatal("nothing was logged or went wrong")
	}
	for _, text := range append(shown, logged.String()) {
		for _, secret := range []string{secretToken, "Bearer ey", body, "typed-by-somebody"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is shown in %q", secret, text)
			}
		}
	}
}

// azidentity's own errors hold Entra's whole answer; ours do not, and neither has
// the secret.
func TestSecretIsNotShown(t *testing.T) {
	t.Parallel()
	e := newEntra(t)
	o := e.credential()
	o.ClientSecret = "another-" + testSecret
	cred, _, err := NewCredential(o)
	if err != nil {
		t.Fatal(err)
	}
	err = e.asks(t, cred)
	for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, testSecret) || strings.Contains(text, "trace_id") || strings.Contains(text, "Trace ID") {
			t.Errorf("the error shows too much: %q", text)
		}
	}
	if errors.Unwrap(err) != nil {
		t.Errorf("the cause %v holds Entra's answer", errors.Unwrap(err))
	}
}

// azcore's own log, should somebody switch it on, has neither.
func TestAzcoreLogIsRedacted(t *testing.T) {
	var logged strings.Builder
	log.SetListener(func(_ log.Event, msg string) { logged.WriteString(msg) })
	defer log.SetListener(nil)
	s := serve(t, respond(edge))
	if _, err := s.client(t).MissingKBs(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logged.String(), "REDACTED") || strings.Contains(logged.String(), secretToken) || strings.Contains(logged.String(), "4540673") {
		t.Errorf("azcore logged %q", logged.String())
	}
}

// A line per HTTP call, so that retries can be seen.
func TestDebugLog(t *testing.T) {
	t.Parallel()
	first := true
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if first {
			first = false
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		say(w, edge)
	})
	var logged bytes.Buffer
	c := s.client(t, func(o *Options) {
		o.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if _, err := c.MissingKBs(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	for line := range strings.Lines(logged.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		if id := s.asked()[0].Header.Get(requestIDHeader); entry["request_id"] != id || entry["duration"] == nil {
			t.Errorf("entry %v, want request id %s and a duration", entry, id)
		}
		got = append(got, map[string]any{"level": entry["level"], "msg": entry["msg"], "call": entry["call"], "status": entry["status"]})
	}
	call := "GET /api/Software/{id}/getmissingkbs" // who asked about what is nobody's business
	want := []map[string]any{
		{"level": "DEBUG", "msg": "defender call", "call": call, "status": 503.0},
		{"level": "DEBUG", "msg": "defender call", "call": call, "status": 200.0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// Entra may repeat the assertion that it refuses.
func TestAssertionIsNotShown(t *testing.T) {
	t.Parallel()
	const assertion = "eyJhbGciOiJQUzI1NiJ9.eyJzdWIiOiJtaXNzaW5na2JzIn0.c2lnbmF0dXJl"
	body := `{"error":"invalid_client","error_description":"AADSTS700027: The assertion '` + assertion + `' is not registered. Trace ID: x"}`
	sent := url.Values{"client_assertion": {assertion}, "grant_type": {"client_credentials"}}.Encode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://login.test/token", strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	e := entraSaid(&http.Response{StatusCode: http.StatusUnauthorized, Body: io.NopCloser(strings.NewReader(body)), Request: req})
	if got := e.Error(); strings.Contains(got, assertion[:20]) || !strings.Contains(got, "is not registered") {
		t.Errorf("the error shows too much, or too little: %q", got)
	}
}

// Entra may repeat a client secret, too, which has no format that one could know it by; through the real credential.
func TestRepeatedSecretIsNotShown(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"another secret/of+mine", "another-" + testSecret} {
		e := newEntra(t)
		e.refuse = "AADSTS7000215: the secret '" + secret + "' or '" + url.QueryEscape(secret) + "' is not the one."
		o := e.credential()
		o.ClientSecret = secret
		cred, _, err := NewCredential(o)
		if err != nil {
			t.Fatal(err)
		}
		err = e.asks(t, cred)
		if got := err.Error(); strings.Contains(got, secret) || strings.Contains(got, url.QueryEscape(secret)) || !strings.Contains(got, "'"+hidden+"' is not the one") {
			t.Errorf("the error shows too much, or too little: %q", got)
		}
	}
}
