package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
	"github.com/missingkbs/missingkbs/internal/view"
)

// slackFault is something that goes wrong with Socket Mode in practice, and the tests that show that it does not here.
type slackFault struct {
	what  string
	tests []string // in this package or in bot
}

// slackFaults are the faults in the order in which people met them.
func slackFaults() []slackFault {
	return []slackFault{
		0: { // the first of them; the others count from 1 as people do
			"After a disconnect that follows the hello at once the client opens again without a pause, thousands of times a second, and keeps the reason to itself.",
			[]string{"TestStormCostsFewCalls"},
		},
		2 - 1: {
			"A consumer that does not take events stops the reader, so that pings are not answered, the connection dies and none follows.",
			[]string{"TestUnreadEventsDoNotKillTheConnections", "TestReaderNeverBlocks"},
		},
		3 - 1: {
			"Envelopes that the client cannot decode are not acknowledged.",
			[]string{"TestUndecodableEnvelopesAreAcknowledged", "TestUnreadableMessagesDoNotEndTheConnection"},
		},
		4 - 1: {
			"The client's debug mode asks Slack to cut the connection every six minutes, so that a bot which somebody debugs is a bot with gaps.",
			[]string{"TestSlackFault04NoDebugReconnects", "TestSlackFault04NobodySwitchesDebugModeOn"},
		},
		5 - 1: {
			"Another dialer loses the buffer, so that large acknowledgements leave in several frames, which Slack drops; and the proxy, and the end to waiting.",
			[]string{"TestLargeAcksLeaveInOneFrame", "TestDialerHasAProxyAndAnEndToWaiting", "TestEverythingPassesTheProxy"},
		},
		6 - 1: {
			"Calls without an end to waiting hang for ever when the network swallows them.",
			[]string{"TestSwallowedCallsAreGivenUp"},
		},
		7 - 1: {
			"An acknowledgement that is late is written on the next connection, and waits for ever while there is none.",
			[]string{"TestAckWhoseConnectionIsGone", "TestAckGivesUpWithoutAnyConnection", "TestDismissedConnectionIsSettled", "TestAnswersThatAreLostWithTheirConnection"},
		},
		8 - 1: {
			"Most refusals for good are tried again for ever.",
			[]string{"TestRefusalsForGoodEndTheProcess", "TestRefusalForGoodEndsTheSockets", "TestLostBotTokenEndsTheProcess"},
		},
		9 - 1: {
			"A context whose time is over makes one more connection.",
			[]string{"TestEndedContextOpensNothing"},
		},
		10 - 1: {
			"The client's own dispatcher starts a goroutine for each event without a bound, a crash in one ends the process, and nobody waits for them at the end.",
			[]string{"TestSlackFault10CrashesAreAnswered", "TestSlackFault10NobodyWaitsForAnother", "TestSlackFault10StopWaits"},
		},
		11 - 1: {
			"The socket works with a copy of the Web API client: what is configured afterwards, such as a limit, a proxy or another address, it never sees.",
			[]string{"TestSlackFault11SocketIsConfiguredToo"},
		},
		12 - 1: {
			"The client's debug log holds what people ask, trigger ids and whole answers of Slack.",
			[]string{"TestSlackFault12DebugLogHoldsNoSecret", "TestSlackFault04NobodySwitchesDebugModeOn"},
		},
		13 - 1: {
			"Unreadable messages, failed writes and failed connections are never fatal, and nobody counts them.",
			[]string{"TestPassingTroubleEndsNothing", "TestUnreadableMessagesDoNotEndTheConnection", "TestHalfOpenConnectionIsNoticed"},
		},
		14 - 1: {
			"At the end no close frame is sent, and the last acknowledgements are dropped.",
			[]string{"TestStopSendsACloseFrame", "TestStopAnswersWhatRunsAndExitsZero"},
		},
		15 - 1: {
			"Two processes with one app token, such as one for trying things and the real one, get the questions at random.",
			[]string{"TestSlackFault15TwoProcessesShareTheQuestions"},
		},
	}
}

// The list and the tests do not grow apart.
func TestSlackFaultsHaveTests(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, folder := range []string{".", "../../bot", "../../bot/slackapi", "../../bot/socketmode"} {
		for _, file := range parsed(t, folder, "*_test.go") {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
					known[f.Name.Name] = true
				}
			}
		}
	}
	for i, fault := range slackFaults() {
		if fault.what == "" {
			continue
		}
		if len(fault.tests) == 0 {
			t.Errorf("fault %d has no test", i+1)
		}
		for _, name := range fault.tests {
			if !known[name] {
				t.Errorf("fault %d: there is no test %s", i+1, name)
			}
		}
	}
}

// parsed reads the Go files of a folder.
func parsed(t *testing.T, folder, pattern string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: files %v, %v", folder, names, err)
	}
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// The sandbox does what Slack does when a client asks for it: a connection of six minutes instead of an hour.
func TestSlackFault04NoDebugReconnects(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"LOG_LEVEL": "debug"})
	hellos := 0
	for _, e := range w.slack.Trace() {
		if e.Kind != trace.SocketOut || e.Name != "hello" {
			continue
		}
		var hello struct {
			Info struct {
				Seconds int `json:"approximate_connection_time"`
			} `json:"debug_info"`
		}
		if err := json.Unmarshal(e.Body, &hello); err != nil {
			t.Fatal(err)
		}
		if hellos++; hello.Info.Seconds != 3600 {
			t.Errorf("the connection lives for %d s, want an hour", hello.Info.Seconds)
		}
	}
	if hellos == 0 {
		t.Error("no hello in the trace")
	}
}

// No code of ours names the options that switch the client's debug mode or its log on.
func TestSlackFault04NobodySwitchesDebugModeOn(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{".", "../../cmd/missingkbs", "../app", "../doctor", "../../bot", "../../bot/access", "../../bot/blocks", "../../bot/post", "../../bot/slackapi", "../../bot/socketmode"} {
		for _, file := range parsed(t, folder, "*.go") {
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"OptionDebug", "OptionLog"}, s.Sel.Name) {
					if of, ok := s.X.(*ast.Ident); ok && slices.Contains([]string{"slack", "socketmode"}, of.Name) {
						t.Errorf("%s: %s.%s is used", folder, of.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

// oddBot runs a bot in this process, between the sandbox and commands that misbehave: "crash", "hang" until release is
// closed, everything else is echoed.
type oddBot struct {
	slack   *sandbox.Workspace
	release chan struct{}
	started chan string   // the words of each question, when it is looked at
	stop    func()        // and return at once
	ended   chan struct{} // closed when the bot has stopped
}

func newOddBot(t *testing.T, o bot.Options) *oddBot {
	t.Helper()
	slack, err := sandbox.Start(sandbox.Options{Command: "/missingkbs"})
	if err != nil {
		t.Fatal(err)
	}
	b := &oddBot{slack: slack, release: make(chan struct{}), started: make(chan string, 100), ended: make(chan struct{})}
	router, err := commands.NewRouter(commands.Command{Run: b.run})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go func() {
		defer close(b.ended)
		config := slackapi.Config{Tokens: slackapi.NewTokens(slack.AppToken(), slack.BotToken()), APIURL: slack.APIURL()}
		if err := bot.Run(ctx, config, slackapi.Workspace{TeamID: sandbox.TeamID, UserID: sandbox.BotUser}, router, o); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-b.ended
		if err := slack.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *oddBot) run(ctx context.Context, req commands.Request) (view.Page, error) {
	line := strings.Join(req.Words, " ")
	b.started <- line
	switch req.Words[0] {
	case "crash":
		var nothing map[string]int
		nothing["boom"]++ //nolint:staticcheck // this is to crash
	case "hang":
		select {
		case <-b.release:
		case <-ctx.Done():
			return view.Page{}, ctx.Err()
		}
	}
	return view.Page{Title: "answer to " + line}, nil
}

// ask types a command as Alice and returns what became of its delivery.
func (b *oddBot) ask(t *testing.T, words string) sockets.Dispatch {
	t.Helper()
	d, err := b.slack.Command(soon(t), sandbox.Alice, sandbox.General, "/missingkbs "+words)
	if err != nil || d.Err != "" {
		t.Errorf("%q: delivery %+v, %v", words, d, err)
	}
	return d
}

// wait waits for a page with a title.
func (b *oddBot) wait(t *testing.T, heading string) sandbox.Message {
	t.Helper()
	m, err := b.slack.WaitMessage(soon(t), sandbox.General, sandbox.Alice, func(m sandbox.Message) bool { return title(m) == heading })
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSlackFault10CrashesAreAnswered(t *testing.T) {
	t.Parallel()
	b := newOddBot(t, bot.Options{})
	b.ask(t, "crash")
	crashed := b.wait(t, "Something went wrong here")
	if strings.Contains(crashed.Text, "nil map") || !strings.Contains(crashed.Text, "Reference: ") {
		t.Errorf("the page is %q, want a reference and nothing of the cause", crashed.Text)
	}
	b.ask(t, "again")
	b.wait(t, "answer to again")
}

// Slack promises no order between connections, so that none is kept; but what hangs holds up nothing else, not even its
// own acknowledgement.
func TestSlackFault10NobodyWaitsForAnother(t *testing.T) {
	t.Parallel()
	b := newOddBot(t, bot.Options{AckAfter: 50 * time.Millisecond})
	if d := b.ask(t, "hang"); d.AckAfter > 3*time.Second {
		t.Errorf("the question that hangs was acknowledged after %v", d.AckAfter)
	}
	for i := range 5 {
		words := fmt.Sprintf("number %d", i)
		if d := b.ask(t, words); d.AckAfter > 3*time.Second {
			t.Errorf("%s was acknowledged after %v, behind one that hangs", words, d.AckAfter)
		}
		b.wait(t, "answer to "+words)
	}
	close(b.release)
	b.wait(t, "answer to hang")
}

func TestSlackFault10StopWaits(t *testing.T) {
	t.Parallel()
	b := newOddBot(t, bot.Options{AckAfter: 10 * time.Millisecond})
	b.ask(t, "hang")
	<-b.started
	b.stop()
	select {
	case <-b.ended:
		t.Error("the bot stopped while a question ran")
	case <-time.After(100 * time.Millisecond):
	}
	close(b.release)
	b.wait(t, "answer to hang")
	<-b.ended
}

// recorder is a transport that notes what passes it.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen map[string]string // Authorization, by path
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.seen[req.URL.Path] = req.Header.Get("Authorization")
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

// What the bot is given for the Web API, the socket uses as well: the address, the transport, the token.
func TestSlackFault11SocketIsConfiguredToo(t *testing.T) {
	t.Parallel()
	s := newBareSlack(t)
	router, err := commands.NewRouter(commands.Command{Run: func(context.Context, commands.Request) (view.Page, error) {
		return view.Page{Title: "answer"}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	transport := &recorder{next: http.DefaultTransport.(*http.Transport).Clone(), seen: map[string]string{}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- bot.Run(ctx, slackapi.Config{
			Tokens: slackapi.NewTokens("xapp-of-the-socket", "xoxb-1"), APIURL: s.URL + "/api/", HTTP: &http.Client{Transport: transport},
		}, slackapi.Workspace{TeamID: "T1"}, router, bot.Options{})
	}()
	<-s.conns
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	transport.mu.Lock()
	defer transport.mu.Unlock()
	if got := transport.seen["/api/apps.connections.open"]; got != "Bearer xapp-of-the-socket" {
		t.Errorf("the connection was opened with %q through the transport that was given, want the app token", got)
	}
}

// secretsOfSlack are what works for whoever reads it in a log, and what people asked, which the client's own log holds.
var secretsOfSlack = regexp.MustCompile(`xox[a-z]-|xapp-|/commands/T|ticket=|wss?://|[0-9]{13}\.[0-9]{12}\.|trigger_id|response_url=|envelope_id`)

func TestSlackFault12DebugLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string]string{"LOG_LEVEL": "debug"})
	page := w.ask(t, edge)
	w.click(t, sandbox.Alice, page, "Refresh")
	w.click(t, sandbox.Alice, page, "Share")
	w.answer(t, sandbox.General, func(m sandbox.Message) bool { return m.Kind == sandbox.KindApp && m.EphemeralFor == "" })
	w.slack.SetFaults(faults.Switches{RateLimited: true}) // what fails is logged
	w.click(t, sandbox.Alice, page, "Refresh")
	eventually(t, func() (string, bool) {
		return "no answer was lost", strings.Contains(w.log.String(), "answer lost")
	})
	w.slack.SetFaults(faults.Switches{})
	w.slack.Drop()
	if err := w.slack.WaitConnected(soon(t), 1); err != nil {
		t.Fatal(err)
	}
	w.ask(t, edge)
	log := w.log.String()
	if !strings.Contains(log, `"level":"DEBUG"`) {
		t.Error("nothing is logged at debug level")
	}
	for line := range strings.Lines(log) {
		if found := secretsOfSlack.FindString(line); found != "" || strings.Contains(line, "slack-go") {
			t.Errorf("%q in the log: %s", found, line)
		}
	}
}

func TestSlackFault15TwoProcessesShareTheQuestions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	other := w.replica(t, nil)
	eventually(t, func() (string, bool) {
		hello := strings.Contains(other.log.String(), "connected to Slack")
		return "the second process does not connect\n" + other.log.String(), hello
	})
	for range 20 {
		w.ask(t, edge)
	}
	answers := 0
	for _, m := range w.slack.Messages(sandbox.General, sandbox.Alice) {
		if isAnswer(m) {
			answers++
		}
	}
	if answers != 20 {
		t.Errorf("%d answers to 20 questions", answers)
	}
	for name, log := range map[string]*locked{"first": w.log, "second": other.log} {
		if !strings.Contains(log.String(), `"msg":"answered"`) {
			t.Errorf("the %s process answered nothing", name)
		}
	}
	install, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(install), "a separate app for a test bot") {
		t.Error("docs/install.md does not say that a test bot needs an app of its own")
	}
}
