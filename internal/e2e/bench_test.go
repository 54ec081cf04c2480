package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/app"
)

// BenchmarkQuestion measures a question through everything but the process: from the slash command leaving a socket to
// the acknowledgement that carries its answer, and a Defender behind HTTPS where the answer is not cached. The other
// end of the socket does as little as it can, so that what is measured is ours.
func BenchmarkQuestion(b *testing.B) {
	for _, c := range []struct {
		name string
		ttl  time.Duration
	}{{"cached", time.Hour}, {"uncached", -1}} {
		b.Run(c.name, func(b *testing.B) {
			s := newBareSlack(b)
			benchBot(b, s, c.ttl)
			conn := <-s.conns
			n := 0
			ask := func() {
				n++
				err := conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"slash_commands","envelope_id":"e%d","accepts_response_payload":true,`+
					`"payload":{"team_id":"T1","user_id":"U1","channel_id":"C1","command":"/missingkbs","text":"microsoft-_-edge","trigger_id":"t%d"}}`, n, n))
				if err != nil {
					b.Fatal(err)
				}
				_, raw, err := conn.ReadMessage()
				if err != nil || !strings.Contains(string(raw), "KB4540673") {
					b.Fatalf("got %s, %v", raw, err)
				}
			}
			ask()
			b.ReportAllocs()
			for b.Loop() {
				ask()
			}
			if calls := s.people.Load(); calls != 1 {
				b.Errorf("who asks was looked up %d times for %d questions, want once", calls, n)
			}
		})
	}
}

// bareSlack is the least Slack that the bot connects to.
type bareSlack struct {
	*httptest.Server
	mux    *http.ServeMux
	conns  chan *websocket.Conn // after their hello
	people atomic.Int64         // calls of users.info
}

func newBareSlack(tb testing.TB) *bareSlack {
	tb.Helper()
	mux := http.NewServeMux()
	s := &bareSlack{mux: mux, conns: make(chan *websocket.Conn, 1)}
	s.Server = httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	answer := func(w http.ResponseWriter, v map[string]any) {
		if err := json.NewEncoder(w).Encode(v); err != nil {
			tb.Error(err)
		}
	}
	mux.HandleFunc("/api/auth.test", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"ok": true, "team_id": "T1", "user_id": "U0"})
	})
	mux.HandleFunc("/api/users.info", func(w http.ResponseWriter, _ *http.Request) {
		s.people.Add(1)
		answer(w, map[string]any{"ok": true, "user": map[string]any{"team_id": "T1"}})
	})
	mux.HandleFunc("/api/apps.connections.open", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"ok": true, "url": "ws" + strings.TrimPrefix(s.URL, "http") + "/link"})
	})
	mux.HandleFunc("/link", func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			tb.Error(err)
			return
		}
		if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","num_connections":1}`)); err != nil {
			tb.Error(err)
		}
		s.conns <- conn
	})
	return s
}

// benchBot wires the parts as serve does, within this process and without a limit on calls.
func benchBot(tb testing.TB, slack *bareSlack, ttl time.Duration, known ...commands.Option) *apitest.Server {
	tb.Helper()
	defender, err := apitest.Start(apitest.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID: apitest.TenantID, ClientID: apitest.ClientID, ClientSecret: apitest.ClientSecret,
		Authority: defender.URL, Transport: defender.Client(),
	})
	if err != nil {
		tb.Fatal(err)
	}
	client, err := api.NewClient(cred, &api.Options{
		Cloud:     api.Cloud{Endpoint: defender.URL, Scope: defender.Scope()},
		Transport: defender.Client(), CacheTTL: ttl, PerMinute: -1, PerHour: -1,
	})
	if err != nil {
		tb.Fatal(err)
	}
	router, err := app.NewRouter(client, &search.Index{}, known)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- bot.Run(ctx, slackapi.Config{Tokens: slackapi.NewTokens("xapp-1", "xoxb-1"), APIURL: slack.URL + "/api/"}, slackapi.Workspace{TeamID: "T1"}, router, bot.Options{Tables: blocks.TablesData})
	}()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
		defender.Close()
	})
	return defender
}

// The other end of the socket has all the time of the world here, unlike Slack: what is tested is the number of calls.
func TestTwoHundredQuestionsAtOnceCostOneCall(t *testing.T) {
	t.Parallel()
	s := newBareSlack(t)
	defender := benchBot(t, s, time.Hour)
	defender.Inject(apitest.Fault{Delay: 300 * time.Millisecond}) // all of them are asked before the first is answered
	conn := <-s.conns
	const n = 200
	for i := range n {
		if err := conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"slash_commands","envelope_id":"e%d","accepts_response_payload":true,`+
			`"payload":{"team_id":"T1","user_id":"U%d","channel_id":"C1","command":"/missingkbs","text":"microsoft-_-edge","trigger_id":"t%d"}}`, i, i, i)); err != nil {
			t.Fatal(err)
		}
	}
	acked := map[string]bool{}
	for range n {
		var ack struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if err := conn.ReadJSON(&ack); err != nil {
			t.Fatal(err)
		}
		acked[ack.EnvelopeID] = true
	}
	if len(acked) != n {
		t.Errorf("%d envelopes acknowledged, want %d", len(acked), n)
	}
	if got := defender.Count("/api/Software/microsoft-_-edge/getmissingkbs"); got != 1 {
		t.Errorf("%d Defender calls, want 1", got)
	}
}

// mostAtRest is how many MiB a process may hold that has answered questions and rests.
const mostAtRest = 45

// BenchmarkProcess starts the program, as it is released, as a process of its own: how long until Slack has said hello,
// and how much memory it holds when it has answered questions and rests, and when its figures were read.
func BenchmarkProcess(b *testing.B) {
	program := releasedProgram(b)
	var starting, working time.Duration
	var rest, own, scraped float64
	for b.Loop() {
		w := stage(b)
		w.program = program
		began := time.Now()
		w.start(b, map[string]string{"LOG_LEVEL": "info"})
		if err := w.slack.WaitConnected(soon(b), 1); err != nil {
			b.Fatal(err)
		}
		starting += time.Since(began)
		for range 20 {
			w.ask(b, "microsoft-_-windows_11")
		}
		rest, own = rest+w.memory(b, "VmRSS"), own+w.memory(b, "RssAnon")
		w.look(b, "/metrics")
		scraped += w.memory(b, "VmRSS")
		if err := w.process.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		_ = w.process.Wait() // killed
		working += w.process.ProcessState.UserTime() + w.process.ProcessState.SystemTime()
	}
	n := float64(b.N)
	if rest/n > mostAtRest {
		b.Errorf("the process holds %.1f MiB at rest, want %d at most", rest/n, mostAtRest)
	}
	b.ReportMetric(float64(starting.Milliseconds())/n, "ms-to-hello")
	b.ReportMetric(float64(working.Milliseconds())/n, "ms-of-cpu")
	b.ReportMetric(rest/n, "MB-at-rest")
	b.ReportMetric(own/n, "MB-of-its-own")
	b.ReportMetric(scraped/n, "MB-after-scrape")
}
