//go:build unix

package e2e

import (
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
)

// tell writes a message as Alice and returns the bot's answer to it.
func (w *world) tell(t *testing.T, channel, text string) sandbox.Message {
	t.Helper()
	before := len(w.slack.Messages(channel, sandbox.Alice))
	d, err := w.slack.Message(soon(t), sandbox.Alice, channel, text)
	if err != nil || d.Err != "" || !d.Acked {
		t.Fatalf("%q: %+v, %v", text, d, err)
	}
	var m sandbox.Message
	err = w.slack.Wait(soon(t), func() bool {
		for _, m = range w.slack.Messages(channel, sandbox.Alice)[before:] {
			if isAnswer(m) {
				return true
			}
		}
		return false
	})
	if err != nil {
		t.Fatalf("%q is not answered: %v\n%s", text, err, w.log)
	}
	return m
}

// lookUp uses the shortcut of messages on one that Alice writes, and returns the answer.
func (w *world) lookUp(t *testing.T, channel, text string) sandbox.Message {
	t.Helper()
	before := len(w.slack.Messages(channel, sandbox.Alice))
	if _, err := w.slack.Message(soon(t), sandbox.Alice, channel, text); err != nil {
		t.Fatal(err)
	}
	of := w.slack.Messages(channel, sandbox.Alice)[before]
	if d, err := w.slack.MessageShortcut(soon(t), sandbox.Alice, channel, of.TS, demo.Shortcuts()[1].CallbackID); err != nil || d.Err != "" {
		t.Fatalf("%q: %+v, %v", text, d, err)
	}
	return w.answer(t, channel, func(m sandbox.Message) bool { return m.TS > of.TS && isAnswer(m) })
}

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
		{sandbox.AliceDM, "digest list", "No digests here"},
		{sandbox.General, "@missingkbs what is missing on edge?", "Missing updates: " + called(edge)},
		{sandbox.General, "@missingkbs help", "What you can ask"},
	} {
		m := w.tell(t, c.channel, c.text)
		if private := m.EphemeralFor == sandbox.Alice; title(m) != c.want || private != (c.channel == sandbox.General) {
			t.Errorf("%q is answered with %q for %q", c.text, title(m), m.EphemeralFor)
		}
	}
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Bob) {
		if m.Kind != sandbox.KindPerson || strings.Contains(m.Text, "Missing updates") {
			t.Errorf("Bob sees %+v", m)
		}
	}
	m := w.tell(t, sandbox.General, "@missingkbs edge")
	w.click(t, sandbox.Alice, m, "Share to channel")
	if _, err := w.slack.WaitMessage(soon(t), sandbox.General, sandbox.Bob, func(m sandbox.Message) bool { return title(m) == "Missing updates: "+called(edge) }); err != nil {
		t.Error(err)
	}
}

// The shortcut of a message finds what is in it, and its buttons lead on. The message may be anyone's, where the app is no member.
func TestShortcutOfAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	m := w.lookUp(t, sandbox.PrivateChannel, "Please install kb 5074202, it fixes CVE‑2025‑12345: https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074202")
	if title(m) != "Found: 1 KB number and 1 CVE id" || m.EphemeralFor != sandbox.Alice {
		t.Errorf("got %+v", m)
	}
	w.click(t, sandbox.Alice, m, "Show")
	w.answer(t, sandbox.PrivateChannel, func(m sandbox.Message) bool {
		return strings.HasPrefix(title(m), "KB5074202") || strings.HasPrefix(title(m), "CVE-2025-12345")
	})
	if m := w.lookUp(t, sandbox.PrivateChannel, "lunch?"); title(m) != "No KB numbers or CVE ids there" || m.EphemeralFor != sandbox.Alice {
		t.Errorf("got %+v", m)
	}
}

// The buttons of an answer in a direct message replace it: the conversation does not grow by a message for each click.
func TestAnswersInDirectMessagesAreReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	m := w.tell(t, sandbox.AliceDM, "windows 11")
	before := len(w.slack.Messages(sandbox.AliceDM, sandbox.Alice))
	for _, button := range []string{"All rows as Defender gave them"} {
		was := m
		w.click(t, sandbox.Alice, m, button)
		m = w.answer(t, sandbox.AliceDM, func(now sandbox.Message) bool { return now.TS == was.TS && now.Text != was.Text })
	}
	if after := len(w.slack.Messages(sandbox.AliceDM, sandbox.Alice)); after != before {
		t.Errorf("%d messages became %d", before, after)
	}
}
