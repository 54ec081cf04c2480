package bot

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/slack-go/slack"
)

// The buttons on an answer in a direct message replace that answer where the bot may; elsewhere, and where Slack refuses, the
// answer is a new message for the user alone.
func TestDirectMessagesAreReplaced(t *testing.T) {
	t.Parallel()
	click := func(channel, action, ephemeral string) string {
		return fmt.Sprintf(`{"type":"block_actions","trigger_id":"t","response_url":"https://hooks.slack.com/x","user":{"id":"U1","team_id":"T1"},
			"channel":{"id":%q},"container":{"channel_id":%q,"message_ts":"1.2","is_ephemeral":%s},"actions":[{"action_id":%q,"value":"microsoft-_-edge"}]}`,
			channel, channel, ephemeral, action)
	}
	for name, c := range map[string]struct {
		payload string
		err     error
		updated bool
		posted  bool // through the response_url
	}{
		"refresh":           {payload: click("D1", "replace:1", "false"), updated: true},
		"another question":  {payload: click("D1", "run:1", "false"), posted: true},
		"a private answer":  {payload: click("D1", "replace:1", "true"), posted: true},
		"a channel":         {payload: click("C1", "replace:1", "false"), posted: true},
		"a group of people": {payload: click("G1", "replace:1", "false"), posted: true},
		"two people alone":  {payload: click("D9", "replace:1", "false"), err: slack.SlackErrorResponse{Err: "channel_not_found"}, updated: true, posted: true},
		"a deleted message": {payload: click("D1", "replace:1", "false"), err: slack.SlackErrorResponse{Err: "message_not_found"}, updated: true, posted: true},
		"an old message":    {payload: click("D1", "replace:1", "false"), err: slack.SlackErrorResponse{Err: "edit_window_closed"}, updated: true, posted: true},
		"another container": {payload: strings.Replace(click("C1", "replace:1", "false"), `"container":{"channel_id":"C1"`, `"container":{"channel_id":"D1"`, 1), posted: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b, f, seen := screened(t)
				f.err = c.err
				b.events <- interaction(1, c.payload)
				synctest.Wait()
				if got := strings.Join(f.shown(), ","); strings.HasPrefix(got, "update D") != c.updated || got != "" && !c.updated {
					t.Errorf("shown %q", got)
				}
				sent := strings.Join(b.titles(), "\n")
				if got := strings.Contains(sent, "microsoft-_-edge"); got != c.posted {
					t.Errorf("sent %s", sent)
				}
				if len(*seen) != 1 || (*seen)[0].Outcome != Answered {
					t.Errorf("observed %+v", *seen)
				}
			})
		})
	}
}

// An update takes a tenth of the text that a message takes.
func TestShortenedTexts(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("å", 100) + "\n"
	for n, cut := range map[int]bool{1: false, 19: false, 20: true, 100: true} {
		text := strings.Repeat(line, n)
		got := shorten(text)
		if len(got) > maxUpdateText || (got != text) != cut || cut && !strings.HasSuffix(got, "å\nMore lines are not read out here.\n") {
			t.Errorf("%d lines: %d bytes end in %q", n, len(got), got[max(0, len(got)-60):])
		}
	}
}
