// Package sandbox is a small Slack workspace on loopback: people, channels, messages, modals and a Home tab, behind
// Slack's own protocols (the Web API, Socket Mode over WebSocket, response URLs) and behind the JSON and server-sent
// events of its web page. It refuses what Slack refuses, so a message that works here also works in Slack. It knows
// nothing of the bot that connects to it: the two only share the protocol. Of Defender it only knows the tenant of
// api/apitest, whose clock and faults its page can control. Everything is kept in memory, in bounded numbers, and is
// gone after [Workspace.Close]. It trusts every client that can reach it, so it only listens on loopback and is no
// production server.
package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
	"github.com/missingkbs/missingkbs/internal/sandbox/grants"
	"github.com/missingkbs/missingkbs/internal/sandbox/protocol"
	"github.com/missingkbs/missingkbs/internal/sandbox/sockets"
	"github.com/missingkbs/missingkbs/internal/sandbox/trace"
	"github.com/missingkbs/missingkbs/internal/sandbox/ui"
)

// Completion is one line that the page's composer offers after a slash command.
type Completion struct {
	Text string `json:"text"` // what is put after the command
	Hint string `json:"hint"` // what it does
}

// SlashCommand is a command that the workspace's app has registered.
type SlashCommand struct {
	Command     string       `json:"command"` // with its slash: /missingkbs
	Description string       `json:"description"`
	UsageHint   string       `json:"usage_hint"`
	Completions []Completion `json:"completions"`
}

// Options say what workspace [Start] makes. The zero value is a workspace on a
// free port without slash commands and without a Defender panel.
type Options struct {
	Addr         string           // where to listen; default 127.0.0.1:0; anything but loopback is refused
	Defender     *apitest.Tenant  // its calls are traced, its clock and faults driven; nil: no Defender panel
	Command      string           // one slash command, in short; see Commands
	Description  string           // of Command
	UsageHint    string           // of Command
	Completions  []Completion     // of Command
	Commands     []SlashCommand   // further slash commands
	Shortcuts    []Shortcut       // global shortcuts
	Events       []string         // event types that the app subscribed to; default app_home_opened, app_mention, message.im
	Scopes       []string         // what the bot token may do; default everything that the sandbox knows
	BotApp       string           // the app that owns the bot token; default AppID, which owns the app-level token
	Manifest     json.RawMessage  // what apps.manifest.export tells of the app; default one that goes with the other options
	Organisation bool             // the workspace is part of the organisation [OrgID]
	OrgWide      bool             // the app is installed in the whole organisation, in [TeamID] and [SecondTeamID]
	HookURL      string           // what response URLs begin with, where something stands before the workspace; default its URL
	SocketURL    string           // the same of sockets, such as wss://wss.slack.test
	Deadline     time.Duration    // of acknowledgements and trigger ids; default Slack's three seconds
	Warning      time.Duration    // from the warning to the end of a socket; default Slack's ten seconds
	Lifetime     time.Duration    // of a socket; default an hour
	Strict       bool             // one message a second for each channel, then 429 with Retry-After
	Logger       *slog.Logger     // default: nothing is logged
	Clock        func() time.Time // time of messages; default the tenant's clock, else the computer's
	Faults       []faults.Fitting // switches of further services on the page
	Pending      Pending          // what the app does by the clock; nil: nothing that the clock must wait for
	Watch        func(Delivery)   // called for each Delivery; must not call the workspace, and must not block
}

// Workspace is a running workspace. Its methods may be called from any goroutine.
type Workspace struct {
	opts     Options
	timing   timing
	log      *slog.Logger
	commands []SlashCommand
	methods  map[string]method

	appToken, botToken, configToken, verification string

	listener net.Listener
	server   *http.Server
	conns    atomic.Int64    // open HTTP connections, without sockets
	ctx      context.Context // ends with Close; every request and delivery hangs on it
	cancel   context.CancelFunc
	starting sync.Mutex     // held while wg grows, so that nothing starts after cancel
	wg       sync.WaitGroup // everything that Close waits for
	closing  sync.Once

	clock    *clock
	travel   sync.Mutex // held while the page moves the clock
	people   *people
	rooms    *rooms
	views    *views
	files    *files
	hooks    *grants.Hooks
	triggers *grants.Triggers
	sockets  *sockets.Server
	faults   *faults.Set
	tokens   tokens
	issued   grants.Issued // the secrets that were given out
	limits   *grants.PostLimit
	trace    *trace.Recorder
	feed     *ui.Feed
}

// timing holds the spans of Slack's rules; tests shorten them.
type timing struct {
	ack      time.Duration   // an envelope must be acknowledged within
	trigger  time.Duration   // a trigger_id works for
	hook     time.Duration   // a response_url works for
	ticket   time.Duration   // a socket URL works for
	ping     time.Duration   // between two WebSocket pings
	warning  time.Duration   // from the warning to the disconnect
	lifetime time.Duration   // of a socket connection
	message  time.Duration   // between two messages in a channel, in a strict workspace
	retries  []time.Duration // waits before an event that was not acknowledged comes again
}

func slackTiming() timing {
	return timing{
		ack:      3 * time.Second,
		trigger:  3 * time.Second,
		hook:     30 * time.Minute,
		ticket:   30 * time.Second,
		ping:     5 * time.Second,
		warning:  10 * time.Second,
		lifetime: time.Hour,
		message:  time.Second,
		retries:  []time.Duration{0, time.Minute, 5 * time.Minute},
	}
}

// Start makes a workspace and listens. The caller closes it.
func Start(o Options) (*Workspace, error) {
	t := slackTiming()
	t.ack, t.trigger = cmp.Or(o.Deadline, t.ack), cmp.Or(o.Deadline, t.trigger)
	t.warning, t.lifetime = cmp.Or(o.Warning, t.warning), cmp.Or(o.Lifetime, t.lifetime)
	return start(o, t)
}

func start(o Options, t timing) (*Workspace, error) {
	listener, err := listen(o.Addr)
	if err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	w := build(o, t)
	w.listener = listener
	w.server = &http.Server{
		Handler:           ui.Guard(w.routes(), sockets.Path),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return w.ctx },
		ErrorLog:          slog.NewLogLogger(w.log.Handler(), slog.LevelWarn),
		ConnState:         w.countConns,
	}
	w.spawn(func() { _ = w.server.Serve(listener) })
	return w, nil
}

// enter makes Close wait for a call of leave. It reports false when the workspace
// is closing; then there is nothing to leave.
func (w *Workspace) enter() (leave func(), ok bool) {
	w.starting.Lock()
	defer w.starting.Unlock()
	if w.ctx.Err() != nil {
		return nil, false
	}
	w.wg.Add(1)
	return w.wg.Done, true
}

// spawn runs f on its own unless the workspace is closing. F ends with w.ctx.
func (w *Workspace) spawn(f func()) {
	if leave, ok := w.enter(); ok {
		go func() {
			defer leave()
			f()
		}()
	}
}

func build(o Options, t timing) *Workspace {
	w := &Workspace{
		opts: o, timing: t, log: o.Logger, methods: methods(),
		appToken:     "xapp-1-" + AppID + "-" + protocol.RandomDigits(13) + "-" + protocol.RandomHex(32),
		botToken:     "xoxb-" + protocol.RandomDigits(12) + "-" + protocol.RandomDigits(13) + "-" + protocol.RandomHex(12),
		configToken:  "xoxe.xoxp-1-" + protocol.RandomHex(40),
		verification: protocol.RandomHex(12),
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.commands = slices.Clone(o.Commands)
	if o.Command != "" {
		w.commands = slices.Insert(w.commands, 0, SlashCommand{o.Command, o.Description, o.UsageHint, o.Completions})
	}
	w.clock = newClock(o)
	w.feed = ui.NewFeed()
	w.trace = trace.New(w.log, w.feed, w.appToken, w.botToken, w.verification)
	w.people = newPeople()
	w.rooms = newRooms(w)
	w.views = newViews(w)
	w.files = newFiles()
	w.hooks = grants.NewHooks(TeamID, t.hook)
	w.triggers = grants.NewTriggers(t.trigger)
	w.faults = newFaults(w)
	w.sockets = newConnections(w)
	w.limits = grants.NewPostLimit(o.Strict, t.message)
	w.traceDefender()
	return w
}

// listen opens addr, or says why it is refused.
func listen(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", addr, err)
	}
	if !ui.IsLoopback(host) {
		return nil, fmt.Errorf("address %q: %w", addr, ErrNotLoopback)
	}
	return new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
}

// ErrNotLoopback is returned by [Start] for an address that others could reach.
var ErrNotLoopback = errors.New("the sandbox listens on loopback only")

// countConns counts the open connections to the server.
func (w *Workspace) countConns(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		w.conns.Add(1)
	case http.StateHijacked, http.StateClosed: // a connection ends as one of them
		w.conns.Add(-1)
	}
}

// Conns returns how many HTTP connections are open, idle ones too. It does not count
// sockets: these are [Workspace.Connections].
func (w *Workspace) Conns() int { return int(w.conns.Load()) }

// URL returns the address of the web page, without a slash at its end.
func (w *Workspace) URL() string { return "http://" + w.listener.Addr().String() }

// hookURL is what response URLs begin with.
func (w *Workspace) hookURL() string { return cmp.Or(w.opts.HookURL, w.URL()) }

// socketURL is what the addresses of sockets begin with.
func (w *Workspace) socketURL() string {
	return cmp.Or(w.opts.SocketURL, "ws://"+w.listener.Addr().String())
}

// APIURL returns the base of the Web API, with the slash at its end that clients want.
func (w *Workspace) APIURL() string { return w.URL() + "/api/" }

// AppToken returns the token for apps.connections.open; it is new at each start.
func (w *Workspace) AppToken() string { return w.appToken }

// BotToken returns the token for every other method; it is new at each start.
func (w *Workspace) BotToken() string { return w.botToken }

// Trace returns the newest entries of what was sent and received, oldest first.
func (w *Workspace) Trace() []trace.Entry { return w.trace.Newest(trace.Kept) }

// Close ends all connections and waits for everything that the workspace started.
// It may be called more than once.
func (w *Workspace) Close() error {
	var err error
	w.closing.Do(func() {
		w.starting.Lock()
		w.cancel()
		w.starting.Unlock()
		w.sockets.DropAll()
		w.feed.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err = w.server.Shutdown(ctx); err != nil {
			err = w.server.Close()
		}
		w.wg.Wait()
	})
	return err
}
