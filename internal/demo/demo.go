// Package demo runs the whole bot on one machine: an invented Defender tenant, a small Slack workspace, a database in a
// temporary folder, and the same app that serve runs; or only what the bot talks to, for a bot that runs elsewhere. It
// connects these parts and knows none of their rules. It reads no flags and writes nothing to the terminal.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/access"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/sandbox"
	"github.com/missingkbs/missingkbs/internal/store"
)

const (
	// staleFor is the default of serve.
	staleFor = 7 * 24 * time.Hour
	// schedulerInterval is short, so that digests soon follow when the clock is moved.
	schedulerInterval = 500 * time.Millisecond
	// askTimeout limits [Demo.Ask].
	askTimeout = time.Minute
)

// Options configure a [Demo].
type Options struct {
	Addr      string          // where the workspace's page listens; loopback only
	Faults    []string        // names of faults that are on from the start
	Deadlines deadline.Policy // when missing updates are due
	Log       *slog.Logger

	// Clock dates messages; default: the tenant's clock, which users can move. A bot started separately uses the
	// computer's.
	Clock func() time.Time
}

// Demo is a running tenant, workspace and database. The bot runs while [Demo.Run] does.
type Demo struct {
	tenant    *apitest.Server
	client    *api.Client
	workspace *sandbox.Workspace
	database  *store.Store
	publisher *advisorytest.Server
	feeds     *travellingFeeds
	due       dueWork
	deadlines *deadline.Setting
	log       *slog.Logger

	closers []func()
}

// Start starts the parts. It returns a [config.UsageError] if an option is wrong. The caller must close the demo.
func Start(ctx context.Context, o Options) (*Demo, error) {
	d := &Demo{log: o.Log, deadlines: &deadline.Setting{}}
	d.deadlines.Set(o.Deadlines)
	if err := d.start(ctx, o); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Demo) start(ctx context.Context, o Options) (err error) {
	if d.tenant, d.client, err = StartTenant(); err != nil {
		return err
	}
	d.onClose(d.tenant.Close)
	d.onClose(d.client.Close)
	d.publisher = startPublisher(d.tenant.Tenant)
	d.onClose(d.publisher.Close)
	if err := d.startWorkspace(o); err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "missingkbs-sandbox-")
	if err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	d.onClose(func() { _ = os.RemoveAll(folder) })
	d.database, err = store.Open(ctx, "sqlite://"+filepath.ToSlash(filepath.Join(folder, "sandbox.db")), store.Options{Log: o.Log})
	if err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	d.onClose(func() { _ = d.database.Close() })
	if d.feeds, err = newTravellingFeeds(d.database, d.publisher, d.tenant.Now, o.Log); err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	if err := d.database.Migrate(ctx); err != nil { // before serving does, because the feeds are stored
		return fmt.Errorf("start the sandbox: %w", err)
	}
	d.feeds.snapshot() // so that the first answer does not wait for them
	d.due.store, d.due.feeds, d.due.now = d.database, d.feeds, d.tenant.Now
	return nil
}

// startWorkspace starts the Slack workspace with its faults.
func (d *Demo) startWorkspace(o Options) error {
	workspace, err := sandbox.Start(sandbox.Options{
		Addr:      o.Addr,
		Defender:  d.tenant.Tenant,
		Commands:  []sandbox.SlashCommand{SlashCommand()},
		Shortcuts: Shortcuts(),
		Events:    manifest.Events(),
		Scopes:    manifest.ScopeNames(),
		Faults:    publisherFaults(d.publisher),
		Pending:   d.due.pending,
		Clock:     o.Clock,
		Logger:    o.Log,
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return config.UsageError{Err: fmt.Errorf("--addr: another program listens at %s: name another port, or 0 for a free one (--addr 127.0.0.1:0)", o.Addr)}
	}
	if err != nil {
		return config.UsageError{Err: err}
	}
	d.workspace = workspace
	d.onClose(func() { _ = workspace.Close() })
	for _, name := range o.Faults {
		if err := workspace.SetFault(name, true); err != nil {
			return config.UsageError{Err: fmt.Errorf("--fault %s: %w", name, err)}
		}
	}
	return nil
}

func (d *Demo) onClose(f func()) { d.closers = append(d.closers, f) }

// Close stops the parts in reverse order and deletes the database. [Demo.Run] must have returned.
func (d *Demo) Close() {
	for _, f := range slices.Backward(d.closers) {
		f()
	}
}

// Run runs the bot until ctx ends, as [app.App.Run] does.
func (d *Demo) Run(ctx context.Context) error {
	return app.New(app.Options{
		Slack:    slackapi.Config{Tokens: slackapi.NewTokens(d.workspace.AppToken(), d.workspace.BotToken()), APIURL: d.workspace.APIURL()},
		Bot:      bot.Options{Log: d.log},
		Access:   access.Policy{AdminUsers: []string{sandbox.Alice}},
		Defender: d.client,
		Store:    d.database,

		Advisories: d.feeds.snapshot,
		Deadlines:  d.deadlines,
		StaleFor:   staleFor,
		Now:        d.tenant.Now, // moving the tenant's clock makes digests due
		Log:        d.log,

		AuditQuestions:    true,
		SchedulerInterval: schedulerInterval,
		OnQueue:           d.due.connect,
	}).Run(ctx)
}

// URL returns the address of the workspace's page.
func (d *Demo) URL() string { return d.workspace.URL() }

// WaitConnected waits until the bot has a connection to the workspace.
func (d *Demo) WaitConnected(ctx context.Context) error { return d.workspace.WaitConnected(ctx, 1) }

// Ask types words after the slash command, as Alice in #general, and returns the answer as a screen reader would read it.
// Lines that say what the answer waits for are left out.
func (d *Demo) Ask(ctx context.Context, words string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := d.WaitConnected(ctx); err != nil {
		return "", fmt.Errorf("wait for the bot: %w", err)
	}
	before := len(d.workspace.Messages(sandbox.General, sandbox.Alice))
	sent, err := d.workspace.Command(ctx, sandbox.Alice, sandbox.General, manifest.Command+" "+words)
	if err != nil {
		return "", fmt.Errorf("ask: %w", err)
	}
	if sent.Err != "" {
		return "", fmt.Errorf("ask: Slack says %s", sent.Err)
	}
	var answer string
	err = d.workspace.Wait(ctx, func() bool {
		all := d.workspace.Messages(sandbox.General, sandbox.Alice)
		for _, m := range all[min(before, len(all)):] {
			if m.Kind == sandbox.KindApp && !commands.IsWaiting(m.Text) {
				answer = sandbox.Unescape(strings.TrimSpace(m.Text))
				return true
			}
		}
		return false
	})
	if err != nil {
		return "", fmt.Errorf("wait for the answer: %w", err)
	}
	return answer, nil
}
