package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// says asks something in a channel as a person, and returns the answer that this person sees.
func (w *world) says(t *testing.T, as, channel, words string) sandbox.Message {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range w.slack.Messages(channel, as) {
		seen[m.TS] = true
	}
	d, err := w.slack.Command(soon(t), as, channel, "/missingkbs "+words)
	if err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("%s: %q: delivery %+v, %v", as, words, d, err)
	}
	// The digest that was asked for may come before the answer, for everyone.
	m, err := w.slack.WaitMessage(soon(t), channel, as, func(m sandbox.Message) bool {
		return isAnswer(m) && !seen[m.TS] && m.EphemeralFor == as
	})
	if err != nil {
		t.Fatalf("%s: no answer to %q that %s alone sees: %v", as, words, as, err)
	}
	return m
}

const (
	single    = "U0SINGLE1"
	colleague = "U0COLLEAG"
	carol     = "U0CAROL01"
	dave      = "U0DAVE001"
	admins    = "S0ADMINS1"
	deciders  = "S0DECIDE1"
)

// accept is a line that accepts a risk.
const accept = "accept KB4540673 --until 2026-12-31 --reason line 3 is frozen"

// The program admits whom its settings admit, as Slack's own records tell of them.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w := stage(t)
	w.slack.Admit(single, sandbox.SingleGuest, sandbox.General)
	w.slack.Admit(carol, sandbox.Member, sandbox.General, sandbox.SharedChannel)
	w.slack.Admit(dave, sandbox.Member, sandbox.General)
	w.slack.SetGroup(admins, "bot-admins", carol)
	w.slack.SetGroup(deciders, "risk-owners", dave)
	w.start(t, map[string]string{"MISSINGKBS_DIGEST_GROUPS": sandbox.Patchers, "MISSINGKBS_ACCEPT_GROUPS": deciders, "MISSINGKBS_ADMIN_GROUPS": admins})
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ who, channel, words, title string }{
		{sandbox.Bob, sandbox.General, edge, "Missing updates: " + called(edge)},
		{sandbox.Bob, sandbox.General, "digest list", "No digests here"},
		{sandbox.Bob, sandbox.General, "digest add " + edge, "Only for certain people"},
		{sandbox.Bob, sandbox.General, "admin", "Only for administrators"},
		{sandbox.Alice, sandbox.General, "digest pause 4711", "No such digest"}, // admitted
		{sandbox.Alice, sandbox.General, "admin list", "Only for administrators"},
		{sandbox.Guest, sandbox.General, edge, "Not for guests"},
		{sandbox.Guest, sandbox.General, "help", "Not for guests"},
		{single, sandbox.General, "search edge", "Not for guests"},
		{carol, sandbox.General, "admin", "Who may what"},
		{carol, sandbox.General, "digest pause 4711", "No such digest"}, // administrators pass every list
		{sandbox.Bob, sandbox.General, "accept list", "No accepted risks"},
		{sandbox.Bob, sandbox.General, accept, "Only for certain people"},
		{sandbox.Alice, sandbox.General, accept, "Only for certain people"}, // she may change digests
		{sandbox.Guest, sandbox.General, accept, "Not for guests"},
		{dave, sandbox.General, accept, "KB4540673 is accepted until 31 Dec 2026"},
		{dave, sandbox.General, "digest add " + edge, "Only for certain people"},
		{sandbox.Bob, sandbox.General, "accept list", "Accepted risks"},
		{sandbox.Alice, sandbox.General, "accept end KB4540673", "Only for certain people"},
		{carol, sandbox.General, "accept end KB4540673", "KB4540673 is no longer accepted"},
	} {
		if m := w.says(t, c.who, c.channel, c.words); title(m) != c.title {
			t.Errorf("%s: %q was answered %q, want %q", c.who, c.words, title(m), c.title)
		}
	}
	if m := w.says(t, sandbox.Bob, sandbox.General, "digest add all"); !strings.Contains(m.Text, "@patchers") {
		t.Errorf("the refusal names no group: %q", m.Text)
	}

	// Bob's button is pressed by Alice's guest, and by somebody of the other organisation.
	shared := w.says(t, sandbox.Alice, sandbox.General, edge)
	w.click(t, sandbox.Alice, shared, "Share")
	public, err := w.slack.WaitMessage(soon(t), sandbox.General, sandbox.Guest, func(m sandbox.Message) bool { return m.Kind == sandbox.KindApp && m.EphemeralFor == "" })
	if err != nil {
		t.Fatal(err)
	}
	w.click(t, sandbox.Guest, public, "Refresh")
	if _, err := w.slack.WaitMessage(soon(t), sandbox.General, sandbox.Guest, func(m sandbox.Message) bool {
		return m.EphemeralFor == sandbox.Guest && title(m) == "Not for guests" && m.TS > public.TS
	}); err != nil {
		t.Error("a guest's click:", err)
	}
	for _, want := range []string{`"msg":"refused"`, `"reason":"guest"`, `"reason":"not_in_group"`, `"reason":"not_admin"`} {
		if !strings.Contains(w.log.String(), want) {
			t.Errorf("the log has no %s", want)
		}
	}
}

// An administrator allows a channel that is shared, and takes it back: answers are shared there meanwhile, and others
// may look at them but not press their buttons.
func TestAdministratorsAllowSharedChannels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"MISSINGKBS_ADMIN_USERS": sandbox.Alice})
	share := func() {
		t.Helper()
		w.click(t, sandbox.Bob, w.says(t, sandbox.Bob, sandbox.SharedChannel, edge), "Share")
	}
	public := func(m sandbox.Message) bool { return m.Kind == sandbox.KindApp && m.EphemeralFor == "" }
	refusals := func(atLeast int) {
		t.Helper()
		if err := w.slack.Wait(soon(t), func() bool {
			n := 0
			for _, m := range w.slack.Messages(sandbox.SharedChannel, sandbox.Bob) {
				if title(m) == "Not posted here" {
					n++
				}
			}
			return n >= atLeast
		}); err != nil {
			t.Fatal(err)
		}
	}
	share()
	refusals(1)
	if m := w.says(t, sandbox.Bob, sandbox.SharedChannel, "admin allow-channel"); title(m) != "Only for administrators" {
		t.Errorf("Bob: %q", title(m))
	}
	if m := w.says(t, sandbox.Alice, sandbox.SharedChannel, "admin allow-channel"); title(m) != "Allowed: "+sandbox.SharedChannel || !strings.Contains(m.Text, sandbox.ExternalTeamID) {
		t.Errorf("Alice: %q", m.Text)
	}
	if slices.ContainsFunc(w.slack.Messages(sandbox.SharedChannel, sandbox.External), public) {
		t.Fatal("something was posted before it was allowed")
	}
	share()
	posted, err := w.slack.WaitMessage(soon(t), sandbox.SharedChannel, sandbox.External, public)
	if err != nil {
		t.Fatal(err)
	}
	w.click(t, sandbox.External, posted, "Refresh")
	if _, err := w.slack.WaitMessage(soon(t), sandbox.SharedChannel, sandbox.External, func(m sandbox.Message) bool {
		return m.EphemeralFor == sandbox.External && title(m) == "Only for members of this workspace"
	}); err != nil {
		t.Error("Eve's click:", err)
	}
	if m := w.says(t, sandbox.Alice, sandbox.General, "admin disallow-channel "+sandbox.SharedChannel); title(m) != "No longer allowed: "+sandbox.SharedChannel {
		t.Errorf("Alice: %q", title(m))
	}
	share()
	refusals(2)
}

// Whoever made a digest in a private channel and has left it is told no more of what that channel is told, wherever they
// ask; those who stayed are.
func TestLeavingAChannelEndsWhatItsDigestsTell(t *testing.T) {
	t.Parallel()
	w := stage(t)
	w.slack.Invite(sandbox.PrivateChannel, sandbox.BotUser)
	w.start(t, nil)
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	added := title(w.says(t, sandbox.Bob, sandbox.PrivateChannel, "digest add "+edge))
	number := strings.TrimPrefix(strings.TrimSuffix(added, " is set up"), "Digest ")
	ask := func(who, channel, word string) sandbox.Message {
		return w.says(t, who, channel, "digest "+word+" "+number)
	}
	if m := ask(sandbox.Bob, sandbox.General, "preview"); !strings.HasPrefix(title(m), "Preview: ") {
		t.Fatalf("%q: while in it: %q", added, m.Text)
	}
	w.slack.Kick(sandbox.PrivateChannel, sandbox.Bob)
	for _, word := range []string{"preview", "details", "csv", "run"} {
		if m := ask(sandbox.Bob, sandbox.General, word); title(m) != "Only for members of its channel" {
			t.Errorf("%s after leaving: %q", word, m.Text)
		}
	}
	if m := ask(sandbox.Bob, sandbox.General, "show"); !strings.Contains(m.Text, "you are not one of them") || strings.Contains(m.Text, "No digest was made yet") {
		t.Errorf("the settings: %q", m.Text)
	}
	if m := ask(sandbox.Alice, sandbox.PrivateChannel, "preview"); !strings.HasPrefix(title(m), "Preview: ") {
		t.Errorf("who stayed: %q", m.Text)
	}
}

// In an organisation people of its other workspaces are members, and those who merely share a channel are not.
func TestColleaguesOfTheOrganisation(t *testing.T) {
	t.Parallel()
	w := stageWith(t, sandbox.Options{Organisation: true})
	w.slack.Admit(colleague, sandbox.Colleague, sandbox.General)
	w.start(t, nil)
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	if m := w.says(t, colleague, sandbox.General, edge); title(m) != "Missing updates: "+called(edge) {
		t.Errorf("a colleague: %q", title(m))
	}
}

// A setting that cannot work ends the start, with what to do.
func TestGroupsThatAreNotThereEndTheStart(t *testing.T) {
	t.Parallel()
	w := stage(t)
	w.start(t, map[string]string{"MISSINGKBS_ASK_GROUPS": "S0NOTHERE"})
	if err := w.process.Wait(); err == nil || w.process.ProcessState.ExitCode() != exitWrongUse {
		t.Errorf("ended with %v", err)
	}
	if !strings.Contains(w.log.String(), "MISSINGKBS_ASK_GROUPS") || !strings.Contains(w.log.String(), "S0NOTHERE") {
		t.Errorf("it says %s", w.log)
	}
}
