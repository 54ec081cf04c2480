package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
)

// The words in seeds that stand for an id of its own each time, so that nothing is taken for a repetition.
const (
	anyEnvelope = "ENVELOPE"
	anyTrigger  = "TRIGGER"
)

// fresh puts new ids in the place of those words.
func fresh(raw []byte, n int64) []byte {
	raw = bytes.ReplaceAll(raw, []byte(anyEnvelope), fmt.Appendf(nil, "envelope-%d", n))
	return bytes.ReplaceAll(raw, []byte(anyTrigger), fmt.Appendf(nil, "trigger-%d", n))
}

// seedClicks are interaction payloads as Slack sends them.
func seedClicks() []string {
	const who = `"trigger_id":"TRIGGER","user":{"id":"U1","username":"alice","name":"alice","team_id":"T1"},"team":{"id":"T1","domain":"example"},"enterprise":null,"is_enterprise_install":false,"api_app_id":"A1","token":"x"`
	const here = `"channel":{"id":"C0OWN","name":"general"},"container":{"type":"message","message_ts":"1800000000.000100","channel_id":"C0OWN","is_ephemeral":true},"response_url":"https://hooks.slack.com/actions/T1/1/x"`
	const table = `{"type":"data_table","caption":"c","rows":[[{"type":"raw_text","text":"KB"}],[null],[{"type":"action_cell","element":{"type":"button","action_id":"run:1"}}]]}`
	return []string{
		`{"type":"block_actions",` + who + `,` + here + `,"actions":[{"action_id":"run:1","block_id":"b","type":"button","value":"microsoft-_-edge","text":{"type":"plain_text","text":"Show"},"action_ts":"1800000000.1"}],"state":{"values":{}}}`,
		`{"type":"block_actions",` + who + `,` + here + `,"actions":[{"action_id":"replace:2","value":"microsoft-_-edge --fresh"}],"message":{"ts":"1","blocks":[` + table + `]}}`,
		`{"type":"block_actions",` + who + `,` + here + `,"actions":[{"action_id":"share:0","value":"microsoft-_-edge"}]}`,
		`{"type":"block_actions",` + who + `,` + here + `,"actions":[{"action_id":"open:3","url":"https://catalog.update.microsoft.com/","type":"button"}]}`,
		`{"type":"block_actions",` + who + `,"channel":null,"container":{"type":"view","view_id":"V1"},"view":{"id":"V1","type":"home","private_metadata":"","state":{"values":{}}},"actions":[{"action_id":"run:1","value":"help"}]}`,
		`{"type":"block_actions",` + who + `,` + here + `,"actions":[]}`,
		`{"type":"view_submission",` + who + `,"view":{"id":"V1","callback_id":"ask","hash":"1.x","state":{"values":{"b":{"a":{"type":"plain_text_input","value":"edge"}}}}},"response_urls":[]}`,
		`{"type":"view_closed",` + who + `,"view":{"id":"V1","callback_id":"ask"},"is_cleared":true}`,
		`{"type":"block_suggestion",` + who + `,` + here + `,"action_id":"software:1","block_id":"b","value":"edg"}`,
		`{"type":"shortcut",` + who + `,"callback_id":"missingkbs_global","action_ts":"1"}`,
		`{"type":"message_action",` + who + `,"callback_id":"x","channel":{"id":"C0OWN"},"message":{"text":"microsoft-_-edge"},"response_url":"https://hooks.slack.com/x"}`,
		`{"type":"message_action",` + who + `,"callback_id":"missingkbs_message","channel":{"id":"C0OWN","name":"general"},"response_url":"https://hooks.slack.com/app/T1/1/x","message_ts":"1.1",` +
			`"message":{"type":"message","user":"U2","ts":"1.1","thread_ts":"1.0","text":"kb 5074202 &amp; CVE‑2025‑12345","blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"KB"}]}]}],` +
			`"attachments":[{"from_url":"https://catalog.update.microsoft.com/Search.aspx?q=%22KB5074202%22","fields":[{"title":"x","value":"y"}]}],"files":[{"name":"KB5074202.txt"}]}}`,
		`{"type":"message_action",` + who + `,"callback_id":"missingkbs_message","channel":null,"message":[[[[]]]]}`,
		`{"type":"block_actions","user":{"id":5},"actions":{"action_id":[]}}`, `null`, `[]`, `"x"`, ``, `{"actions":null,"enterprise":null,"channel":null}`,
	}
}

// seedFrames are frames as Slack sends them over a socket.
func seedFrames() []string {
	const slash = `"payload":{"token":"x","team_id":"T1","team_domain":"example","enterprise_id":"E1","channel_id":"C0OWN","channel_name":"general","user_id":"U1","user_name":"alice",` +
		`"command":"/missingkbs","text":"microsoft-_-edge —sort cves","api_app_id":"A1","is_enterprise_install":%s,"response_url":"https://hooks.slack.com/commands/T1/1/x","trigger_id":"TRIGGER"}`
	const mention = `"payload":{"token":"x","team_id":"T1","api_app_id":"A1","type":"event_callback","event_id":"TRIGGER","event_time":1,"is_ext_shared_channel":false,"authorizations":[{"enterprise_id":null,"team_id":"T1","user_id":"UBOT","is_bot":true}]`
	frames := []string{
		`{"type":"hello","num_connections":1,"debug_info":{"host":"applink-1","build_number":10,"approximate_connection_time":18060},"connection_info":{"app_id":"A1"}}`,
		`{"envelope_id":"ENVELOPE","type":"slash_commands","accepts_response_payload":true,` + fmt.Sprintf(slash, `"false"`) + `}`,
		`{"envelope_id":"ENVELOPE","type":"slash_commands","accepts_response_payload":true,` + fmt.Sprintf(slash, `false`) + `}`,
		`{"envelope_id":"ENVELOPE","type":"slash_commands","payload":[]}`,
		`{"envelope_id":"ENVELOPE","type":"events_api","accepts_response_payload":false,"retry_attempt":1,"retry_reason":"timeout","payload":{"type":"event_callback","team_id":"T1","api_app_id":"A1","event_id":"Ev1","event_time":1,` +
			`"event":{"type":"app_home_opened","user":"U1","channel":"D1","tab":"home","event_ts":"1.1"},"authorizations":[]}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api","payload":{"type":"event_callback","event":{"type":"never_heard_of"}}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api",` + mention + `,"event":{"type":"app_mention","user":"U1","user_team":"T1","text":"<@UBOT> which updates is edge missing?","ts":"1.1","thread_ts":"1.0","channel":"C0OWN"}}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api","retry_attempt":2,"retry_reason":"timeout",` + mention + `,"event":{"type":"message","channel_type":"im","user":"U1","team":"T1","text":"KB5074202 &amp; <https://x|y>","ts":"1.1","channel":"D1"}}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api",` + mention + `,"event":{"type":"message","channel_type":"im","subtype":"message_changed","hidden":true,"channel":"D1","message":{"bot_id":"B1"},"previous_message":{}}}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api",` + mention + `,"event":{"type":"message","channel_type":"im","subtype":"file_share","user":"U1","text":"","files":[{}],"channel":"D1"}}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api",` + mention + `,"event":{"type":"app_mention","user":7,"text":[],"edited":"x","channel":{}}}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api",` + mention + `,"event":{"type":"app_mention","user":"U1","text":"<@UBOT|<@UBOT|","channel":"C0OWN"}}}`,
		`{"envelope_id":"ENVELOPE","type":"events_api","payload":{"type":"app_rate_limited","minute_rate_limited":1}}`,
		`{"envelope_id":"ENVELOPE","type":"never_heard_of","payload":{}}`,
		`{"envelope_id":"ENVELOPE","type":"slash_commands","accepts_response_payload":7777,"retry_attempt":"1",` + fmt.Sprintf(slash, `false`) + `}`,
		`{"envelope_id":"ENVELOPE"}`, `{"type":"interactive"}`, `{"envelope_id":7,"type":"interactive"}`, `{`, ``, "\x00\xff", `[]`, `null`,
	}
	for _, payload := range seedClicks() {
		if payload == "" {
			payload = "null"
		}
		frames = append(frames, `{"envelope_id":"ENVELOPE","type":"interactive","accepts_response_payload":true,"payload":`+payload+`}`)
	}
	return frames
}

// loopSlack is the Slack of a fuzz target: what the bot calls over HTTP is answered within the process, the socket is a real
// one on loopback.
type loopSlack struct {
	*httptest.Server
	conns chan *websocket.Conn

	mu     sync.Mutex
	acks   map[string]int
	news   chan struct{} // closed and replaced at each acknowledgement
	strays []string      // hosts that the bot has no business with
}

func newLoopSlack(f *testing.F) *loopSlack {
	f.Helper()
	w := &loopSlack{conns: make(chan *websocket.Conn, 10), acks: map[string]int{}, news: make(chan struct{})}
	w.Server = httptest.NewServer(http.HandlerFunc(w.link))
	f.Cleanup(w.Close)
	return w
}

// link takes a connection and counts its acknowledgements until it ends.
func (w *loopSlack) link(rw http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(rw, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	if conn.WriteMessage(websocket.TextMessage, []byte(seedFrames()[0])) != nil {
		return
	}
	w.conns <- conn
	ended := make(chan struct{})
	defer close(ended)
	go ping(conn, ended)
	for {
		var ack struct {
			Envelope string `json:"envelope_id"`
		}
		_, raw, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if json.Unmarshal(raw, &ack) == nil {
			w.acked(ack.Envelope)
		}
	}
}

// ping shows that a connection is alive, as Slack does.
func ping(conn *websocket.Conn, ended <-chan struct{}) {
	for {
		select {
		case <-ended:
			return
		case <-time.After(5 * time.Second):
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(time.Second))
		}
	}
}

func (w *loopSlack) acked(envelope string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acks[envelope]++
	close(w.news)
	w.news = make(chan struct{})
}

// wait waits for the acknowledgement of an envelope, and forgets it.
func (w *loopSlack) wait(envelope string) (times int) {
	late := time.After(10 * time.Second)
	for {
		w.mu.Lock()
		times, news := w.acks[envelope], w.news
		delete(w.acks, envelope)
		w.mu.Unlock()
		if times > 0 {
			return times
		}
		select {
		case <-news:
		case <-late:
			return 0
		}
	}
}

// RoundTrip answers the Web API and the response URLs of Slack.
func (w *loopSlack) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"ok":true,"team_id":"T1","user_id":"U0","user":{"id":"U1","team_id":"T1"},"channel":{"id":"C0OWN","is_member":true}}`
	switch {
	case strings.HasSuffix(r.URL.Path, "/apps.connections.open"):
		body = `{"ok":true,"url":"ws` + strings.TrimPrefix(w.URL, "http") + `/link"}`
	case slices.Contains([]string{"hooks.slack.com", "hooks.slack-gov.com"}, r.URL.Host):
		body = "ok"
	case r.URL.Host != "slack.com" && "http://"+r.URL.Host != w.URL:
		w.mu.Lock()
		w.strays = append(w.strays, r.URL.Host)
		w.mu.Unlock()
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// stray is a host that the bot called and should not have.
func (w *loopSlack) stray() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.strays, " ")
}

// echoRouter answers every line with itself.
func echoRouter(f *testing.F) *commands.Router {
	f.Helper()
	router, err := commands.NewRouter(commands.Command{Run: echo})
	if err != nil {
		f.Fatal(err)
	}
	return router
}

// FuzzEnvelope sends any bytes as a frame over a real socket to a whole bot. It goes on, and acknowledges everything
// that has an envelope id.
func FuzzEnvelope(f *testing.F) {
	for _, s := range seedFrames() {
		f.Add([]byte(s))
	}
	w := newLoopSlack(f)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		c := slackapi.Config{Tokens: slackapi.NewTokens("xapp-1", "xoxb-1"), APIURL: w.URL + "/api/", HTTP: &http.Client{Transport: w}}
		ended <- Run(ctx, c, slackapi.Workspace{TeamID: "T1", UserID: "U0"}, echoRouter(f), Options{Sockets: 1})
	}()
	f.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			f.Error(err)
		}
	})
	conn := <-w.conns
	var n atomic.Int64
	f.Fuzz(func(t *testing.T, frame []byte) {
		frame = fresh(frame, n.Add(1))
		var sent struct {
			Type     string `json:"type"`
			Envelope string `json:"envelope_id"`
		}
		readable := json.Unmarshal(frame, &sent) == nil
		if len(frame) > 100_000 || sent.Type == "disconnect" {
			t.Skip("ends the connection, as it should")
		}
		if err := conn.WriteMessage(websocket.TextMessage, frame); err != nil {
			conn = <-w.conns // it was given up before this frame
			t.Skip(err)
		}
		// A question after it is answered.
		after := fmt.Sprintf("after-%d", n.Load())
		question := fresh([]byte(strings.ReplaceAll(strings.ReplaceAll(seedFrames()[1], anyTrigger, after), anyEnvelope, after)), n.Load())
		if err := conn.WriteMessage(websocket.TextMessage, question); err != nil {
			t.Fatalf("the connection is lost after %q: %v", frame, err)
		}
		if w.wait(after) == 0 {
			t.Fatalf("nothing is answered after %q", frame)
		}
		if readable && sent.Envelope != "" && sent.Type != "hello" && w.wait(sent.Envelope) == 0 {
			t.Fatalf("%q is not acknowledged", frame)
		}
		if host := w.stray(); host != "" {
			t.Fatalf("%q made the bot call %s", frame, host)
		}
	})
}

// ackedOnce is told of acknowledgements by the envelope that they are for.
type ackedOnce struct{ w *loopSlack }

func (a ackedOnce) AckCtx(_ context.Context, envelope string, payload any) error {
	if _, err := json.Marshal(payload); err != nil {
		return err
	}
	a.w.acked(envelope)
	return nil
}

// FuzzInteraction gives any payload of a click, a modal, a menu or a shortcut to a bot that serves. It is acknowledged,
// once, and nothing is sent but to Slack.
func FuzzInteraction(f *testing.F) {
	for _, s := range seedClicks() {
		f.Add([]byte(s))
	}
	w := newLoopSlack(f)
	web := slackapi.Config{Tokens: slackapi.NewTokens("xapp-1", "xoxb-1"), HTTP: &http.Client{Transport: w}}.Client()
	gate := access.NewGate(access.NewDirectory(web), slackapi.Workspace{TeamID: "T1", EnterpriseID: "E1", UserID: "U0"}, access.Options{})
	b := newBot(answers(echo), ackedOnce{w}, slackapi.NewWebhook(&http.Client{Transport: w}, slack.APIURL), Options{Gate: gate, Suggest: ids{"microsoft-_-edge"}})
	b.screens = web
	ctx, stop := context.WithCancel(context.Background())
	events, ended := make(chan socketmode.Event), make(chan struct{})
	go func() {
		defer close(ended)
		b.Serve(ctx, events)
	}()
	f.Cleanup(func() {
		stop()
		<-ended
	})
	var n atomic.Int64
	f.Fuzz(func(t *testing.T, payload []byte) {
		envelope := fmt.Sprintf("click-%d", n.Add(1))
		events <- socketmode.Event{
			Type:    socketmode.EventTypeInteractive,
			Request: &socketmode.Request{Type: "interactive", EnvelopeID: envelope, Payload: fresh(payload, n.Load())},
		}
		if times := w.wait(envelope); times != 1 {
			t.Fatalf("%q is acknowledged %d times", payload, times)
		}
		if host := w.stray(); host != "" {
			t.Fatalf("%q made the bot call %s", payload, host)
		}
	})
}
