package sandbox

import (
	"testing"

	"github.com/slack-go/slack"
)

// Each kind of person is told of as Slack tells of it.
func TestKindsOfPeople(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Organisation: true})
	api := slack.New(w.BotToken(), slack.OptionAPIURL(w.APIURL()))
	me, err := api.AuthTestContext(t.Context())
	if err != nil || me.EnterpriseID != OrgID {
		t.Errorf("auth.test: organisation %q, %v", me.EnterpriseID, err)
	}
	for kind, ok := range map[string]func(u *slack.User) bool{
		Member:      func(u *slack.User) bool { return u.TeamID == TeamID && !u.IsRestricted && !u.Deleted },
		MultiGuest:  func(u *slack.User) bool { return u.IsRestricted && !u.IsUltraRestricted },
		SingleGuest: func(u *slack.User) bool { return u.IsRestricted && u.IsUltraRestricted },
		Deactivated: func(u *slack.User) bool { return u.Deleted },
		Colleague:   func(u *slack.User) bool { return u.TeamID == SecondTeamID && u.Enterprise.EnterpriseID == OrgID },
		Outsider:    func(u *slack.User) bool { return u.TeamID == ExternalTeamID && !u.IsStranger },
		Stranger:    func(u *slack.User) bool { return u.TeamID == ExternalTeamID && u.IsStranger },
		OtherBot:    func(u *slack.User) bool { return u.IsBot },
	} {
		for _, id := range []string{"U0NEWCOMER", Bob} {
			w.Admit(id, kind, General)
			u, err := api.GetUserInfoContext(t.Context(), id)
			if err != nil || !ok(u) {
				t.Errorf("%s: %+v, %v", kind, u, err)
			}
		}
	}
	w.SetGroup("S0NEW", "newcomers", Bob)
	if members, err := api.GetUserGroupMembersContext(t.Context(), "S0NEW"); err != nil || len(members) != 1 || members[0] != Bob {
		t.Errorf("members %v, %v", members, err)
	}
}
