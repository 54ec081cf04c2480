package commands_test

import (
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
)

// Each fault of a sign-in is told in the words of the one table, with Entra's code and without an id of the tenant or of
// the app.
func TestSignInFaults(t *testing.T) {
	t.Parallel()
	words := map[string]bool{"credential": true, "permission": true, "licence": true, "unavailable": true}
	for _, fault := range api.Faults() {
		for _, kind := range []error{api.ErrCredential, api.ErrPermission, api.ErrLicence, api.ErrUnavailable} {
			err := &api.Error{
				Kind: kind, Status: 400, Code: "AADSTS4711", Fault: fault, Target: "",
				Message: "Application '" + apitest.ClientID + "' of tenant '" + apitest.TenantID + "' hunter2",
			}
			page := commands.Explain(err)
			told := fault.Advice()
			if want := told.What + " " + told.Cure + " Entra's code is AADSTS4711."; page.Lead != want || page.Title == "" {
				t.Errorf("%s: %q: %q, want %q", fault, page.Title, page.Lead, want)
			}
			for _, secret := range []string{apitest.ClientID, apitest.TenantID, "hunter2"} {
				if strings.Contains(page.Title+page.Lead+page.Note, secret) {
					t.Errorf("%s shows %q", fault, secret)
				}
			}
			if !words[commands.Reason(err)] {
				t.Errorf("%s counts as %q", fault, commands.Reason(err))
			}
		}
	}
}

// A firewall's refusal is no missing permission, and a wrong address no unknown software.
func TestRefusalsOfOthersAreNotDefenders(t *testing.T) {
	t.Parallel()
	for status, title := range map[int]string{
		403: "Something between this bot and Defender refuses", 401: "Something between this bot and Defender refuses",
		404: "This is not Defender's API", 302: "This is not Defender's API", 405: "This is not Defender's API",
	} {
		page := commands.Explain(&api.Error{Kind: api.ErrNotDefender, Status: status, RequestID: "x"})
		if page.Title != title || !strings.Contains(page.Lead, "DEFENDER_API_URL") || strings.Contains(page.Lead, "admin consent") {
			t.Errorf("%d: %q: %q", status, page.Title, page.Lead)
		}
	}
}
