package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// A person who waits for Defender is told so within three seconds, in a message of its own: Slack replaces none through the
// response URL of a command. After a click the answer takes the place of the message with the button, and of no other.
func TestWaitingIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"MISSINGKBS_CACHE_TTL": "1ms"})
	w.ask(t, edge) // the token is there
	w.defender.Inject(apitest.Fault{Delay: 6 * time.Second})
	before := len(w.slack.Messages(sandbox.General, sandbox.Alice))
	began := time.Now()
	if _, err := w.slack.Command(soon(t), sandbox.Alice, sandbox.General, "/missingkbs "+windows11); err != nil {
		t.Fatal(err)
	}
	line := w.shown(t, sandbox.General, isWait)
	// It is three seconds on an idle machine: that tests of package bot show, to the millisecond.
	if took := time.Since(began); took > 5*time.Second || !strings.HasPrefix(line.Text, "Asking Defender") || line.EphemeralFor != sandbox.Alice {
		t.Errorf("after %v: %+v", took, line)
	}
	page := w.answer(t, sandbox.General, func(m sandbox.Message) bool { return title(m) == "Missing updates: "+called(windows11) })
	if got := w.slack.Messages(sandbox.General, sandbox.Alice)[before:]; len(got) != 2 || got[0].TS != line.TS || got[0].Edited || got[1].TS != page.TS {
		t.Errorf("Alice sees %+v", got)
	}

	w.click(t, sandbox.Alice, page, "Refresh")
	again := w.shown(t, sandbox.General, func(m sandbox.Message) bool { return isWait(m) && m.TS > page.TS })
	if !strings.Contains(again.Text, "It takes the place of the message above.") {
		t.Errorf("told %q", again.Text)
	}
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.TS == page.TS && m.Edited })
	if got := w.slack.Messages(sandbox.General, sandbox.Alice)[before:]; len(got) != 3 {
		t.Errorf("Alice sees %+v", got)
	}
}
