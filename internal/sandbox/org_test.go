package sandbox

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// What a token of a whole organisation is refused, and told, by the methods that want to know the workspace.
func TestOrgWideTokensNameTheWorkspace(t *testing.T) {
	t.Parallel()
	org, own := workspace(t, Options{OrgWide: true}), workspace(t, Options{})
	org.SetGroupOf(SecondTeamID, "S0SECOND01", "second", Bob)
	for _, c := range []struct{ method, team, refused string }{
		{"usergroups.list", "", "missing_argument"},
		{"usergroups.list", "T0FOREIGN", "team_access_not_granted"},
		{"usergroups.list", SecondTeamID, ""},
		{"usergroups.users.list", "", "missing_argument"},
		{"usergroups.users.list", TeamID, "no_such_subteam"},
		{"usergroups.users.list", SecondTeamID, ""},
		{"users.list", "", "missing_argument"},
		{"users.list", TeamID, ""},
		{"conversations.list", "", "missing_argument"},
		{"conversations.list", TeamID, ""},
		{"bots.info", "", "missing_argument"},
		{"bots.info", OrgID, ""},
	} {
		values := url.Values{"team_id": {c.team}, "usergroup": {"S0SECOND01"}, "bot": {BotID}}
		got := form(t, org, c.method, org.BotToken(), values)
		if protocol.Text(got["error"]) != c.refused {
			t.Errorf("%s with %q: %v, want %q", c.method, c.team, got, c.refused)
		}
		if got := form(t, own, c.method, own.BotToken(), url.Values{"usergroup": {Patchers}, "bot": {BotID}}); got["ok"] != true {
			t.Errorf("%s in one workspace: %v", c.method, got)
		}
	}
	if got := form(t, org, "auth.test", org.BotToken(), nil); got["is_enterprise_install"] != true || got["team_id"] != OrgID || got["enterprise_id"] != OrgID {
		t.Errorf("auth.test: %v", got)
	}
	if got := form(t, org, "auth.teams.list", org.BotToken(), nil); len(got["teams"].([]any)) != 2 {
		t.Errorf("auth.teams.list: %v", got)
	}
	org.JoinTeam(Alice, SecondTeamID)
	user := form(t, org, "users.info", org.BotToken(), url.Values{"user": {Alice}})["user"].(map[string]any)
	if diff := cmp.Diff([]any{TeamID, SecondTeamID}, user["enterprise_user"].(map[string]any)["teams"]); diff != "" {
		t.Errorf("Alice's workspaces (-want +got):\n%s", diff)
	}
	org.Span(General, TeamID, SecondTeamID)
	channel := form(t, org, "conversations.info", org.BotToken(), url.Values{"channel": {General}})["channel"].(map[string]any)
	if channel["is_org_shared"] != true || channel["is_ext_shared"] != false || len(channel["internal_team_ids"].([]any)) != 2 {
		t.Errorf("a channel of two workspaces: %v", channel)
	}
}

// What payloads tell of an installation in a whole organisation.
func TestOrgWidePayloads(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{OrgWide: true})
	w.Admit("U0SISTER1", Colleague, General)
	a := greeted(t, w)
	ctx := soon(t)
	done := later(t, func() (sockets.Dispatch, error) { return w.Command(ctx, "U0SISTER1", General, "/missingkbs x") })
	r := a.read()
	for key, want := range map[string]string{"team_id": SecondTeamID, "enterprise_id": OrgID, "is_enterprise_install": "true"} {
		if got := field(t, r, key); got != want {
			t.Errorf("a command's %s is %q, want %q", key, got, want)
		}
	}
	a.ack(r.EnvelopeID, nil)
	await(t, done)
	ts := posted(t, w, General)
	p := clicked(t, a, func() (sockets.Dispatch, error) { return w.Click(ctx, "U0SISTER1", General, ts, "go") })
	if p["team"] != nil || p["is_enterprise_install"] != true || p["enterprise"].(map[string]any)["id"] != OrgID || p["user"].(map[string]any)["team_id"] != SecondTeamID {
		t.Errorf("a click: team %v, installed %v, organisation %v, user %v", p["team"], p["is_enterprise_install"], p["enterprise"], p["user"])
	}
}
