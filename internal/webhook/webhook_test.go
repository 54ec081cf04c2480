package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/missingkbs/missingkbs/internal/webhook"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))

func sender(t *testing.T, s *httptest.Server, change ...func(*webhook.Options)) *webhook.Sender {
	t.Helper()
	o := webhook.Options{URL: s.URL + "/hook?tenant=1", Secret: secret, AllowPrivate: true, Version: "v1", Client: s.Client()}
	for _, c := range change {
		c(&o)
	}
	got, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// A receiver verifies what arrives with the standard's own library; what was changed on the way it refuses.
func TestSignature(t *testing.T) {
	t.Parallel()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	var header http.Header
	s := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		header = r.Header
		if r.Method != http.MethodPost || r.URL.RequestURI() != "/hook?tenant=1" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	defer s.Close()
	event := webhook.Event{Type: webhook.TypeChanged, Timestamp: time.Now(), Data: webhook.Data{Digest: "3", New: []webhook.Update{{KB: "KB5074202", Devices: 31}}}}
	sent, err := event.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := sender(t, s).Send(t.Context(), "msg_1", time.Now(), sent); err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(body, header); err != nil {
		t.Errorf("not verified: %v", err)
	}
	if header.Get("webhook-id") != "msg_1" || header.Get("Content-Type") != "application/json" || header.Get("User-Agent") != "missingkbs/v1" {
		t.Errorf("headers %v", header)
	}
	for what, change := range map[string]func() ([]byte, http.Header){
		"body": func() ([]byte, http.Header) { return append([]byte(" "), body...), header },
		"id":   func() ([]byte, http.Header) { h := header.Clone(); h.Set("webhook-id", "msg_2"); return body, h },
		"time": func() ([]byte, http.Header) {
			h := header.Clone()
			h.Set("webhook-timestamp", strconv.FormatInt(time.Now().Unix()-1, 10))
			return body, h
		},
	} {
		if b, h := change(); verifier.Verify(b, h) == nil {
			t.Errorf("another %s is verified", what)
		}
	}
}

func TestEventForm(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 5, 21, 9, 0, 0, 123, time.FixedZone("", 3600))
	raw, err := webhook.Event{Type: webhook.TypeChanged, Timestamp: at, Data: webhook.Data{
		Tenant: "default", Digest: "3", Name: "edge", Channel: "C1", Due: at.UTC(), AsOf: at.UTC(),
		Closed: []webhook.Update{{KB: "KB1", Name: "n", Software: []string{"a-_-b"}, Before: 7, CVEs: 2, URL: "https://x.example/"}},
	}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "digest.changed", "timestamp": "2031-05-21T08:00:00Z", "data": map[string]any{
		"tenant": "default", "digest": "3", "name": "edge", "channel": "C1", "due": "2031-05-21T08:00:00.000000123Z", "as_of": "2031-05-21T08:00:00.000000123Z",
		"new": []any{}, "grew": []any{}, "shrank": []any{},
		"closed": []any{map[string]any{"kb": "KB1", "name": "n", "software": []any{"a-_-b"}, "devices": 0.0, "devices_before": 7.0, "cves": 2.0, "url": "https://x.example/"}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for status, c := range map[int]struct{ failed, permanent bool }{
		200: {}, 202: {}, 204: {}, 301: {true, false}, 307: {true, false}, 400: {true, false}, 401: {true, false}, 404: {true, false},
		410: {true, true}, 429: {true, false}, 500: {true, false}, 503: {true, false},
	} {
		s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		}))
		err := sender(t, s).Send(t.Context(), "msg_1", time.Now(), []byte("{}"))
		s.Close()
		if (err != nil) != c.failed || webhook.Permanent(err) != c.permanent || err != nil && strings.Contains(err.Error(), "tenant=1") {
			t.Errorf("%d: %v, permanent %v", status, err, webhook.Permanent(err))
		}
	}
	if elsewhere.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

// Whatever a name leads to when the connection is made, addresses that are not public are refused unless they are
// allowed, and those of metadata services always.
func TestForbiddenAddresses(t *testing.T) {
	t.Parallel()
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "https://"), ":")
	for address, c := range map[string]struct{ private, forbidden bool }{
		s.URL: {false, true}, "https://localhost:" + port: {false, true}, "https://10.1.2.3": {false, true}, "https://192.168.1.1:8443": {false, true},
		"https://169.254.169.254": {true, true}, "https://[fe80::1]": {true, true}, "https://[::ffff:169.254.169.254]": {true, true}, "https://0.0.0.0": {true, true},
		"https://[::1]:1": {false, true}, "https://[fd00:ec2::254]": {false, true},
	} {
		o := webhook.Options{URL: address, Secret: secret, AllowPrivate: c.private, Client: s.Client()}
		w, err := webhook.New(o)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Send(t.Context(), "msg_1", time.Now(), []byte("{}"))
		if got := errors.Is(err, webhook.ErrForbiddenAddress); got != c.forbidden || got != webhook.Permanent(err) {
			t.Errorf("%s, private allowed %v: %v", address, c.private, err)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	short := base64.StdEncoding.EncodeToString([]byte("too short"))
	for name, o := range map[string]webhook.Options{
		"http":         {URL: "http://x.example", Secret: secret},
		"no host":      {URL: "https://", Secret: secret},
		"a password":   {URL: "https://u:p@x.example", Secret: secret},
		"no address":   {Secret: secret},
		"no secret":    {URL: "https://x.example"},
		"no base64":    {URL: "https://x.example", Secret: "whsec_hunter2!"},
		"a short one":  {URL: "https://x.example", Secret: short},
		"a long one":   {URL: "https://x.example", Secret: base64.StdEncoding.EncodeToString(make([]byte, 65))},
		"odd protocol": {URL: "gopher://x.example", Secret: secret},
	} {
		if _, err := webhook.New(o); err == nil {
			t.Errorf("%s is taken", name)
		} else if o.Secret != "" && strings.Contains(err.Error(), o.Secret) {
			t.Errorf("%s: the secret is repeated", name)
		}
	}
	if _, err := webhook.New(webhook.Options{URL: "https://x.example", Secret: strings.TrimPrefix(secret, "whsec_")}); err != nil {
		t.Errorf("without a prefix: %v", err)
	}
}

// A proxy is asked for the receiver and may itself be at a private address.
func TestProxy(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	w, err := webhook.New(webhook.Options{URL: "https://receiver.example/hook", Secret: secret, Client: &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), "msg_1", time.Now(), []byte("{}")); err == nil || webhook.Permanent(err) {
		t.Errorf("a proxy that refuses: %v", err)
	}
	if got := <-asked; got != "CONNECT receiver.example:443" {
		t.Errorf("asked the proxy for %q", got)
	}
}
