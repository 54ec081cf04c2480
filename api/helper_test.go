package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secretToken is what no error and no log line may ever show.
const secretToken = "eyJ0ZXN0.c2VjcmV0.dG9rZW4"

// stubCredential hands out one token and counts how often it is asked.
type stubCredential struct {
	err error

	mu     sync.Mutex
	calls  int
	scopes []string
}

func (s *stubCredential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.scopes = o.Scopes
	if s.err != nil {
		return azcore.AccessToken{}, s.err
	}
	return azcore.AccessToken{Token: secretToken, ExpiresOn: time.Now().Add(24 * time.Hour)}, nil
}

// service is a Defender of a few lines over real TLS that remembers what it was asked.
type service struct {
	*httptest.Server
	mu   sync.Mutex
	asks []*http.Request
}

func serve(t *testing.T, handler http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.asks = append(s.asks, r)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) asked() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*http.Request(nil), s.asks...)
}

// client returns a client of the service, in a hurry and without limits unless
// the options say otherwise.
func (s *service) client(t *testing.T, change ...func(*Options)) *Client {
	t.Helper()
	return newTestClient(t, append([]func(*Options){func(o *Options) {
		o.Cloud.Endpoint = s.URL
		o.Transport = s.Client()
	}}, change...)...)
}

func newTestClient(tb testing.TB, change ...func(*Options)) *Client {
	tb.Helper()
	o := Options{PerMinute: -1, PerHour: -1, Retry: policy.RetryOptions{RetryDelay: time.Millisecond}}
	for _, c := range change {
		c(&o)
	}
	c, err := NewClient(&stubCredential{}, &o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Close)
	return c
}

// inMemory is a transport without a network, for tests in a synctest bubble.
type inMemory func(*http.Request) (*http.Response, error)

func (f inMemory) Do(r *http.Request) (*http.Response, error) { return f(r) }

// reply makes an answer for [inMemory].
func reply(r *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: h, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func respond(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { say(w, body) }
}

// say writes an answer; a client that has hung up misses nothing.
func say(w http.ResponseWriter, body string) { _, _ = io.WriteString(w, body) }

func fail(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		say(w, refusal(code, message))
	}
}

// refusal is the body of Defender's errors.
func refusal(code, message string) string {
	body, err := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message, "target": "|7f3a-4c.1."}})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// edge is the KB of Defender's documentation.
const edge = `{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Collection(x)","value":[{"id":"4540673","name":"March 2020 Security Updates","productsNames":["edge"],"url":"https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673","machineMissedOn":240,"cveAddressed":14}]}`

func edgeKB() MissingKB {
	return MissingKB{
		ID: "4540673", Name: "March 2020 Security Updates", ProductsNames: []string{"edge"},
		URL:             "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673",
		MachineMissedOn: 240, CVEAddressed: 14,
	}
}

// notFound is Defender's own word for what it does not know.
func notFound() func(*http.Request) (*http.Response, error) {
	return status(http.StatusNotFound, refusal("ResourceNotFound", "Software a was not found"))
}

// nothing is a list of Defender's without rows.
const nothing = `{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Collection(x)","value":[]}`

// oneKB is a list with a single row.
func oneKB(id string) string { return fmt.Sprintf(`{"value":[{"id":%q,"machineMissedOn":1}]}`, id) }
