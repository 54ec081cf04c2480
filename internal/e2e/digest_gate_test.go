package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// gate stands between a program and Slack. It lets everything pass but posts, of which it decides one by one, and so
// it can stop a program at a certain step of a digest: until the process is dead.
type gate struct {
	*httptest.Server
	stops func(postCall) stop

	mu   sync.Mutex
	held map[stop]int
}

// postCall is a call of chat.postMessage.
type postCall struct {
	subscription string // empty for details and for what is told to people
	channel      string
	thread       string // the message that it answers
	details      bool
	alert        bool // between two digests
}

// stop is what happens to a post.
type stop string

const (
	pass         stop = ""
	beforePost   stop = "before Slack has the post"
	beforeAnswer stop = "before the answer comes back"
)

// newGate starts a gate to the Slack of a world.
func newGate(tb testing.TB, w *world, stops func(postCall) stop) *gate {
	tb.Helper()
	to, err := url.Parse(w.slack.URL())
	if err != nil {
		tb.Fatal(err)
	}
	g := &gate{stops: stops, held: map[stop]int{}}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	g.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { g.serve(rw, r, forward) }))
	tb.Cleanup(g.Close)
	return g
}

func (g *gate) apiURL() string { return g.URL + "/api/" }

func (g *gate) serve(rw http.ResponseWriter, r *http.Request, forward http.Handler) {
	if !strings.HasSuffix(r.URL.Path, "/chat.postMessage") {
		forward.ServeHTTP(rw, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the program is gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	step := g.stops(readPost(body))
	switch step {
	case beforePost:
	case beforeAnswer:
		forward.ServeHTTP(httptest.NewRecorder(), r)
	default:
		forward.ServeHTTP(rw, r)
		return
	}
	g.mu.Lock()
	g.held[step]++
	g.mu.Unlock()
	<-r.Context().Done()
}

func readPost(body []byte) postCall {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return postCall{}
	}
	thread := form.Get("thread_ts")
	p := postCall{channel: form.Get("channel"), thread: thread, details: thread != "", alert: strings.Contains(form.Get("metadata"), `"alert/`)}
	if key := keyOf([]byte(form.Get("metadata"))); key != "" {
		p.subscription = subscriptionOf(key)
	}
	return p
}

// wait waits until so many posts are held at each step.
func (g *gate) wait(tb testing.TB, want map[stop]int) {
	tb.Helper()
	eventually(tb, func() (string, bool) {
		g.mu.Lock()
		defer g.mu.Unlock()
		for step, n := range want {
			if g.held[step] < n {
				return fmt.Sprintf("the gate holds %v, want %v", g.held, want), false
			}
		}
		return "", true
	})
}
