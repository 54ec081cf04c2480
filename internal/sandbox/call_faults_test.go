package sandbox

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// say posts "hi" to #general and returns the status, or the error of a connection that gave none.
func say(t *testing.T, w *Workspace) (int, error) {
	t.Helper()
	form := url.Values{"channel": {General}, "text": {"hi"}, "token": {w.BotToken()}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.APIURL()+"chat.postMessage", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}

func TestFaultsOfCallsOfTheWebAPI(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		fault  faults.Fault
		status int // 0: none comes
		shown  int
	}{
		{"another method", faults.Fault{Call: "views.open", Status: 500}, 200, 1},
		{"slow", faults.Fault{Delay: 20 * time.Millisecond}, 200, 1},
		{"failed", faults.Fault{Call: "chat.postMessage", Status: 503}, 503, 0},
		{"failed, but done", faults.Fault{Status: 500, Acts: true}, 500, 1},
		{"cut", faults.Fault{Cut: true}, 0, 0},
		{"cut, but done", faults.Fault{Cut: true, Acts: true}, 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, Options{})
			w.Inject(tc.fault)
			status, err := say(t, w)
			if status != tc.status || (err != nil) != (tc.status == 0) || err != nil && !errors.Is(err, io.EOF) {
				t.Errorf("status %d, %v, want %d", status, err, tc.status)
			}
			if got := len(w.Messages(General, Bob)); got != tc.shown {
				t.Errorf("%d messages, want %d", got, tc.shown)
			}
			if tc.name == "another method" {
				return
			}
			if status, err := say(t, w); status != http.StatusOK || err != nil {
				t.Errorf("the next call: %d, %v, want all well", status, err)
			}
		})
	}
}

func TestFaultsOfCallsLastAsLongAsTheySay(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	w.Inject(faults.Fault{Status: http.StatusTooManyRequests, RetryAfter: 1500 * time.Millisecond, Times: 2})
	remove := w.Inject(faults.Fault{Status: 503, Times: 100})
	var got []int
	for i := range 5 {
		if i == 3 {
			remove()
			remove()
		}
		status, err := say(t, w)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, status)
	}
	if diff := cmp.Diff([]int{429, 429, 503, 200, 200}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	w.Inject(faults.Fault{Status: 503})
	w.SetFaults(faults.Switches{RateLimited: true})
	w.Heal()
	if status, err := say(t, w); status != http.StatusOK || err != nil {
		t.Errorf("after healing: %d, %v", status, err)
	}
}

// sights collects what a workspace tells its watcher.
type sights struct {
	mu   sync.Mutex
	seen []Delivery
}

func (s *sights) add(one Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, one)
}

// brief is a sight in a few words.
type brief struct {
	Question, Way, User, Channel, Text string
	Shown                              bool
	Fault                              string
}

func (s *sights) all() []brief {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []brief
	for _, one := range s.seen {
		out = append(out, brief{one.Question, one.Way, one.User, one.Message.Channel, one.Message.Text, one.Shown, one.Fault})
	}
	return out
}

// What people see of a command's answers is told with the envelope that they answer, whatever the app was told.
func TestDeliveriesOfAnswers(t *testing.T) {
	t.Parallel()
	seen := &sights{}
	w := workspace(t, Options{Watch: seen.add})
	a := greeted(t, w)
	done := command(t, w, "/missingkbs x")
	r := a.read()
	a.ack(r.EnvelopeID, object{"text": "first"})
	await(t, done)
	hook := field(t, r, "response_url")
	send(t, w, hook, object{"text": "second"})
	w.Inject(faults.Fault{Call: WayHook, Status: 500, Acts: true})
	send(t, w, hook, object{"text": "third", "replace_original": true})
	w.Inject(faults.Fault{Call: WayHook, Status: 503})
	send(t, w, hook, object{"text": "fourth"})
	send(t, w, hook, object{})
	want := []brief{
		{r.EnvelopeID, WayAck, "", General, "first", true, ""},
		{r.EnvelopeID, WayHook, "", General, "second", true, ""},
		{r.EnvelopeID, WayHook, "", General, "third", true, "status 500"},
		{r.EnvelopeID, WayHook, "", "", "", false, "status 503"},
		{r.EnvelopeID, WayHook, "", "", "", false, "no_text"},
	}
	if diff := cmp.Diff(want, seen.all()); diff != "" {
		t.Errorf("sights (-want +got):\n%s", diff)
	}
}

func TestDeliveriesOfTheWebAPI(t *testing.T) {
	t.Parallel()
	seen := &sights{}
	w := workspace(t, Options{Watch: seen.add, Shortcuts: []Shortcut{{Name: "Ask", CallbackID: "ask"}}})
	a := greeted(t, w)
	ctx := soon(t)
	done := later(t, func() (sockets.Dispatch, error) { return w.Shortcut(ctx, Alice, "ask") })
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	form(t, w, "views.open", w.BotToken(), url.Values{"trigger_id": {field(t, r, "trigger_id")}, "view": {modalJSON}})
	if _, err := say(t, w); err != nil {
		t.Fatal(err)
	}
	post(t, w, "chat.postMessage", w.BotToken(), object{"channel": "C0NOWHERE", "text": "hi"})
	want := []brief{
		{r.EnvelopeID, "views.open", Alice, "", "", true, ""},
		{"", "chat.postMessage", "", General, "hi", true, ""},
		{"", "chat.postMessage", "", "C0NOWHERE", "", false, "channel_not_found"},
	}
	if diff := cmp.Diff(want, seen.all()); diff != "" {
		t.Errorf("sights (-want +got):\n%s", diff)
	}
}

func TestSocketsThatSayNothing(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	w.SetFaults(faults.Switches{HelloDelay: 50 * time.Millisecond})
	began := time.Now()
	a := greeted(t, w)
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("hello came after %v", took)
	}
	b := greeted(t, w)
	if !w.Babble("this is no JSON") {
		t.Error("nobody to babble to")
	}
	if _, err := a.next(); err == nil || strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v, want what cannot be read", err)
	}
	for _, want := range []bool{true, true, false} {
		if got := w.StallOne(); got != want {
			t.Errorf("there was one of two sockets to hush: %t, want %t", got, want)
		}
	}
	w.Heal()
	if _, err := b.next(); err == nil {
		t.Error("a dead socket outlives what healed all")
	}
	if err := w.Wait(soon(t), func() bool { return w.Connections() == 0 }); err != nil {
		t.Errorf("%d sockets are left", w.Connections())
	}
}

func TestVisitorsAreCounted(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w) // a socket is no visitor
	transport := &http.Transport{}
	resp, err := (&http.Client{Transport: transport}).Get(w.URL() + "/ui/state")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	before := w.Conns()
	if before < 1 {
		t.Errorf("%d visitors, want the one that keeps its connection", before)
	}
	transport.CloseIdleConnections()
	a.ack("nobody's", nil)
	tick := time.NewTicker(5 * time.Millisecond) // the server announces nothing
	defer tick.Stop()
	for ctx := soon(t); w.Conns() >= before; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d visitors, want fewer", w.Conns())
		}
	}
}
