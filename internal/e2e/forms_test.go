package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// openForm does something that opens a form for Alice, and returns the id of its view.
func (w *world) openForm(t *testing.T, do func() (sockets.Dispatch, error)) (id string) {
	t.Helper()
	if d, err := do(); err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	if err := w.slack.Wait(soon(t), func() bool { return len(w.slack.Views(sandbox.Alice)) == 1 }); err != nil {
		t.Fatalf("no modal: %v", err)
	}
	var v struct{ ID string }
	if err := json.Unmarshal(w.slack.Views(sandbox.Alice)[0], &v); err != nil {
		t.Fatal(err)
	}
	return v.ID
}

// submits submits a form of Alice's and returns the errors at its fields, by block.
func (w *world) submits(t *testing.T, id string, values map[string]any) map[string]string {
	t.Helper()
	d, err := w.slack.SubmitView(soon(t), sandbox.Alice, id, values)
	if err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	var a struct {
		Errors map[string]string `json:"errors"`
	}
	if len(d.AckPayload) > 0 {
		if err := json.Unmarshal(d.AckPayload, &a); err != nil {
			t.Fatal(err)
		}
	}
	return a.Errors
}

func typedIn(value string) map[string]any {
	return map[string]any{"fill:1": map[string]any{"type": "plain_text_input", "value": value}}
}

func picked(value string) map[string]any {
	return map[string]any{"fill:1": map[string]any{"type": "static_select", "selected_option": map[string]any{"value": value}}}
}

func in(channel string) map[string]any {
	return map[string]any{"fill:1": map[string]any{"type": "conversations_select", "selected_conversation": channel}}
}

// /missingkbs alone opens the form; its answer goes where it says, for whom it says.
func TestBrowseForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	software := map[string]any{"pick:1": map[string]any{"type": "external_select", "selected_option": map[string]any{"value": "microsoft-_-edge"}}}
	for audience, public := range map[string]bool{"me": false, "everyone": true} {
		id := w.openForm(t, func() (sockets.Dispatch, error) {
			return w.slack.Command(soon(t), sandbox.Alice, sandbox.Patching, "/missingkbs")
		})
		values := map[string]any{"words": software, "sort": picked("cves"), "audience": picked(audience)}
		if audience == "everyone" {
			if wrong := w.submits(t, id, values); wrong["audience"] == "" {
				t.Errorf("shared in no channel: errors %v", wrong)
			}
		}
		values["channel"] = in(sandbox.Patching)
		if wrong := w.submits(t, id, values); len(wrong) > 0 {
			t.Errorf("errors %v", wrong)
		}
		m := w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return isAnswer(m) && (m.EphemeralFor == "") == public })
		if title(m) != "Missing updates: Edge" && !strings.Contains(title(m), "Edge") {
			t.Errorf("%s: got %s", audience, m.Blocks)
		}
	}
}

// A digest is made and changed in its form: what is wrong is said at its field, and what was entered is changed in place.
func TestDigestForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	id := w.openForm(t, func() (sockets.Dispatch, error) {
		return w.slack.Command(soon(t), sandbox.Alice, sandbox.Patching, "/missingkbs digest add")
	})
	values := map[string]any{
		"words": map[string]any{"watch:1": map[string]any{"type": "multi_external_select", "selected_options": []any{map[string]any{"value": "microsoft-_-edge"}}}},
		"at":    picked("mon 09:00"), "tz": typedIn("Mars/Base"), "exploited": picked("false"), "alert": picked("none"), "quiet": picked("silent"), "channel": in(sandbox.Patching),
	}
	if wrong := w.submits(t, id, values); !strings.Contains(wrong["tz"], "no time zone") {
		t.Fatalf("errors %v, want one at the time zone", wrong)
	}
	values["tz"], values["words-at"] = typedIn("UTC"), typedIn("whenever")
	if wrong := w.submits(t, id, values); wrong["words-at"] == "" {
		t.Fatalf("errors %v, want one at the words that say when", wrong)
	}
	delete(values, "words-at")
	if wrong := w.submits(t, id, values); len(wrong) > 0 {
		t.Fatalf("errors %v", wrong)
	}
	added := w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return strings.HasSuffix(title(m), "is set up") })
	number := strings.Fields(title(added))[1]

	id = w.openForm(t, func() (sockets.Dispatch, error) {
		return w.slack.Click(soon(t), sandbox.Alice, sandbox.Patching, added.TS, actionID(t, added, "Settings"))
	})
	if wrong := w.submits(t, id, maps.Clone(values)); len(wrong) > 0 {
		t.Fatalf("errors %v", wrong)
	}
	w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return title(m) == "Digest "+number+" is as it was" })
	id = w.openForm(t, func() (sockets.Dispatch, error) {
		return w.slack.Command(soon(t), sandbox.Alice, sandbox.Patching, "/missingkbs digest edit "+number)
	})
	values["at"], values["min-devices"] = picked("weekdays 08:30"), typedIn("5")
	if wrong := w.submits(t, id, values); len(wrong) > 0 {
		t.Fatalf("errors %v", wrong)
	}
	changed := w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return title(m) == "Digest "+number+" is changed" })
	if !strings.Contains(string(changed.Blocks), "08:30") || !strings.Contains(string(changed.Blocks), "5 devices") {
		t.Errorf("got %s", changed.Blocks)
	}
}

// A page about a software leads to its digest in two clicks: Watch this, and the button of the form.
func TestWatchThis(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	m := w.says(t, sandbox.Alice, sandbox.Patching, "microsoft-_-edge")
	id := w.openForm(t, func() (sockets.Dispatch, error) {
		return w.slack.Click(soon(t), sandbox.Alice, sandbox.Patching, m.TS, actionID(t, m, "Watch this"))
	})
	var v struct {
		Blocks []struct {
			BlockID string `json:"block_id"`
			Element struct {
				ActionID string         `json:"action_id"`
				Options  []any          `json:"initial_options"`
				Option   map[string]any `json:"initial_option"`
				Value    string         `json:"initial_value"`
				Channel  string         `json:"initial_conversation"`
			} `json:"element"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal(w.slack.Views(sandbox.Alice)[0], &v); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{} // as a client sends a form that nothing was changed in
	for _, b := range v.Blocks {
		held := map[string]any{}
		switch e := b.Element; {
		case len(e.Options) > 0:
			held["selected_options"] = e.Options
		case e.Option != nil:
			held["selected_option"] = e.Option
		case e.Channel != "":
			held["selected_conversation"] = e.Channel
		case e.Value != "":
			held["value"] = e.Value
		}
		values[b.BlockID] = map[string]any{b.Element.ActionID: held}
	}
	if wrong := w.submits(t, id, values); len(wrong) > 0 {
		t.Fatalf("errors %v", wrong)
	}
	w.answer(t, sandbox.Patching, func(m sandbox.Message) bool { return strings.HasSuffix(title(m), "is set up") })
}
