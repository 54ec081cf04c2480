package sandbox

import (
	"encoding/json"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

func modal(t *testing.T, w *Workspace, a *wire) (viewID string) {
	t.Helper()
	done := command(t, w, "/missingkbs x")
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	trigger := field(t, r, "trigger_id")
	answer := form(t, w, "views.open", w.BotToken(), url.Values{"trigger_id": {trigger}, "view": {modalJSON}})
	view, _ := answer["view"].(map[string]any)
	if view == nil {
		t.Fatalf("views.open: %v", answer)
	}
	again := form(t, w, "views.open", w.BotToken(), url.Values{"trigger_id": {trigger}, "view": {modalJSON}})
	if again["error"] != "exchanged_trigger_id" {
		t.Errorf("the trigger again: %v, want exchanged_trigger_id", again)
	}
	if view["root_view_id"] != view["id"] || view["app_installed_team_id"] != TeamID || view["hash"] == "" {
		t.Errorf("view = %v, want root_view_id, app_installed_team_id and hash", view)
	}
	return view["id"].(string)
}

func TestTriggerExpires(t *testing.T) {
	t.Parallel()
	w := quick(t, Options{}, func(s *timing) { s.trigger = time.Nanosecond })
	a := greeted(t, w)
	done := command(t, w, "/missingkbs x")
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	answer := form(t, w, "views.open", w.BotToken(), url.Values{"trigger_id": {field(t, r, "trigger_id")}, "view": {modalJSON}})
	if answer["error"] != "expired_trigger_id" {
		t.Errorf("answer = %v, want expired_trigger_id", answer)
	}
}

func TestViewStack(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	id := modal(t, w, a)
	push := func() (view map[string]any, refused any) {
		t.Helper()
		ctx := soon(t)
		p := clicked(t, a, func() (sockets.Dispatch, error) {
			return w.Act(ctx, Alice, Target{ViewID: id, ActionID: "more"}, Input{})
		})
		if p["container"].(map[string]any)["view_id"] != id || p["view"] == nil || p["response_url"] != nil {
			t.Errorf("payload = %v, want a view's", p)
		}
		answer := form(t, w, "views.push", w.BotToken(), url.Values{"trigger_id": {p["trigger_id"].(string)}, "view": {modalJSON}})
		view, _ = answer["view"].(map[string]any)
		return view, answer["error"]
	}
	second, _ := push()
	if second["root_view_id"] != id || second["previous_view_id"] != id {
		t.Errorf("second view = %v, want it over %s", second, id)
	}
	push()
	if _, refused := push(); refused != "push_limit_reached" {
		t.Errorf("fourth view: %v, want push_limit_reached", refused)
	}
	if got := len(w.Views(Alice)); got != 3 {
		t.Errorf("%d views are open, want 3", got)
	}
}

func TestViewUpdateWithHash(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	id := modal(t, w, greeted(t, w))
	update := func(hash string) map[string]any {
		return form(t, w, "views.update", w.BotToken(), url.Values{"view_id": {id}, "hash": {hash}, "view": {modalJSON}})
	}
	if got := update("old"); got["error"] != "hash_conflict" {
		t.Errorf("with another hash: %v, want hash_conflict", got)
	}
	first := update("")
	hash := first["view"].(map[string]any)["hash"].(string)
	if got := update(hash); got["ok"] != true {
		t.Errorf("with the newest hash: %v, want ok", got)
	}
	if got := update(hash); got["error"] != "hash_conflict" {
		t.Errorf("with the hash before: %v, want hash_conflict", got)
	}
}

func TestSubmitView(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer any
		open   int // views after it
		err    string
	}{
		{"empty closes", nil, 0, ""},
		{"empty object closes", object{}, 0, ""},
		{"clear", object{"response_action": "clear"}, 0, ""},
		{"errors", object{"response_action": "errors", "errors": object{"in": "no such software"}}, 1, ""},
		{"errors elsewhere", object{"response_action": "errors", "errors": object{"act": "no"}}, 1, BadViewResponse},
		{"no errors", object{"response_action": "errors"}, 1, BadViewResponse},
		{"update", object{"response_action": "update", "view": json.RawMessage(modalJSON)}, 1, ""},
		{"push", object{"response_action": "push", "view": json.RawMessage(modalJSON)}, 2, ""},
		{"push of nothing", object{"response_action": "push"}, 1, BadViewResponse},
		{"unknown", object{"response_action": "sing"}, 1, BadViewResponse},
		{"no object", "x", 1, BadViewResponse},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := workspace(t, Options{})
			a := greeted(t, w)
			id := modal(t, w, a)
			values := object{"in": object{"pick": object{"type": "external_select", "selected_option": object{"value": "edge"}}}}
			ctx := soon(t)
			done := later(t, func() (sockets.Dispatch, error) { return w.SubmitView(ctx, Alice, id, values) })
			r := a.read()
			var p struct {
				Type string `json:"type"`
				View struct {
					ID    string `json:"id"`
					State struct {
						Values map[string]map[string]map[string]any `json:"values"`
					} `json:"state"`
				} `json:"view"`
			}
			if err := json.Unmarshal(r.Payload, &p); err != nil {
				t.Fatal(err)
			}
			if p.Type != "view_submission" || p.View.ID != id || p.View.State.Values["in"]["pick"]["type"] != "external_select" || !r.Answers {
				t.Errorf("payload = %s, want the submission with its state", r.Payload)
			}
			a.ack(r.EnvelopeID, tc.answer)
			if d := await(t, done); d.Err != tc.err {
				t.Errorf("error = %q, want %q", d.Err, tc.err)
			}
			if got := len(w.Views(Alice)); got != tc.open {
				t.Errorf("%d views are open, want %d", got, tc.open)
			}
		})
	}
}

func TestCloseView(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	id := modal(t, w, a)
	ctx := soon(t)
	p := clicked(t, a, func() (sockets.Dispatch, error) { return w.CloseView(ctx, Alice, id) })
	if p["type"] != "view_closed" || p["is_cleared"] != false {
		t.Errorf("payload = %v, want view_closed", p)
	}
	if got := len(w.Views(Alice)); got != 0 {
		t.Errorf("%d views are open, want none", got)
	}
	if _, err := w.CloseView(ctx, Alice, id); !errors.Is(err, ErrNoElement) {
		t.Errorf("closing it again: %v, want ErrNoElement", err)
	}
}

func TestHome(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{})
	a := greeted(t, w)
	ctx := soon(t)
	done := later(t, func() (sockets.Dispatch, error) { return w.OpenHome(ctx, Alice) })
	r := a.read()
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	var p struct{ Event map[string]any }
	if err := json.Unmarshal(r.Payload, &p); err != nil {
		t.Fatal(err)
	}
	if p.Event["type"] != "app_home_opened" || p.Event["user"] != Alice || p.Event["channel"] != AliceDM || p.Event["tab"] != "home" {
		t.Errorf("event = %v, want app_home_opened", p.Event)
	}
	publish := func(hash string) map[string]any {
		return form(t, w, "views.publish", w.BotToken(), url.Values{"user_id": {Alice}, "view": {homeJSON}, "hash": {hash}})
	}
	first := publish("")["view"].(map[string]any)
	if second := publish(first["hash"].(string)); second["view"].(map[string]any)["id"] != first["id"] {
		t.Errorf("second view = %v, want the id kept", second)
	}
	if got := publish(first["hash"].(string)); got["error"] != "hash_conflict" {
		t.Errorf("with an old hash: %v, want hash_conflict", got)
	}
	clicks := clicked(t, a, func() (sockets.Dispatch, error) {
		return w.Act(ctx, Alice, Target{ViewID: first["id"].(string), ActionID: "hi"}, Input{})
	})
	if clicks["view"] == nil {
		t.Errorf("payload = %v, want the view", clicks)
	}
	if w.Home(Bob) != nil {
		t.Error("Bob has Alice's Home tab")
	}
}
