package access

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"

	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/bot/slacktest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

const (
	sister  = "U0SISTER1"  // of the second workspace
	both    = "U0BOTH001"  // of both
	lonely  = "U0SISTER2"  // of the second workspace, in no group
	outside = "U0OUTSIDE"  // of a third workspace, too
	second  = "S0SECOND01" // a user group of the second workspace
)

// orgGate is the gate of an app that is installed in a whole organisation of two workspaces.
func orgGate(t *testing.T, access Policy) (*sandbox.Workspace, *Gate) {
	t.Helper()
	w := slacktest.Start(t, sandbox.Options{OrgWide: true})
	plain := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	c := slackapi.Config{Tokens: slackapi.NewTokens(w.AppToken(), w.BotToken()), APIURL: w.APIURL(), HTTP: plain}
	w.Admit(sister, sandbox.Colleague, sandbox.General)
	w.Admit(lonely, sandbox.Colleague, sandbox.General)
	w.Admit(both, sandbox.Member, sandbox.General)
	w.JoinTeam(both, sandbox.SecondTeamID)
	w.Admit(outside, sandbox.Colleague, sandbox.General)
	w.JoinTeam(outside, "T0THIRD01") // to which the app was not added
	w.SetGroupOf(sandbox.SecondTeamID, second, "second", sister, both)
	self, err := slackapi.SignIn(t.Context(), c)
	want := slackapi.Workspace{TeamID: sandbox.OrgID, EnterpriseID: sandbox.OrgID, UserID: sandbox.BotUser, OrgWide: true}
	if diff := cmp.Diff(want, self); diff != "" || err != nil {
		t.Fatalf("signed in (-want +got), %v:\n%s", err, diff)
	}
	return w, NewGate(NewDirectory(c.ClientWithoutRetry()), self, Options{Policy: access})
}

// In a whole organisation user groups of any workspace admit their members, wherever these ask and whatever team an
// envelope names; nobody else is admitted, and nobody is locked out.
func TestGroupsOfAnOrganisation(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		w, g := orgGate(t, Policy{AskGroups: []string{sandbox.Patchers, second}, AdminGroups: []string{second}})
		if broken { // Slack does not list the workspaces
			w.Inject(faults.Fault{Call: "auth.teams.list", Status: http.StatusInternalServerError, Times: 100})
		}
		if err := g.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := g.names.list([]string{sandbox.Patchers, second}); !broken && got != "@patchers or @second" {
			t.Errorf("the groups are called %q", got)
		}
		for _, c := range []struct {
			user       string
			ask, admin string // reasons
		}{
			{sandbox.Alice, "", "not_admin"},
			{sandbox.Bob, "not_in_group", "not_admin"},
			{sister, "", ""},
			{both, "", ""},
			{lonely, "not_in_group", "not_admin"},
			{outside, "not_in_group", "not_admin"},
			{sandbox.External, "stranger", "stranger"},
			{sandbox.Guest, "guest", "guest"},
		} {
			for _, team := range []string{"", sandbox.TeamID, sandbox.SecondTeamID, sandbox.OrgID, "T0FORGED1"} {
				who := Caller{User: c.user, Team: team, Channel: sandbox.General}
				if got := commands.Reason(g.May(t.Context(), who, access.Ask)); got != c.ask {
					t.Errorf("%s as of %q asks: %q, want %q", c.user, team, got, c.ask)
				}
				if got := commands.Reason(g.May(t.Context(), who, access.Administer)); got != c.admin {
					t.Errorf("%s as of %q administers: %q, want %q", c.user, team, got, c.admin)
				}
			}
		}
	}
}

// A group that no workspace has ends the start; one that is in the second workspace does not.
func TestMissingGroupsOfAnOrganisation(t *testing.T) {
	t.Parallel()
	_, g := orgGate(t, Policy{AskGroups: []string{second, "S0NOTHERE"}})
	err := g.Prepare(t.Context())
	if !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), "no workspace that the app was added to has a user group S0NOTHERE") {
		t.Errorf("got %v", err)
	}
}

// Public channels are read by the members of the workspaces that they are in; one that is in several workspaces of the
// organisation is not shared with another one.
func TestChannelsOfAnOrganisation(t *testing.T) {
	t.Parallel()
	w, g := orgGate(t, Policy{})
	w.Kick(sandbox.Patching, sandbox.Bob)
	reads := func(user string) string { return commands.Reason(g.MayRead(t.Context(), user, sandbox.Patching)) }
	if reads(sandbox.Bob) != "" || reads(both) != "" || reads(sister) != "not_in_channel" {
		t.Errorf("in one workspace: %q, %q, %q", reads(sandbox.Bob), reads(both), reads(sister))
	}
	w.Span(sandbox.Patching, sandbox.TeamID, sandbox.SecondTeamID)
	if reads(sandbox.Bob) != "" || reads(sister) != "" {
		t.Errorf("in both: %q, %q", reads(sandbox.Bob), reads(sister))
	}
	if err := g.MayShow(t.Context(), Caller{User: sister, Channel: sandbox.Patching}); err != nil {
		t.Errorf("sharing in both: %v", err)
	}
	w.Share(sandbox.Patching, true)
	if err := g.MayShow(t.Context(), Caller{User: sister, Channel: sandbox.Patching}); commands.Reason(err) != "shared_channel" {
		t.Errorf("sharing with another organisation: %v", err)
	}
	if teams, shared, err := g.ExternalTeams(t.Context(), sandbox.Patching); err != nil || !shared || !slices.Equal(teams, []string{sandbox.ExternalTeamID}) {
		t.Errorf("who else reads: %v, %v, %v", teams, shared, err)
	}
}

// nowhere is a Slack that does not tell the workspaces of people.
type nowhere struct{ slacktest.Directory }

func (nowhere) GetUserInfoContext(context.Context, string, ...slack.GetUserInfoOption) (*slack.User, error) {
	return &slack.User{Enterprise: slack.EnterpriseUser{EnterpriseID: "E1"}}, nil
}

// Where neither Slack's record nor the envelope names a workspace, nobody can tell who is in a group, and says so.
func TestNoWorkspaceToLookForGroupsIn(t *testing.T) {
	t.Parallel()
	g := NewGate(NewDirectory(nowhere{}), slackapi.Workspace{TeamID: "E1", EnterpriseID: "E1", OrgWide: true}, Options{Policy: Policy{AskGroups: []string{"S1"}}})
	if err := g.May(t.Context(), Caller{User: "U1", Team: "E1"}, access.Ask); commands.Reason(err) != "unknown" || !errors.Is(err, errNoTeams) {
		t.Errorf("got %v", err)
	}
	if err := g.May(t.Context(), Caller{User: "U1", Team: "T1"}, access.Ask); commands.Reason(err) != "not_in_group" {
		t.Errorf("with the envelope's workspace: %v", err)
	}
}
