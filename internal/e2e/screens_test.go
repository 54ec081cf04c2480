package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// home waits for Alice's Home tab that holds some words, and returns its view.
func (w *world) home(t *testing.T, words string) (id, text string) {
	t.Helper()
	if err := w.slack.Wait(soon(t), func() bool { return strings.Contains(string(w.slack.Home(sandbox.Alice)), words) }); err != nil {
		t.Fatalf("no Home tab that says %q: %v\n%s", words, err, w.slack.Home(sandbox.Alice))
	}
	raw := w.slack.Home(sandbox.Alice)
	var v struct{ ID string }
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v.ID, string(raw)
}

func (w *world) act(t *testing.T, as string, at sandbox.Target, in sandbox.Input) {
	t.Helper()
	d, err := w.slack.Act(soon(t), as, at, in)
	if err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("delivery %+v, %v", d, err)
	}
}

func TestHomeTab(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if d, err := w.slack.OpenHome(soon(t), sandbox.Alice); err != nil || !d.Acked {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	id, first := w.home(t, "Which Microsoft updates are missing")
	if strings.Contains(first, "this minute") {
		t.Errorf("the Home tab tells everybody what is left of the quota: %s", first)
	}

	// Typing finds software, choosing shows what it lacks, and the way back is a button.
	choose := sandbox.Target{ViewID: id, ActionID: "choose:1"}
	d, err := w.slack.Suggest(soon(t), sandbox.Alice, choose, "edg")
	if err != nil || d.Err != "" || !strings.Contains(string(d.AckPayload), `"microsoft-_-edge"`) {
		t.Fatalf("suggestions %s, %+v, %v", d.AckPayload, d, err)
	}
	w.act(t, sandbox.Alice, choose, sandbox.Input{Fields: map[string]any{"selected_option": map[string]any{"value": "microsoft-_-edge"}}})
	_, page := w.home(t, "Missing updates: Edge")
	if !strings.Contains(page, "KB4540673") || strings.Contains(page, "Share to channel") {
		t.Errorf("the Home tab shows %s", page)
	}
	back := actionID(t, sandbox.Message{Blocks: w.slack.Home(sandbox.Alice)}, "Home")
	w.act(t, sandbox.Alice, sandbox.Target{ViewID: id, ActionID: back}, sandbox.Input{})
	w.home(t, "Which Microsoft updates are missing")

	// A failure is a page there too, and nobody else sees anything.
	w.defender.Inject(apitest.Fault{Status: 403, Code: "Forbidden", Message: "Missing application roles. API required roles: Software.Read.All, application roles: ."})
	w.act(t, sandbox.Alice, choose, sandbox.Input{Fields: map[string]any{"selected_option": map[string]any{"value": "google-_-chrome"}}}) // the first page has not asked about it
	w.home(t, "This bot lacks a permission in Defender")
	if w.slack.Home(sandbox.Bob) != nil {
		t.Error("Bob sees Alice's Home tab")
	}
}

func TestHomeTabWhereNewBlocksAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.slack.SetFaults(faults.Switches{RefuseNewBlocks: true})
	if _, err := w.slack.OpenHome(soon(t), sandbox.Alice); err != nil {
		t.Fatal(err)
	}
	if _, page := w.home(t, "microsoft-_-windows_1"); strings.Contains(page, "data_table") {
		t.Errorf("the Home tab shows %s", page)
	}
}

func TestShortcut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if d, err := w.slack.Shortcut(soon(t), sandbox.Alice, demo.Shortcut().CallbackID); err != nil || !d.Acked {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	if err := w.slack.Wait(soon(t), func() bool { return len(w.slack.Views(sandbox.Alice)) == 1 }); err != nil {
		t.Fatalf("no modal: %v", err)
	}
	var v struct{ ID string }
	if err := json.Unmarshal(w.slack.Views(sandbox.Alice)[0], &v); err != nil {
		t.Fatal(err)
	}
	chosen := map[string]any{"words": map[string]any{"pick:1": map[string]any{
		"type": "external_select", "selected_option": map[string]any{"value": "microsoft-_-edge"},
	}}}
	d, err := w.slack.SubmitView(soon(t), sandbox.Alice, v.ID, chosen)
	if err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	m := w.answer(t, sandbox.AliceDM, isAnswer)
	if title(m) != "Missing updates: Edge" || strings.Contains(string(m.Blocks), "Share to channel") {
		t.Errorf("got %s", m.Blocks)
	}
	if len(w.slack.Views(sandbox.Alice)) != 0 {
		t.Error("the modal is still open")
	}
}
