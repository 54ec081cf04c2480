package e2e

import (
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// Each refusal that trying again does not mend ends the program with exit code 3, and its last words say what to do:
// for both tokens, at the start and while it runs.
func TestRefusalsForGoodEndTheProcess(t *testing.T) {
	t.Parallel()
	for code, cure := range map[string]string{
		"invalid_auth":            "copy SLACK_APP_TOKEN and SLACK_BOT_TOKEN again",
		"not_authed":              "set SLACK_APP_TOKEN and SLACK_BOT_TOKEN",
		"account_inactive":        "install it again",
		"token_revoked":           "set the new SLACK_BOT_TOKEN, or make a new app-level token",
		"token_expired":           "switch token rotation off",
		"not_allowed_token_type":  "SLACK_APP_TOKEN starts with xapp-, SLACK_BOT_TOKEN with xoxb-",
		"missing_scope":           "the app-level token needs connections:write",
		"team_disabled":           "the workspace was disabled",
		"user_removed_from_team":  "install the app again",
		"socket_mode_not_enabled": "switch it on in the app's settings",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			running := newWorld(t, nil)
			running.slack.RefuseToken(running.slack.AppToken(), code)
			running.slack.Drop() // a new connection takes its time, in which the others start
			for _, token := range []func(*sandbox.Workspace) string{(*sandbox.Workspace).AppToken, (*sandbox.Workspace).BotToken} {
				w := stage(t)
				w.slack.RefuseToken(token(w.slack), code)
				w.start(t, nil)
				w.ends(t, code, cure)
			}
			running.ends(t, code, cure)
		})
	}
	t.Run("link_disabled", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil)
		w.slack.Disconnect("link_disabled")
		w.ends(t, "link_disabled", "switch it on in the app's settings")
	})
}

// A bot token that Slack no longer takes while the program runs ends it, too, when Slack has said it twice: with this
// reason as with each of the others, see TestLostBotTokenEndsTheBot.
func TestLostBotTokenEndsTheProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.slack.RefuseToken(w.slack.BotToken(), "account_inactive")
	if _, err := w.slack.Command(soon(t), sandbox.Alice, sandbox.General, "/missingkbs "+edge); err != nil {
		t.Fatal(err)
	}
	w.ends(t, "account_inactive", "install it again")
}

// ends waits until the program ends because Slack refuses it, and reads its last words.
func (w *world) ends(t *testing.T, code, cure string) {
	t.Helper()
	_ = w.process.Wait()
	if got := w.process.ProcessState.ExitCode(); got != exitRefused {
		t.Errorf("exit code %d, want %d", got, exitRefused)
	}
	lines := strings.Split(strings.TrimSpace(w.log.String()), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "missingkbs: ") || !strings.Contains(last, code) || !strings.Contains(last, cure) {
		t.Errorf("the last words are %q, want %s and the cure %q", last, code, cure)
	}
	if strings.Contains(w.log.String(), w.slack.AppToken()) || strings.Contains(w.log.String(), w.slack.BotToken()) {
		t.Error("the log holds a token")
	}
}
