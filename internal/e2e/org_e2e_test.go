package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// The whole program in a whole organisation: with groups set, members of both workspaces are answered, typed and clicked,
// on the Home tab, by the shortcut and with a digest; others are refused, and told why. Slack refuses no call for lack of
// a workspace.
func TestOrgWideInstall(t *testing.T) {
	t.Parallel()
	const second, sister = "S0SECOND01", "U0SISTER1"
	w := stageWith(t, sandbox.Options{OrgWide: true})
	w.slack.Admit(colleague, sandbox.Colleague, sandbox.General)
	w.slack.Admit(sister, sandbox.Colleague, sandbox.General)
	w.slack.SetGroupOf(sandbox.SecondTeamID, second, "second", sister)
	w.slack.Span(sandbox.General, sandbox.TeamID, sandbox.SecondTeamID)
	w.start(t, map[string]string{"MISSINGKBS_ASK_GROUPS": sandbox.Patchers + "," + second, "MISSINGKBS_ADMIN_GROUPS": second})
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ who, words, title string }{
		{sandbox.Alice, edge, "Missing updates: " + called(edge)},
		{sister, edge, "Missing updates: " + called(edge)},
		{sandbox.Bob, edge, "Only for certain people"},
		{colleague, edge, "Only for certain people"},
		{sandbox.Guest, edge, "Not for guests"},
		{sister, "admin", "Who may what"},
		{sandbox.Alice, "admin", "Only for administrators"},
	} {
		if m := w.says(t, c.who, sandbox.General, c.words); title(m) != c.title {
			t.Errorf("%s: %q was answered %q, want %q", c.who, c.words, title(m), c.title)
		}
	}

	// A message for both workspaces, and the buttons of it.
	w.click(t, sister, w.says(t, sister, sandbox.General, edge), "Share")
	public, err := w.slack.WaitMessage(soon(t), sandbox.General, sandbox.Bob, func(m sandbox.Message) bool { return m.EphemeralFor == "" && m.Kind == sandbox.KindApp })
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]string{sandbox.Alice: "Missing updates: " + called(edge), colleague: "Only for certain people"} {
		w.click(t, who, public, "Refresh")
		if _, err := w.slack.WaitMessage(soon(t), sandbox.General, who, func(m sandbox.Message) bool { return m.TS > public.TS && title(m) == want }); err != nil {
			t.Errorf("%s clicks: %v", who, err)
		}
	}

	if d, err := w.slack.OpenHome(soon(t), sister); err != nil || !d.Acked {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	if err := w.slack.Wait(soon(t), func() bool {
		return strings.Contains(string(w.slack.Home(sister)), "Which Microsoft updates are missing")
	}); err != nil {
		t.Errorf("the Home tab of the second workspace: %s", w.slack.Home(sister))
	}
	var home struct{ ID string }
	if err := json.Unmarshal(w.slack.Home(sister), &home); err != nil {
		t.Fatal(err)
	}
	// Here Slack names the organisation as the person's team.
	if d, err := w.slack.Suggest(soon(t), sister, sandbox.Target{ViewID: home.ID, ActionID: "choose:1"}, "edg"); err != nil || !strings.Contains(string(d.AckPayload), edge) {
		t.Errorf("typing into the select: %s, %+v, %v", d.AckPayload, d, err)
	}
	if d, err := w.slack.Shortcut(soon(t), sister, demo.Shortcut().CallbackID); err != nil || !d.Acked {
		t.Fatalf("delivery %+v, %v", d, err)
	}
	if err := w.slack.Wait(soon(t), func() bool { return len(w.slack.Views(sister)) == 1 }); err != nil {
		t.Errorf("no modal: %v", err)
	}
	added := title(w.says(t, sister, sandbox.General, "digest add "+edge))
	if !strings.HasSuffix(added, " is set up") {
		t.Fatalf("adding a digest: %q", added)
	}
	number := strings.TrimPrefix(strings.TrimSuffix(added, " is set up"), "Digest ")
	w.says(t, sister, sandbox.General, "digest run "+number)
	if _, err := w.slack.WaitMessage(soon(t), sandbox.General, sandbox.Bob, func(m sandbox.Message) bool {
		return m.EphemeralFor == "" && m.Kind == sandbox.KindApp && m.TS > public.TS
	}); err != nil {
		t.Errorf("the digest: %v", err)
	}
	for _, e := range w.slack.Trace() {
		if body, err := json.Marshal(e.Body); err == nil && strings.Contains(string(body), "missing_argument") {
			t.Errorf("Slack refused %s: %s", e.Name, body)
		}
	}
}
