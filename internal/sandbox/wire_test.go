package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/ui"
)

// wire is an app that speaks Socket Mode by hand.
type wire struct {
	t  *testing.T
	ws *websocket.Conn
}

// received is what the workspace sends over a socket.
type received struct {
	Type           string          `json:"type"`
	Reason         string          `json:"reason"`
	EnvelopeID     string          `json:"envelope_id"`
	Payload        json.RawMessage `json:"payload"`
	Answers        bool            `json:"accepts_response_payload"`
	RetryAttempt   *int            `json:"retry_attempt"`
	RetryReason    *string         `json:"retry_reason"`
	NumConnections int             `json:"num_connections"`
	ConnectionInfo map[string]any  `json:"connection_info"`
	DebugInfo      map[string]any  `json:"debug_info"`
}

// ticketURL asks for a socket.
func ticketURL(t *testing.T, w *Workspace) string {
	t.Helper()
	answer := post(t, w, "apps.connections.open", w.AppToken(), nil)
	url, _ := answer["url"].(string)
	if url == "" {
		t.Fatalf("apps.connections.open = %v, want a url", answer)
	}
	return url
}

// dial opens a socket, its hello still unread.
func dial(t *testing.T, url string) *wire {
	t.Helper()
	dialer := websocket.Dialer{WriteBufferSize: 32 << 10}
	ws, resp, err := dialer.DialContext(t.Context(), url, http.Header{"Origin": {ui.SlackOrigin}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return &wire{t, ws}
}

// greeted opens a socket and reads its hello.
func greeted(t *testing.T, w *Workspace) *wire {
	t.Helper()
	a := dial(t, ticketURL(t, w))
	if hello := a.read(); hello.Type != "hello" {
		t.Fatalf("first message is %q, want hello", hello.Type)
	}
	return a
}

func (a *wire) read() received {
	a.t.Helper()
	r, err := a.next()
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

func (a *wire) next() (received, error) {
	var r received
	_ = a.ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	return r, a.ws.ReadJSON(&r)
}

func (a *wire) ack(id string, payload any) {
	a.t.Helper()
	body := map[string]any{"envelope_id": id}
	if payload != nil {
		body["payload"] = payload
	}
	if err := a.ws.WriteJSON(body); err != nil {
		a.t.Fatal(err)
	}
}

// form calls a Web API method with a form, post with JSON.
func form(t *testing.T, w *Workspace, method, token string, values url.Values) map[string]any {
	t.Helper()
	return call(t, w, method, token, "application/x-www-form-urlencoded", strings.NewReader(values.Encode()))
}

func post(t *testing.T, w *Workspace, method, token string, body any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return call(t, w, method, token, "application/json; charset=utf-8", bytes.NewReader(raw))
}

func call(t *testing.T, w *Workspace, method, token, contentType string, body io.Reader) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.APIURL()+method, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	_, raw := do(t, req)
	var answer map[string]any
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatalf("%s: %s: %v", method, raw, err)
	}
	return answer
}

// do sends a request and reads the answer.
func do(t *testing.T, req *http.Request) (*http.Response, []byte) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, raw
}

// send posts JSON to a path or URL of the workspace.
func send(t *testing.T, w *Workspace, path string, body any) (status int, answer []byte) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(path, "/") {
		path = w.URL() + path
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, out := do(t, req)
	return resp.StatusCode, out
}

// outcome is what a call returns that waits for the app.
type outcome struct {
	sockets.Dispatch
	err error
}

// later runs such a call on its own.
func later(t *testing.T, f func() (sockets.Dispatch, error)) <-chan outcome {
	t.Helper()
	done := make(chan outcome, 1)
	go func() {
		d, err := f()
		done <- outcome{d, err}
	}()
	return done
}

func command(t *testing.T, w *Workspace, text string) <-chan outcome {
	t.Helper()
	ctx := soon(t)
	return later(t, func() (sockets.Dispatch, error) { return w.Command(ctx, Alice, General, text) })
}

func await(t *testing.T, done <-chan outcome) sockets.Dispatch {
	t.Helper()
	select {
	case o := <-done:
		if o.err != nil {
			t.Fatal(o.err)
		}
		return o.Dispatch
	case <-soon(t).Done():
		t.Fatal("nothing came back")
		return sockets.Dispatch{}
	}
}

// texts lists what a person reads in a channel.
func texts(w *Workspace, channel, as string) []string {
	var out []string
	for _, m := range w.Messages(channel, as) {
		out = append(out, m.Text)
	}
	return out
}

// traced waits for an entry of the trace.
func traced(t *testing.T, w *Workspace, kind, contains string) {
	t.Helper()
	events, _ := w.feed.Subscribe(-1)
	defer w.feed.Unsubscribe(events)
	for {
		for _, e := range w.Trace() {
			if e.Kind == kind && strings.Contains(e.Name+" "+string(e.Body), contains) {
				return
			}
		}
		select {
		case <-events:
		case <-soon(t).Done():
			t.Fatalf("no %s entry with %q in the trace: %+v", kind, contains, w.Trace())
		}
	}
}
