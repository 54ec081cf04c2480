package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/blocks"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
)

// sandboxCmd runs everything on this machine: a Defender tenant, a Slack workspace with a page, and the bot between
// them, which is the one that serve runs.
type sandboxCmd struct {
	Addr     string     `default:"127.0.0.1:7070" help:"Where the page listens; this machine only (${default})."`
	Open     bool       `help:"Open the page in a browser."`
	Headless string     `placeholder:"WORDS" help:"Ask once as if typed after /missingkbs, print the answer, and end."`
	Fault    []string   `placeholder:"NAME" sep:"," help:"Switch a fault on from the start, such as defender_failing; a wrong name lists them all."`
	Log      config.Log `embed:"" group:"Log"`
}

// Run starts the sandbox and keeps it running until the process is told to stop.
func (c sandboxCmd) Run(ctx context.Context, s streams) error {
	var m config.Errors
	c.Log.Level = cmp.Or(c.Log.Level, "warn") // what people want to see here is on the page
	log := c.Log.Logger(&m, s.err)
	if err := m.Err(); err != nil {
		return err
	}
	tenant, client, err := startTenant()
	if err != nil {
		return err
	}
	defer tenant.Close()
	var due dueDigests
	workspace, err := c.startWorkspace(tenant, &due, log)
	if err != nil {
		return err
	}
	defer workspace.Close()
	folder, err := os.MkdirTemp("", "missingkbs-sandbox-")
	if err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	defer os.RemoveAll(folder)
	database, err := store.Open(ctx, "sqlite://"+filepath.ToSlash(filepath.Join(folder, "sandbox.db")), store.Options{Log: log})
	if err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	defer database.Close()

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		defer stop()
		return app.New(app.Options{
			Slack:    slackapi.Config{Tokens: slackapi.NewTokens(workspace.AppToken(), workspace.BotToken()), APIURL: workspace.APIURL()},
			Bot:      bot.Options{Log: log},
			Access:   access.Policy{AdminUsers: []string{sandbox.Alice}},
			Defender: client,
			Store:    database,
			StaleFor: sandboxStale,
			Now:      tenant.Now, // moving the tenant's clock makes digests due
			Log:      log,

			AuditQuestions:    true,
			SchedulerInterval: sandboxTick,
			OnQueue:           func(queue *store.Queue) { due.connect(database, queue, tenant.Now) },
		}).Run(ctx)
	})
	g.Go(func() error {
		if c.Headless != "" {
			defer stop()
		}
		return c.attend(ctx, workspace, s)
	})
	return g.Wait()
}

// startWorkspace starts the Slack workspace with its faults.
func (c sandboxCmd) startWorkspace(tenant *apitest.Server, due *dueDigests, log *slog.Logger) (*sandbox.Workspace, error) {
	addr := c.Addr
	if c.Headless != "" {
		addr = "127.0.0.1:0"
	}
	workspace, err := sandbox.Start(sandbox.Options{
		Addr:      addr,
		Defender:  tenant.Tenant,
		Commands:  []sandbox.SlashCommand{slashCommand()},
		Shortcuts: []sandbox.Shortcut{shortcut()},
		Events:    manifest.Events(),
		Scopes:    manifest.ScopeNames(),
		Pending:   due.pending,
		Logger:    log,
	})
	if err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("start the sandbox: %w", err)}
	}
	for _, name := range c.Fault {
		if err := workspace.SetFault(name, true); err != nil {
			_ = workspace.Close()
			return nil, config.UsageError{Err: fmt.Errorf("--fault %s: %w", name, err)}
		}
	}
	return workspace, nil
}

// attend asks the question of --headless, or says where the page is.
func (c sandboxCmd) attend(ctx context.Context, workspace *sandbox.Workspace, s streams) error {
	if c.Headless != "" {
		err := askWorkspace(ctx, workspace, c.Headless, s.out)
		if ctx.Err() != nil {
			return nil // the app says why
		}
		return err
	}
	if err := workspace.WaitConnected(ctx, 1); err != nil {
		return nil // the bot says why
	}
	greet(s.out, workspace.URL())
	if c.Open {
		openBrowser(ctx, workspace.URL(), s.err)
	}
	return nil
}

// sandboxStale is how old an answer may be there when Defender is broken on purpose, as the default of serve.
const sandboxStale = 7 * 24 * time.Hour

// sandboxTick is how soon after a move of the clock its digests come.
const sandboxTick = 500 * time.Millisecond

// greet says where the page is and what to try.
func greet(w io.Writer, url string) {
	fmt.Fprintf(w, `The sandbox is at %s

It is Slack and Defender as far as the bot can tell, with invented data, on this machine only. It is no production server.
Try there, in #general:

  /missingkbs microsoft-_-windows_11                 the missing KBs of one software
  /missingkbs windows 10                             words are searched, typing errors forgiven
  /missingkbs digest add microsoft-_-windows_11      then +1 week, twice: Under the hood > Time & faults

Ctrl-C ends it.
`, url)
}

// slashCommand is what the composer of the page knows of the bot's command; manifest.yaml tells Slack the same.
func slashCommand() sandbox.SlashCommand {
	return sandbox.SlashCommand{
		Command:     manifest.Command,
		Description: "Missing KBs of a software, with devices, CVEs and catalog pages",
		UsageHint:   "<software-id> | search <words> | digest | help",
		Completions: []sandbox.Completion{
			{Text: "microsoft-_-windows_11", Hint: "the missing KBs of one software"},
			{Text: "microsoft-_-windows_11 --sort cves", Hint: "another order"},
			{Text: "microsoft-_-windows_10 --min-devices 5", Hint: "only what many devices lack"},
			{Text: "windows 11", Hint: "words are searched"},
			{Text: "search chorme", Hint: "typing errors are forgiven"},
			{Text: "search", Hint: "all software, Microsoft's first"},
			{Text: `digest add microsoft-_-windows_11 --at "mon 09:00"`, Hint: "post here every Monday"},
			{Text: "digest list", Hint: "the digests of this channel"},
			{Text: "microsoft-_-edge", Hint: "a single update, of 2020"},
			{Text: "help", Hint: "what can be asked"},
		},
	}
}

// shortcut is the bot's shortcut; manifest.yaml tells Slack the same.
func shortcut() sandbox.Shortcut {
	return sandbox.Shortcut{Name: "Look up missing KBs", CallbackID: blocks.AskCallback, Description: "Find a software and see which updates it lacks"}
}

// askWorkspace types a command as a person would, and prints the answer as a screen reader would read it.
func askWorkspace(ctx context.Context, w *sandbox.Workspace, words string, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := w.WaitConnected(ctx, 1); err != nil {
		return fmt.Errorf("wait for the bot: %w", err)
	}
	d, err := w.Command(ctx, sandbox.Alice, sandbox.General, "/missingkbs "+words)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	if d.Err != "" {
		return fmt.Errorf("ask: Slack says %s", d.Err)
	}
	m, err := w.WaitMessage(ctx, sandbox.General, sandbox.Alice, func(m sandbox.Message) bool { return m.Kind == sandbox.KindApp })
	if err != nil {
		return fmt.Errorf("wait for the answer: %w", err)
	}
	_, err = fmt.Fprintln(out, unescape.Replace(strings.TrimSpace(m.Text)))
	return err
}

// unescape undoes Slack's escaping of text, for a terminal.
var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// openBrowser opens a page with what the system has for that. Failing is no harm: the address was printed.
func openBrowser(ctx context.Context, url string, w io.Writer) {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	if err := exec.CommandContext(ctx, name, args...).Start(); err != nil {
		fmt.Fprintln(w, "could not open a browser:", err)
	}
}

// startTenant starts a tenant in memory behind HTTPS and makes a client of it, by the same steps as for a real one.
func startTenant() (*apitest.Server, *api.Client, error) {
	server, err := apitest.Start(apitest.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("start the tenant: %w", err)
	}
	client, err := tenantClient(server)
	if err != nil {
		server.Close()
		return nil, nil, err
	}
	return server, client, nil
}

func tenantClient(server *apitest.Server) (*api.Client, error) {
	cred, _, err := api.NewCredential(api.CredentialOptions{
		TenantID:     apitest.TenantID,
		ClientID:     apitest.ClientID,
		ClientSecret: apitest.ClientSecret,
		Authority:    server.URL,
		Transport:    server.Client(),
	})
	if err != nil {
		return nil, fmt.Errorf("sign in to the tenant: %w", err)
	}
	client, err := api.NewClient(cred, &api.Options{
		Cloud:     api.Cloud{Name: "sandbox", Endpoint: server.URL, Scope: server.Scope(), Authority: server.URL},
		Transport: server.Client(),
		Now:       server.Now, // the tenant's clock, so that moving it ages what is cached
		StaleFor:  sandboxStale,
		// Weeks pass in seconds there, so more calls do in a minute than a real tenant takes.
		PerMinute: 2000, PerHour: 60_000,
	})
	if err != nil {
		return nil, fmt.Errorf("reach the tenant: %w", err)
	}
	return client, nil
}
