package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/grants"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// hookOf runs a command and returns its response URL.
func hookOf(t *testing.T, w *Workspace, a *wire, ack any) string {
	t.Helper()
	done := command(t, w, "/missingkbs x")
	r := a.read()
	a.ack(r.EnvelopeID, ack)
	await(t, done)
	return field(t, r, "response_url")
}

func field(t *testing.T, r received, name string) string {
	t.Helper()
	var p map[string]any
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(p[name])
}

func TestResponseURLWorksFiveTimes(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	hook := hookOf(t, w, greeted(t, w), nil)
	for i := range grants.HookUses {
		if status, body := send(t, w, hook, object{"text": strconv.Itoa(i)}); status != http.StatusOK || string(body) != "ok" {
			t.Errorf("use %d: %d %s, want ok", i+1, status, body)
		}
	}
	if status, body := send(t, w, hook, object{"text": "six"}); status != http.StatusNotFound || string(body) != "used_url" {
		t.Errorf("use 6: %d %s, want used_url", status, body)
	}
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4"}, texts(w, General, Alice)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestResponseURLRefusals(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.hook = time.Nanosecond })
	hook := hookOf(t, w, greeted(t, w), nil)
	tests := []struct {
		url    string
		body   any
		status int
		want   string
	}{
		{hook, object{"text": "hi"}, http.StatusNotFound, "expired_url"},
		{w.URL() + "/commands/" + TeamID + "/1/made-up", object{"text": "hi"}, http.StatusNotFound, "no_hook"},
		{hook, []int{}, http.StatusBadRequest, "invalid_payload"},
		{hook, object{}, http.StatusBadRequest, "no_text"},
		{hook, object{"blocks": []object{{"type": "x"}}}, http.StatusBadRequest, "invalid_blocks"},
	}
	for _, tc := range tests {
		if status, body := send(t, w, tc.url, tc.body); status != tc.status || string(body) != tc.want {
			t.Errorf("%v: %d %s, want %d %s", tc.body, status, body, tc.status, tc.want)
		}
	}
}

// A slash command's response URL posts, and changes nothing that is there; that of a click does.
func TestResponseURLOfACommand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		ack    any
		bodies []object
		want   []string // what Alice reads
		bob    []string
	}{
		{"replace the acknowledgement's message", object{"text": "looking"}, []object{{"text": "found", "replace_original": true}}, []string{"looking", "found"}, nil},
		{"replace without an original", nil, []object{{"text": "found", "replace_original": true}}, []string{"found"}, nil},
		{"replace the first answer", nil, []object{{"text": "a"}, {"text": "b", "replace_original": true}}, []string{"a", "b"}, nil},
		{"replace an answer for all", nil, []object{{"text": "a", "response_type": "in_channel"}, {"text": "b", "replace_original": true}}, []string{"a", "b"}, []string{"a"}},
		{"delete the acknowledgement's message", object{"text": "looking"}, []object{{"delete_original": true}}, []string{"looking"}, nil},
		{"delete and say", object{"text": "looking"}, []object{{"text": "found", "delete_original": true}}, []string{"looking", "found"}, nil},
		{"the typed command is never replaced", object{"response_type": "in_channel"}, []object{{"text": "found", "replace_original": true}}, []string{"/missingkbs x", "found"}, []string{"/missingkbs x"}},
		{"in channel", nil, []object{{"text": "a", "response_type": "in_channel"}}, []string{"a"}, []string{"a"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, Options{})
			hook := hookOf(t, w, greeted(t, w), tc.ack)
			for _, body := range tc.bodies {
				if status, answer := send(t, w, hook, body); status != http.StatusOK {
					t.Fatalf("%v: %d %s", body, status, answer)
				}
			}
			if diff := cmp.Diff(tc.want, texts(w, General, Alice)); diff != "" {
				t.Errorf("Alice reads (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.bob, texts(w, General, Bob)); diff != "" {
				t.Errorf("Bob reads (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResponseURLOfAClick(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		bodies []object
		want   []string
	}{
		{"replace", []object{{"text": "found", "replace_original": true}}, []string{"found"}},
		{"replace twice", []object{{"text": "a", "replace_original": true}, {"text": "b", "replace_original": true}}, []string{"b"}},
		{"say something first", []object{{"text": "a"}, {"text": "b", "replace_original": true}}, []string{"b", "a"}},
		{"ephemeral stays ephemeral", []object{{"text": "found", "replace_original": true, "response_type": "in_channel"}}, []string{"found"}},
		{"what follows a deletion is the original", []object{{"text": "a", "delete_original": true}, {"text": "b", "replace_original": true}}, []string{"b"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, Options{})
			a := greeted(t, w)
			form(t, w, "chat.postEphemeral", w.BotToken(), url.Values{"channel": {General}, "user": {Alice}, "blocks": {everyPlace}})
			ctx, ts := soon(t), w.Messages(General, Alice)[0].TS
			p := clicked(t, a, func() (sockets.Dispatch, error) { return w.Click(ctx, Alice, General, ts, "go") })
			for _, body := range tc.bodies {
				if status, answer := send(t, w, p["response_url"].(string), body); status != http.StatusOK {
					t.Fatalf("%v: %d %s", body, status, answer)
				}
			}
			if diff := cmp.Diff(tc.want, texts(w, General, Alice)); diff != "" {
				t.Errorf("Alice reads (-want +got):\n%s", diff)
			}
			if got := texts(w, General, Bob); len(got) > 0 {
				t.Errorf("Bob reads %q", got)
			}
		})
	}
}

func TestResponseInAThread(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	hook := hookOf(t, w, greeted(t, w), nil)
	if status, body := send(t, w, hook, object{"text": "a", "response_type": "in_channel", "thread_ts": "1.000001"}); status != http.StatusBadRequest {
		t.Errorf("unknown thread: %d %s, want it refused", status, body)
	}
	send(t, w, hook, object{"text": "a", "response_type": "in_channel"})
	ts := w.Messages(General, Bob)[0].TS
	send(t, w, hook, object{"text": "b", "response_type": "in_channel", "thread_ts": ts})
	if m := w.Messages(General, Bob)[1]; m.ThreadTS != ts {
		t.Errorf("reply = %+v, want it in the thread %s", m, ts)
	}
}

func TestResponseAsAForm(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	hook := hookOf(t, w, greeted(t, w), nil)
	form := url.Values{"payload": {`{"text":"form"}`}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hook, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if resp, body := do(t, req); resp.StatusCode != http.StatusOK {
		t.Errorf("form: %d %s", resp.StatusCode, body)
	}
	if diff := cmp.Diff([]string{"form"}, texts(w, General, Alice)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestResponseWhereTheBotIsNot(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	ctx := soon(t)
	done := later(t, func() (sockets.Dispatch, error) { return w.Command(ctx, Alice, PrivateChannel, "/missingkbs x") })
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	if got := field(t, r, "channel_name"); got != "privategroup" {
		t.Errorf("channel_name = %s, want privategroup", got)
	}
	send(t, w, field(t, r, "response_url"), object{"text": "here", "response_type": "in_channel"})
	if diff := cmp.Diff([]string{"here"}, texts(w, PrivateChannel, Bob)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestWhoMayCommand(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	for _, tc := range []struct{ as, channel, text, want string }{
		{Alice, General, "/unknown", UnknownCommand},
		{External, SharedChannel, "/missingkbs x", UnknownCommand}, // commands are not shared
		{Guest, General, "/missingkbs x", sockets.NoConnection},
	} {
		d, err := w.Command(t.Context(), tc.as, tc.channel, tc.text)
		if err != nil || d.Err != tc.want {
			t.Errorf("%s types %s: %+v, %v; want %s", tc.as, tc.text, d, err, tc.want)
		}
		if got := texts(w, tc.channel, tc.as); len(got) == 0 {
			t.Errorf("%s is told nothing", tc.as)
		}
	}
	for _, tc := range []struct{ as, channel string }{{"U0NOBODY1", General}, {BotUser, General}, {External, General}, {Alice, "C0"}} {
		if _, err := w.Command(t.Context(), tc.as, tc.channel, "/missingkbs"); err == nil {
			t.Errorf("%s in %s: no error", tc.as, tc.channel)
		}
	}
}
