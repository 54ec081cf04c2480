package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// A click on Share that carries another command line posts nothing for everyone, runs nothing, and is in the audit. What a
// digest of a private channel found stays there, also for the person who made it and reads it.
func TestForgedSharesAreRefused(t *testing.T) {
	t.Parallel()
	database := "sqlite://" + filepath.Join(t.TempDir(), "missingkbs.db")
	w := stage(t)
	w.slack.Invite(sandbox.PrivateChannel, sandbox.BotUser)
	w.start(t, map[string]string{"DATABASE_URL": database, "MISSINGKBS_ADMIN_USERS": sandbox.Alice})
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	added := title(w.says(t, sandbox.Alice, sandbox.PrivateChannel, "digest add "+edge))
	number := strings.TrimPrefix(strings.TrimSuffix(added, " is set up"), "Digest ")
	page := w.says(t, sandbox.Alice, sandbox.General, edge)
	share := sandbox.Target{Channel: page.Channel, TS: page.TS, ActionID: actionID(t, page, "Share")}
	lines := []string{
		"digest preview " + number, "digest details " + number, "digest show " + number, "digest remove " + number + " --yes",
		"admin list", "admin who", "home", "help", "search edge", "edge",
	}
	for i, line := range lines {
		w.act(t, sandbox.Alice, share, sandbox.Input{Fields: map[string]any{"value": line}})
		if err := w.slack.Wait(soon(t), func() bool { return len(refusals(w, "Not posted here")) > i }); err != nil {
			t.Fatalf("%q was not refused: %v", line, err)
		}
	}
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Bob) {
		if m.Kind == sandbox.KindApp {
			t.Errorf("everyone sees %q", m.Text)
		}
	}
	if m := w.says(t, sandbox.Alice, sandbox.PrivateChannel, "digest show "+number); !strings.HasPrefix(title(m), "Digest "+number) {
		t.Errorf("the digest afterwards: %q", m.Text)
	}
	own := w.says(t, sandbox.Bob, sandbox.General, edge)
	w.act(t, sandbox.Bob, sandbox.Target{Channel: own.Channel, TS: own.TS, ActionID: actionID(t, own, "Share")}, sandbox.Input{Fields: map[string]any{"value": "admin list"}})
	if _, err := w.slack.WaitMessage(soon(t), sandbox.General, sandbox.Bob, func(m sandbox.Message) bool {
		return title(m) == "Only for administrators" && m.EphemeralFor == sandbox.Bob
	}); err != nil {
		t.Error("Bob's forged click:", err)
	}
	w.sendTerm(t)
	var refused []string
	for _, l := range exported(t, database) {
		if l.Action == "share" && l.Result == "refused" && l.Reason == "not_shared" && l.User == sandbox.Alice && l.Channel == sandbox.General {
			refused = append(refused, l.Detail)
		} else if l.Action == "share" && l.Reason != "not_admin" || l.Action == "digest.remove" {
			t.Errorf("in the audit: %+v", l)
		}
	}
	if got, want := strings.Join(refused, "; "), strings.Join(lines, "; "); got != want {
		t.Errorf("refused in the audit: %s\nwant %s", got, want)
	}
}

// refusals are the messages with a title that Alice alone sees in #general.
func refusals(w *world, heading string) (all []sandbox.Message) {
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Alice) {
		if m.EphemeralFor == sandbox.Alice && title(m) == heading {
			all = append(all, m)
		}
	}
	return all
}
