package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/demo"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/store/storetest"
)

// world is the whole: a Defender tenant behind HTTPS, a Slack workspace, and the program as a process of its own
// between them.
type world struct {
	defender *apitest.Server
	slack    *sandbox.Workspace
	program  string // its file; [program] where it is empty
	process  *exec.Cmd
	log      *locked
}

// newWorld starts a world. Settings are added to the environment of the process; an empty one takes a variable away.
func newWorld(tb testing.TB, settings map[string]string) *world {
	tb.Helper()
	w := stage(tb)
	w.start(tb, settings)
	if err := w.slack.WaitConnected(soon(tb), 1); err != nil {
		tb.Fatalf("no connection: %v\n%s", err, w.log)
	}
	return w
}

// stage starts the servers of a world.
func stage(tb testing.TB) *world {
	tb.Helper()
	return stageWith(tb, sandbox.Options{})
}

// stageWith is [stage] with a Slack of another kind.
func stageWith(tb testing.TB, o sandbox.Options) *world {
	tb.Helper()
	defender, err := apitest.Start(apitest.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(defender.Close)
	o.Command, o.Shortcuts, o.Defender = "/missingkbs", demo.Shortcuts(), defender.Tenant
	o.Deadline = cmp.Or(o.Deadline, 20*time.Second) // a busy machine may not keep Slack's; that the bot does is tested in package bot
	slack, err := sandbox.Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := slack.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &world{defender: defender, slack: slack, log: &locked{}}
}

// start starts the program.
func (w *world) start(tb testing.TB, settings map[string]string) {
	tb.Helper()
	w.prepare(tb, settings)
	w.launch(tb)
}

// prepare makes the process of the program, ready to start.
func (w *world) prepare(tb testing.TB, settings map[string]string) {
	tb.Helper()
	cert := filepath.Join(tb.TempDir(), "cert.pem")
	if err := os.WriteFile(cert, w.defender.CertPEM(), 0o600); err != nil {
		tb.Fatal(err)
	}
	own := "sqlite://" + filepath.ToSlash(filepath.Join(tb.TempDir(), "missingkbs.db"))
	storetest.File(tb, own)
	all := map[string]string{
		"SLACK_APP_TOKEN":      w.slack.AppToken(),
		"SLACK_BOT_TOKEN":      w.slack.BotToken(),
		"SLACK_API_URL":        w.slack.APIURL(),
		"AZURE_TENANT_ID":      apitest.TenantID,
		"AZURE_CLIENT_ID":      apitest.ClientID,
		"AZURE_CLIENT_SECRET":  apitest.ClientSecret,
		"AZURE_AUTHORITY_HOST": w.defender.URL,
		"DEFENDER_API_URL":     w.defender.URL,
		"DEFENDER_SCOPE":       w.defender.Scope(),
		"SSL_CERT_FILE":        cert,
		"DATABASE_URL":         own,
		"LOG_LEVEL":            "debug",
		"HTTP_ADDR":            "127.0.0.1:0",
		"MISSINGKBS_FEEDS":     "off", // no test reaches out of this machine
	}
	maps.Copy(all, settings)
	file := w.program
	if file == "" {
		file = program(tb)
	}
	w.process = exec.Command(file, "serve")
	w.process.Stdout, w.process.Stderr = w.log, w.log
	w.process.Env = environment(all)
}

// launch starts the process.
func (w *world) launch(tb testing.TB) {
	tb.Helper()
	if err := w.process.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = w.process.Process.Kill()
		_ = w.process.Wait()
		if tb.Failed() {
			tb.Logf("the program's log:\n%s", w.log)
		}
	})
}

func soon(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 2*time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// ask types a slash command in #general as Alice and returns the answer that appears.
func (w *world) ask(tb testing.TB, words string) sandbox.Message {
	tb.Helper()
	seen := map[string]bool{}
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Alice) {
		seen[m.TS] = true
	}
	d, err := w.slack.Command(soon(tb), sandbox.Alice, sandbox.General, "/missingkbs "+words)
	if err != nil || !d.Acked || d.Err != "" {
		tb.Fatalf("%q: delivery %+v, %v", words, d, err)
	}
	return w.answer(tb, sandbox.General, func(m sandbox.Message) bool { return isAnswer(m) && !seen[m.TS] })
}

// answer waits for a message that Alice sees. Lines that say what an answer waits for are none: on a busy machine they come
// before any answer.
func (w *world) answer(tb testing.TB, channel string, ok func(sandbox.Message) bool) sandbox.Message {
	tb.Helper()
	return w.shown(tb, channel, func(m sandbox.Message) bool { return !isWait(m) && ok(m) })
}

// shown waits for a message that Alice sees, of any kind.
func (w *world) shown(tb testing.TB, channel string, ok func(sandbox.Message) bool) sandbox.Message {
	tb.Helper()
	m, err := w.slack.WaitMessage(soon(tb), channel, sandbox.Alice, ok)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// isAnswer tells the app's messages from the lines that say what an answer waits for: on a busy machine any may.
func isAnswer(m sandbox.Message) bool { return m.Kind == sandbox.KindApp && !isWait(m) }

func isWait(m sandbox.Message) bool { return commands.IsWaiting(m.Text) }

// click presses the button of a message that carries the label.
func (w *world) click(t *testing.T, as string, m sandbox.Message, label string) {
	t.Helper()
	d, err := w.slack.Click(soon(t), as, m.Channel, m.TS, actionID(t, m, label))
	if err != nil || !d.Acked || d.Err != "" {
		t.Fatalf("click on %q: delivery %+v, %v", label, d, err)
	}
}

// actionID finds the button with a label in a message.
func actionID(t *testing.T, m sandbox.Message, label string) string {
	t.Helper()
	var blocks any
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	id := ""
	var find func(any)
	find = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				find(x)
			}
		case map[string]any:
			text, _ := v["text"].(map[string]any)
			if v["type"] == "button" && text != nil && strings.HasPrefix(text["text"].(string), label) && id == "" {
				id, _ = v["action_id"].(string)
			}
			for _, x := range v {
				find(x)
			}
		}
	}
	find(blocks)
	if id == "" {
		t.Fatalf("no button %q in %s", label, m.Blocks)
	}
	return id
}

// title is the first line of an answer.
func title(m sandbox.Message) string {
	line, _, _ := strings.Cut(m.Text, "\n")
	return line
}

func TestSlashCommandToVisibleAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	m := w.ask(t, "microsoft-_-edge")
	if m.EphemeralFor != sandbox.Alice || title(m) != "Missing updates: Edge" {
		t.Errorf("got %q for %q", title(m), m.EphemeralFor)
	}
	var blocks []struct {
		Type string
		Rows [][]struct {
			Text    string
			Value   float64
			Element struct{ URL string }
		}
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		if b.Type != "data_table" {
			continue
		}
		row := b.Rows[1]
		if row[0].Text != "KB4540673" || row[1].Value != 240 || row[1].Text != "240" || row[2].Value != 14 ||
			row[3].Text != "March 2020 Security Updates" ||
			row[4].Element.URL != "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673" {
			t.Errorf("row %+v", row)
		}
		return
	}
	t.Errorf("no table in %s", m.Blocks)
}

func TestConversation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)

	choice := w.ask(t, "search edge")
	if title(choice) != `Software matching "edge"` {
		t.Fatalf("got %q", title(choice))
	}
	w.click(t, sandbox.Alice, choice, "Show")
	page := w.answer(t, sandbox.General, func(m sandbox.Message) bool { return strings.HasPrefix(title(m), "Missing updates: Edge") })

	w.click(t, sandbox.Alice, page, "Catalog") // a link: Slack opens it, nothing comes back
	w.click(t, sandbox.Alice, page, "Refresh")
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.TS == page.TS || m.Edited })

	w.click(t, sandbox.Alice, page, "Share")
	public := w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.Kind == sandbox.KindApp && m.EphemeralFor == "" })
	if !strings.Contains(string(public.Blocks), "Shared by <@"+sandbox.Alice+">") && !strings.Contains(string(public.Blocks), `Shared by \u003c@`+sandbox.Alice) {
		t.Errorf("the shared answer does not say who shared it: %s", public.Blocks)
	}
	// Somebody else gets an answer of their own, and the shared one stays as it is.
	w.click(t, sandbox.Bob, public, "Refresh")
	own, err := w.slack.WaitMessage(soon(t), sandbox.General, sandbox.Bob, func(m sandbox.Message) bool { return isAnswer(m) && m.EphemeralFor == sandbox.Bob })
	if err != nil {
		t.Fatal(err)
	}
	if title(own) != title(public) {
		t.Errorf("got %q, want %q", title(own), title(public))
	}
}

func TestSharingWithAnotherOrganisationIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for _, channel := range []string{sandbox.SharedChannel, sandbox.PrivateChannel} {
		if _, err := w.slack.Command(soon(t), sandbox.Alice, channel, "/missingkbs microsoft-_-edge"); err != nil {
			t.Fatal(err)
		}
		page := w.answer(t, channel, isAnswer)
		w.click(t, sandbox.Alice, page, "Share")
		refused := w.answer(t, channel, func(m sandbox.Message) bool { return title(m) == "Not posted here" })
		if refused.EphemeralFor != sandbox.Alice {
			t.Errorf("%s: the refusal is for %q", channel, refused.EphemeralFor)
		}
		for _, m := range w.slack.Messages(channel, sandbox.Bob) {
			if m.Kind == sandbox.KindApp {
				t.Errorf("%s: Bob sees %q", channel, title(m))
			}
		}
	}
}

func TestClassicWhereNewBlocksAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.slack.SetFaults(faults.Switches{RefuseNewBlocks: true})
	for range 2 {
		m := w.ask(t, "microsoft-_-windows_11")
		if strings.Contains(string(m.Blocks), "data_table") || !strings.Contains(string(m.Blocks), "KB") {
			t.Errorf("got %s", m.Blocks)
		}
	}
}

// One whole process for each way in which a question can fail.
func TestFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		words    string
		fault    apitest.Fault
		settings map[string]string
		title    string
		says     string
	}{
		{name: "unknown option", words: "microsoft-_-edge —srot cves", title: "That question could not be read", says: "Did you mean --sort?"},
		{name: "unknown id", words: "nobody-_-nothing", title: "Unknown software", says: "nobody-_-nothing"},
		{name: "nothing found", words: "xyzzy", title: "Nothing found"},
		{name: "nothing missing", words: "google-_-chrome", title: "Missing updates: Chrome", says: "No missing updates"},
		{
			name: "no rights", words: "microsoft-_-edge", title: "This bot lacks a permission in Defender", says: "Software.Read.All",
			fault: apitest.Fault{Status: 403, Code: "Forbidden", Message: "Missing application roles. API required roles: Software.Read.All, application roles: Alert.Read.All."},
		},
		{name: "no licence", words: "microsoft-_-edge", title: "Defender Vulnerability Management is not available", fault: apitest.Fault{Status: 401, Code: "Unauthorized", Message: "Unauthorized request - reason of failure: No Tvm license"}},
		{name: "throttled", words: "microsoft-_-edge", title: "Defender asks for a pause", says: "Try again in 10 min", fault: apitest.Fault{Status: 429, RetryAfter: 10 * time.Minute}},
		{name: "down", words: "microsoft-_-edge", title: "Defender cannot be reached", fault: apitest.Fault{Status: 503, RetryAfter: time.Millisecond}},
		{name: "lying", words: "microsoft-_-edge", title: "Defender's answer could not be read", fault: apitest.Fault{Body: "<html>", ContentType: "text/html"}},
		{name: "too slow", words: "microsoft-_-edge", title: "That took too long", fault: apitest.Fault{Delay: time.Minute}, settings: map[string]string{"MISSINGKBS_ANSWER_TIMEOUT": "1s"}},
		{name: "wrong secret", words: "microsoft-_-edge", title: "Sign-in to Defender failed", says: "AADSTS7000215", settings: map[string]string{"AZURE_CLIENT_SECRET": "wrong"}},
		{name: "own rate limit", words: "microsoft-_-windows_11", title: "Defender asks for a pause", settings: map[string]string{"MISSINGKBS_DEFENDER_PER_MINUTE": "1", "MISSINGKBS_CACHE_TTL": "0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.settings)
			if c.fault != (apitest.Fault{}) {
				w.defender.Inject(c.fault)
			}
			if c.name == "own rate limit" {
				w.ask(t, "microsoft-_-edge") // of the other software there is no stored answer to show
			}
			m := w.ask(t, c.words)
			if !strings.HasPrefix(title(m), c.title) || !strings.Contains(m.Text, c.says) {
				t.Errorf("got %q, want %q that says %q", m.Text, c.title, c.says)
			}
			if m.EphemeralFor != sandbox.Alice {
				t.Errorf("the failure is for %q, want Alice alone", m.EphemeralFor)
			}
			for _, secret := range []string{w.slack.AppToken(), w.slack.BotToken(), apitest.ClientSecret, w.defender.Token(), "/commands/T"} {
				if strings.Contains(w.log.String(), secret) || strings.Contains(m.Text+string(m.Blocks), secret) {
					t.Errorf("a secret got out: %.12s…", secret)
				}
			}
		})
	}
}

func TestStopAnswersWhatRunsAndExitsZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.ask(t, "microsoft-_-edge") // the token is there
	w.defender.Inject(apitest.Fault{Delay: 2500 * time.Millisecond, Times: 1})
	if _, err := w.slack.Command(soon(t), sandbox.Alice, sandbox.General, "/missingkbs microsoft-_-windows_11"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return title(m) == "Missing updates: Windows 11" })
	if err := w.process.Wait(); err != nil {
		t.Errorf("exit: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestRefusedTokensEndTheProcess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		settings map[string]string
		says     string
	}{
		{"wrong bot token", map[string]string{"SLACK_BOT_TOKEN": "xoxb-wrong"}, "invalid_auth: the token is wrong"},
		{"wrong app token", map[string]string{"SLACK_APP_TOKEN": "xapp-wrong"}, "invalid_auth: the token is wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := stage(t)
			w.start(t, c.settings)
			err := w.process.Wait()
			if code := w.process.ProcessState.ExitCode(); code != exitRefused {
				t.Errorf("exit code %d (%v), want %d", code, err, exitRefused)
			}
			if !strings.Contains(w.log.String(), c.says) {
				t.Errorf("the log does not say %q:\n%s", c.says, w.log)
			}
			if bytes.Contains([]byte(w.log.String()), []byte("xoxb-")) {
				t.Error("the log holds a token")
			}
		})
	}
}

func TestConnectionThatDropsComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.slack.Drop()
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	if m := w.ask(t, "microsoft-_-edge"); title(m) != "Missing updates: Edge" {
		t.Errorf("got %q", title(m))
	}
}
