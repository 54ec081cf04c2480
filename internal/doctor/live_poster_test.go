package doctor

import (
	"testing"

	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/view"
)

// A reply whose answer was lost is found in its thread and deleted before what it is a reply to.
func TestLivePosterFindsLostReplies(t *testing.T) {
	t.Parallel()
	w, c := inspected(t, sandbox.Options{})
	other, err := w.Message(t.Context(), sandbox.Alice, sandbox.General, "MARK in a person's words")
	if err != nil || other.Err != "" {
		t.Fatal(other, err)
	}
	page := func(what string) view.Page { return view.Page{Title: "missingkbs test MARK: " + what} }
	poster := newLivePoster(c, livePosterOptions{workspace: slackapi.Workspace{UserID: sandbox.BotUser}, channel: sandbox.General, mark: "MARK", interval: -1})
	head := poster.post(t.Context(), page("head"), blocks.Classic(), "", "")
	w.Inject(faults.Fault{Call: "chat.postMessage", Cut: true, Acts: true, Times: 2})
	for _, thread := range []string{head.message, ""} {
		if lost := poster.post(t.Context(), page("lost"), blocks.Classic(), thread, ""); lost.err == nil {
			t.Error("no answer was lost")
		}
	}
	deleted, left := poster.cleanUp(t.Context())
	if deleted != 3 || len(left) != 0 {
		t.Errorf("%d deleted, left %v", deleted, left)
	}
	for _, channel := range []string{sandbox.General, sandbox.Patching, sandbox.AliceDM} {
		for _, m := range w.Messages(channel, sandbox.Alice) {
			if m.Kind == sandbox.KindApp {
				t.Errorf("left in %s: %+v", channel, m)
			}
		}
	}
	if got := w.Messages(sandbox.General, sandbox.Alice); len(got) != 1 {
		t.Errorf("%d messages, want the person's alone", len(got))
	}
}
