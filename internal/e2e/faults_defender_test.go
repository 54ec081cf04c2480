package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/view"
)

// defenderFault is one way in which Defender, or Entra for it, refuses: one row of
// https://learn.microsoft.com/defender-endpoint/api/common-errors, or a refusal that is seen in practice.
type defenderFault struct {
	name          string
	status        int
	code, message string
	wait          time.Duration // what Defender asks for, in the header
	entra         bool          // of the token, not of the call

	title      string   // of the page that people read
	says       []string // what it says of the cause and of what to do next
	calls      int      // of one question: 1, or 4 where it is worth trying again
	remembered bool     // the same question costs no call for a while
	pauses     bool     // no question costs a call for a while
	noID       bool     // the page does without Defender's id of the request
}

const (
	notUnderstood = "Defender does not understand that question"
	lacking       = "This bot lacks a permission in Defender"
	unlicensed    = "Defender Vulnerability Management is not available in this tenant"
	paused        = "Defender asks for a pause"
)

// defenderFaults are all of them. The ids that are asked for are those of the rows, so that one process and one tenant
// serve them all.
func defenderFaults() []defenderFault {
	yours := []string{"Check the id or name you typed", "search for it"}
	ours := []string{"not in your question", "tell the operator"}
	quota := "API calls quota exceeded! Maximum allowed 30 per 00:01:00 for the key Destination+TenantID+AppID. You can send requests again in 900 seconds."
	return []defenderFault{
		{name: "BadRequest", status: 400, message: "Raw words.", title: notUnderstood, says: yours, calls: 1},
		{name: "ODataError", status: 400, message: "The query specified in the URI is not valid.", title: notUnderstood, says: ours, calls: 1},
		{name: "InvalidInput", status: 400, message: "Raw words.", title: notUnderstood, says: yours, calls: 1},
		{name: "InvalidRequestBody", status: 400, message: "Request body is incorrect", title: notUnderstood, says: ours, calls: 1},
		{name: "InvalidHashValue", status: 400, message: "Raw words.", title: notUnderstood, says: yours, calls: 1},
		{name: "InvalidDomainName", status: 400, message: "Raw words.", title: notUnderstood, says: yours, calls: 1},
		{name: "InvalidIpAddress", status: 400, message: "Raw words.", title: notUnderstood, says: yours, calls: 1},
		{name: "InvalidUrl", status: 400, message: "Raw words.", title: notUnderstood, says: yours, calls: 1},
		{name: "MaximumBatchSizeExceeded", status: 400, message: "Raw words.", title: notUnderstood, says: ours, calls: 1},
		{name: "MissingRequiredParameter", status: 400, message: "Parameter x is missing.", title: notUnderstood, says: ours, calls: 1},
		{name: "OsPlatformNotSupported", status: 400, message: "Raw words.", title: "Defender cannot say that about this device", says: []string{"operating system", "another device"}, calls: 1},
		{name: "ClientVersionNotSupported", status: 400, message: "Raw words.", title: "Defender cannot say that about this device", says: []string{"Defender client", "update"}, calls: 1},
		{name: "Unauthorized", status: 401, message: "Token is expired.", title: "Sign-in to Defender failed", says: []string{"does not accept the token", "DEFENDER_CLOUD", "The operator of this bot"}, calls: 1},
		{name: "Forbidden", status: 403, message: "Raw words.", title: "Defender refuses this bot", says: []string{"Software.Read.All", "DEFENDER_SCOPE", "The operator of this bot"}, calls: 1},
		{name: "DisabledFeature", status: 403, message: "Raw words.", title: unlicensed, says: []string{"switched off", "an administrator of Defender"}, calls: 1},
		{name: "DisallowedOperation", status: 403, message: "Raw words.", title: "Defender does not allow that", says: []string{"no permission of the bot's app is missing", "Ask an administrator of Defender"}, calls: 1},
		{name: "NotFound", status: 404, message: "Raw words.", title: "Unknown software", says: []string{"Search for it"}, calls: 1, remembered: true, noID: true},
		{name: "ResourceNotFound", status: 404, message: "Raw words.", title: "Unknown software", says: []string{"Search for it"}, calls: 1, remembered: true, noID: true},
		{name: "TooManyRequests", status: 429, wait: 15 * time.Minute, message: "Raw words.", title: paused, says: []string{"quota is used up", "Try again in 15 min"}, calls: 1, remembered: true, pauses: true},
		{name: "InternalServerError", status: 500, wait: time.Millisecond, message: "Raw words.", title: "Defender cannot be reached", says: []string{"after several tries", "try again in a few minutes"}, calls: 4},

		{
			name: "role missing", status: 403, code: "Forbidden", message: "Missing application roles. API required roles: Software.Read.All,Software.ReadWrite.All, application roles: Alert.Read.All.",
			title: lacking, says: []string{"one of Software.Read.All, Software.ReadWrite.All", "grant admin consent"}, calls: 1,
		},
		{
			name: "role missing, older words", status: 403, code: "Forbidden", message: "The application does not have any of the required application permissions (Software.Read.All) to access the resource.",
			title: lacking, says: []string{"asks for Software.Read.All", "grant admin consent"}, calls: 1,
		},
		{name: "wrong audience", status: 403, code: "Forbidden", message: "Raw words of an audience.", title: "Defender refuses this bot", says: []string{"DEFENDER_SCOPE"}, calls: 1},
		{name: "no licence", status: 401, code: "Unauthorized", message: "Unauthorized request - reason of failure: No Tvm license", title: unlicensed, says: []string{"no licence", "an administrator of Defender"}, calls: 1},
		{name: "account inactive", status: 401, code: "Unauthorized", message: "Unauthorized request - reason of failure: Account mode is inactive", title: unlicensed, says: []string{"activation takes some hours"}, calls: 1},
		{name: "quota, the wait in words", status: 429, code: "429", message: quota, title: paused, says: []string{"quota is used up", "Try again in 15 min"}, calls: 1, remembered: true, pauses: true},
		{
			name: "AADSTS500011", entra: true, status: 400, code: "invalid_resource", message: "AADSTS500011: The resource principal named https://raw.example was not found in the tenant named Contoso.",
			title: unlicensed, says: []string{"an administrator of Defender"}, calls: 1, noID: true,
		},
	}
}

// id is the software that a row's question asks for.
func (f defenderFault) id() string {
	return "zz-_-" + strings.ToLower(strings.NewReplacer(" ", "_", ",", "").Replace(f.name))
}

// inject makes the tenant refuse as the row says.
func (f defenderFault) inject(defender *apitest.Server) (remove func()) {
	fault := apitest.Fault{
		Path: "/api/Software/" + f.id(), Status: f.status, Code: f.code, Message: f.message, RetryAfter: f.wait, Target: "|support-" + f.id() + ".",
	}
	if fault.Code == "" {
		fault.Code = f.name
	}
	if f.entra {
		fault.Path = apitest.EntraPath
	}
	return defender.Inject(fault)
}

// count is how often the tenant was asked what the row spoils.
func (f defenderFault) count(defender *apitest.Server) int {
	if f.entra {
		return defender.TokenCalls()
	}
	return defender.Count("/api/Software/" + f.id())
}

// check looks at what a person reads.
func (f defenderFault) check(t *testing.T, where, text string) {
	t.Helper()
	if first, _, _ := strings.Cut(text, "\n"); first != f.title {
		t.Errorf("%s: the title is %q, want %q", where, first, f.title)
	}
	for _, says := range f.says {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(says)) {
			t.Errorf("%s does not say %q:\n%s", where, says, text)
		}
	}
	if id := "|support-" + f.id() + "."; strings.Contains(text, id) == f.noID {
		t.Errorf("%s: Defender's id %s is on it: %v, want %v:\n%s", where, id, f.noID, !f.noID, text)
	}
	for _, raw := range []string{f.message, "aw words", "https://", "quota exceeded", "status code", "GET /api"} {
		if strings.Contains(text, raw) {
			t.Errorf("%s shows raw text %q:\n%s", where, raw, text)
		}
	}
}

// Each refusal, through the whole program: what people read in Slack and on the terminal, how often Defender is asked,
// what is remembered, and the exit code.
func TestDefenderFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0"})
	w.ask(t, edge) // the token is there
	for _, f := range defenderFaults() {
		t.Run(f.name, func(t *testing.T) {
			w := w
			if f.pauses { // the rest would be told to wait as well
				w = newWorld(t, map[string]string{"MISSINGKBS_DEFENDER_PER_MINUTE": "0", "MISSINGKBS_DEFENDER_PER_HOUR": "0"})
				w.ask(t, edge)
			}
			defer f.inject(w.defender)()
			if f.entra { // the token is dropped when it is refused
				w.defender.RevokeTokens()
				w.ask(t, "zz-_-before")
			}

			for _, c := range []struct {
				where string
				calls int
			}{{"the answer", f.calls}, {"the second answer", f.calls}} {
				if f.remembered && c.where != "the answer" {
					c.calls = 0
				}
				before := f.count(w.defender)
				m := w.ask(t, f.id())
				f.check(t, c.where, sandbox.Unescape(m.Text))
				if m.EphemeralFor != sandbox.Alice {
					t.Errorf("%s is for %q, want Alice alone", c.where, m.EphemeralFor)
				}
				if got := f.count(w.defender) - before; got != c.calls {
					t.Errorf("%s took %d calls, want %d", c.where, got, c.calls)
				}
			}
			got := askApp(t, w.defender, map[string]string{"LOG_LEVEL": ""}, f.id())
			if got.code != exitFailed || got.out != "" {
				t.Errorf("the terminal: exit code %d and %q, want %d and nothing", got.code, got.out, exitFailed)
			}
			f.check(t, "the terminal", got.err)
			if f.pauses {
				if m := w.ask(t, windows11); title(m) != paused || w.defender.Count("/api/Software/"+windows11) != 0 {
					t.Errorf("another question in the pause: %q", title(m))
				}
			}
		})
	}
}

// A pause that fits into the time of a question is waited for, whether Defender names it in the header or in words only.
func TestShortPausesAreWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"MISSINGKBS_CACHE_TTL": "0"})
	for name, f := range map[string]apitest.Fault{
		"header": {Status: 429, Code: "TooManyRequests", RetryAfter: 20 * time.Millisecond},
		"words":  {Status: 429, Code: "429", Message: "API calls quota exceeded! You can send requests again in 1 seconds."},
	} {
		f.Path, f.Times = "/api/Software/"+edge, 1
		w.defender.Inject(f)
		before := w.defender.Count(f.Path)
		if m := w.ask(t, edge); title(m) != "Missing updates: "+called(edge) {
			t.Errorf("%s: got %q", name, m.Text)
		}
		if got := w.defender.Count(f.Path) - before; got != 2 {
			t.Errorf("%s: %d calls, want 2", name, got)
		}
	}
}

// What Defender says of devices has no command yet, so that these two go from the client to the words.
func TestDefenderFaultsOfMachines(t *testing.T) {
	t.Parallel()
	server, client := newTenant(t)
	defer server.Inject(apitest.Fault{
		Path: "/api/machines", Status: 404, Code: "ResourceNotFound", Message: "Machine 0123 was not found", Target: "|4c.1.",
	})()
	_, err := client.MachineByID(t.Context(), "0123")
	page := commands.Explain(err)
	var text strings.Builder
	if err := view.WriteText(&text, page); err != nil {
		t.Fatal(err)
	}
	f := defenderFault{name: "machine", message: "Machine 0123 was not found", title: "Defender does not know that", says: []string{"Check the spelling", "Search for it", "|4c.1."}, noID: true}
	f.check(t, "an unknown machine", text.String())

	// Defender says 404 where no device was seen lately: that is an empty list.
	machines, err := client.MachinesByName(t.Context(), "web")
	if err != nil || len(machines.Value) != 0 {
		t.Errorf("got %v, %v; want no machines and no error", machines.Value, err)
	}
}

func newTenant(t *testing.T) (*apitest.Server, *api.Client) {
	t.Helper()
	server, client, err := demo.StartTenant()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return server, client
}
