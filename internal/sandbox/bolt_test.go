package sandbox

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
)

// TestBolt holds the sandbox to a client that this project did not write: an app made with Slack's Bolt for JavaScript,
// as it comes from npm. See .ci/slack.
func TestBolt(t *testing.T) {
	t.Parallel()
	w := workspace(t, Options{Shortcuts: []Shortcut{{Name: "Begin", CallbackID: "begin"}}})
	b := startBolt(t, w)
	b.told("started")

	b.clean(w.Command(soon(t), Alice, General, "/missingkbs answer me"))
	if got := b.told("answer"); got.User != Alice || got.Channel != General {
		t.Errorf("the command came with %+v", got)
	}
	answer := b.sees(Alice, General, "heard answer me")
	if answer.EphemeralFor != Alice || !strings.Contains(string(answer.Blocks), "From the acknowledgement") {
		t.Errorf("the acknowledgement shows %+v", answer)
	}

	b.clean(w.Command(soon(t), Alice, General, "/missingkbs later"))
	b.told("later")
	b.sees(Bob, General, "to everyone")
	if m := b.sees(Alice, General, "to one person"); m.EphemeralFor != Alice {
		t.Errorf("the second response is for %q", m.EphemeralFor)
	}

	b.elements(w, answer)
	b.modals(w, answer)
	b.events(w)
	b.clean(w.Command(soon(t), Alice, General, "/missingkbs web"))
	b.told("web")
	b.sees(Alice, General, "for you alone")
	b.clean(w.Command(soon(t), Alice, General, "/missingkbs refused"))
	b.told("refused")
	b.clean(w.Command(soon(t), Alice, General, "/missingkbs upload"))
	b.told("upload")
	b.sees(Bob, General, "a file")
	b.faults(w)
}

// bolt is the app as a process.
type bolt struct {
	t     *testing.T
	w     *Workspace
	tells chan told
}

// told is a line that the app writes.
type told struct {
	Step, Error                string
	User, Channel, View        string
	Value, Typed, Chosen, Kept string
	Text                       string
	ChannelType                string `json:"channel_type"`
	Ephemeral                  bool
}

func startBolt(t *testing.T, w *Workspace) *bolt {
	t.Helper()
	folder := os.Getenv("SLACK_JS")
	if folder == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("SLACK_JS is not set: .ci/slackjs FOLDER installs what this test runs")
		}
		t.Skip("needs Node and Bolt: run .ci/slackjs FOLDER, and set SLACK_JS to that folder")
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "bolt.mjs"))
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SLACK_API_URL=" + w.APIURL(), "SLACK_APP_TOKEN=" + w.AppToken(),
		"SLACK_BOT_TOKEN=" + w.BotToken(), "SLACK_CHANNEL=" + General, "SLACK_PERSON=" + Alice,
	}
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := &bolt{t: t, w: w, tells: make(chan told, 100)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		b.read(out)
	}()
	t.Cleanup(func() {
		_ = in.Close() // ends the app
		<-read
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("the app ended with %v", err)
		}
	})
	return b
}

func (b *bolt) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var one told
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			one = told{Step: "failed", Error: lines.Text()}
		}
		b.tells <- one
	}
}

// told waits for the app to tell of a step.
func (b *bolt) told(step string) told {
	b.t.Helper()
	select {
	case one := <-b.tells:
		if one.Step != step {
			b.t.Fatalf("the app tells %+v, want the step %s", one, step)
		}
		return one
	case <-time.After(2 * time.Minute):
		b.t.Fatalf("the app tells nothing of the step %s", step)
	}
	return told{}
}

// clean checks a delivery.
func (b *bolt) clean(d sockets.Dispatch, err error) sockets.Dispatch {
	b.t.Helper()
	if err != nil || !d.Acked || d.Err != "" {
		b.t.Fatalf("delivery %+v, %v", d, err)
	}
	return d
}

func (b *bolt) sees(as, channel, text string) Message {
	b.t.Helper()
	m, err := b.w.WaitMessage(soon(b.t), channel, as, func(m Message) bool { return m.Text == text })
	if err != nil {
		b.t.Fatalf("%s does not see %q: %v", as, text, err)
	}
	return m
}

func (b *bolt) elements(w *Workspace, at Message) {
	b.t.Helper()
	d := b.clean(w.Suggest(soon(b.t), Alice, Target{Channel: General, TS: at.TS, ActionID: "pick"}, "edge"))
	if got := b.told("options"); got.Typed != "edge" || !strings.Contains(string(d.AckPayload), "found edge") {
		b.t.Errorf("options %+v, %s", got, d.AckPayload)
	}
	b.clean(w.Click(soon(b.t), Alice, General, at.TS, "pick", Select("one")))
	if got := b.told("pick"); got.Chosen != "one" {
		b.t.Errorf("pick %+v", got)
	}
}

func (b *bolt) modals(w *Workspace, at Message) {
	b.t.Helper()
	b.clean(w.Click(soon(b.t), Alice, General, at.TS, "ask"))
	id := b.told("ask").View
	submit := func(typed string) {
		b.t.Helper()
		values := map[string]any{"name": map[string]any{"typed": map[string]any{"type": "plain_text_input", "value": typed}}}
		b.clean(w.SubmitView(soon(b.t), Alice, id, values))
		if got := b.told("form"); got.Typed != typed || got.Kept != "kept" {
			b.t.Errorf("form %+v, want %s", got, typed)
		}
	}
	for _, tc := range []struct{ typed, title string }{{"no", "A form"}, {"more", "Once more"}} {
		submit(tc.typed)
		if views := w.Views(Alice); len(views) != 1 || !strings.Contains(string(views[0]), tc.title) {
			b.t.Fatalf("after %q these modals are open: %s", tc.typed, views)
		}
	}
	submit("yes")
	if views := w.Views(Alice); len(views) != 0 {
		b.t.Errorf("%d modals are left", len(views))
	}
	b.clean(w.Shortcut(soon(b.t), Alice, "begin"))
	b.told("shortcut")
	if len(w.Views(Alice)) != 1 {
		b.t.Error("the shortcut opened no modal")
	}
	b.clean(w.Click(soon(b.t), Alice, General, at.TS, "press"))
	if got := b.told("press"); got.Value != "pressed" || !got.Ephemeral {
		b.t.Errorf("press %+v", got)
	}
	if m := b.sees(Alice, General, "replaced"); m.TS != at.TS {
		b.t.Errorf("a click put %s beside %s", m.TS, at.TS)
	}
}

func (b *bolt) events(w *Workspace) {
	b.t.Helper()
	b.clean(w.OpenHome(soon(b.t), Alice))
	if got := b.told("home"); got.User != Alice || !strings.Contains(string(w.Home(Alice)), "At home") {
		b.t.Errorf("home %+v: %s", got, w.Home(Alice))
	}
	b.clean(w.Mention(soon(b.t), Bob, General, "are you there"))
	if got := b.told("mention"); !strings.Contains(got.Text, "are you there") {
		b.t.Errorf("mention %+v", got)
	}
	if m := b.sees(Bob, General, "you called"); m.ThreadTS == "" {
		b.t.Error("the answer is in no thread")
	}
	b.clean(w.Message(soon(b.t), Alice, AliceDM, "hello"))
	if got := b.told("message"); got.ChannelType != "im" {
		b.t.Errorf("message %+v", got)
	}
	b.sees(Alice, AliceDM, "hello yourself")
}

// faults are a pause and a refresh of the connection: the client gets over both by itself.
func (b *bolt) faults(w *Workspace) {
	b.t.Helper()
	w.Inject(faults.Fault{Call: "chat.postMessage", Status: 429, RetryAfter: time.Second})
	b.clean(w.Command(soon(b.t), Alice, General, "/missingkbs limited"))
	b.told("limited")
	b.sees(Bob, General, "after the pause")
	w.Disconnect("refresh_requested")
	if err := w.WaitConnected(soon(b.t), 1); err != nil { // the client takes five seconds
		b.t.Fatalf("no connection after a refresh: %v", err)
	}
	b.clean(w.Command(soon(b.t), Alice, General, "/missingkbs answer again"))
	b.told("answer")
}
