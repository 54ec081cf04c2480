//go:build unix

package e2e

import (
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// What people write to the bot is answered like the command: a direct message in the conversation, a mention for the person alone.
func TestPlainWordsAreAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, c := range []struct {
		channel, text, want string
	}{
		{sandbox.AliceDM, "edge", "Missing updates: " + called(edge)},
		{sandbox.AliceDM, "which updates is edge missing?", "Missing updates: " + called(edge)},
		{sandbox.AliceDM, "thanks!", "You are welcome"},
		{sandbox.General, "@missingkbs what is missing on edge?", "Missing updates: " + called(edge)},
		{sandbox.General, "@missingkbs help", "What you can ask"},
	} {
		before := len(w.slack.Messages(c.channel, sandbox.Alice))
		d, err := w.slack.Message(soon(t), sandbox.Alice, c.channel, c.text)
		if err != nil || d.Err != "" || !d.Acked {
			t.Fatalf("%q: %+v, %v", c.text, d, err)
		}
		var m sandbox.Message
		err = w.slack.Wait(soon(t), func() bool {
			for _, m = range w.slack.Messages(c.channel, sandbox.Alice)[before:] {
				if title(m) == c.want {
					return true
				}
			}
			return false
		})
		if err != nil {
			t.Fatalf("%q is not answered: %v\n%s", c.text, err, w.log)
		}
		if private := m.EphemeralFor == sandbox.Alice; private != (c.channel == sandbox.General) {
			t.Errorf("%q is answered for %q", c.text, m.EphemeralFor)
		}
	}
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Bob) {
		if m.Kind != sandbox.KindPerson || strings.Contains(m.Text, "Missing updates") {
			t.Errorf("Bob sees %+v", m)
		}
	}
}

// The shortcut of a message finds what is in it, and its buttons lead on. The message may be anyone's, where the app is no member.
func TestShortcutOfAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	const callback = "missingkbs_message"
	for text, want := range map[string]string{
		"Please install kb 5074202, it fixes CVE‑2025‑12345: https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074202": "Found: 1 KB number and 1 CVE id",
		"lunch?": "No KB numbers or CVE ids there",
	} {
		before := len(w.slack.Messages(sandbox.PrivateChannel, sandbox.Alice))
		if _, err := w.slack.Message(soon(t), sandbox.Alice, sandbox.PrivateChannel, text); err != nil {
			t.Fatal(err)
		}
		of := w.slack.Messages(sandbox.PrivateChannel, sandbox.Alice)[before]
		if d, err := w.slack.MessageShortcut(soon(t), sandbox.Alice, sandbox.PrivateChannel, of.TS, callback); err != nil || d.Err != "" {
			t.Fatalf("%q: %+v, %v", text, d, err)
		}
		m := w.answer(t, sandbox.PrivateChannel, func(m sandbox.Message) bool { return title(m) == want })
		if m.EphemeralFor != sandbox.Alice {
			t.Errorf("%q is answered for %q", text, m.EphemeralFor)
		}
		if strings.HasPrefix(want, "Found") {
			w.click(t, sandbox.Alice, m, "Show")
			w.answer(t, sandbox.PrivateChannel, func(m sandbox.Message) bool { return strings.HasPrefix(title(m), "KB5074202") })
		}
	}
}
