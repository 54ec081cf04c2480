package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/logging"
)

// serveCmd runs the bot.
type serveCmd struct {
	config.Settings
}

// Run connects to Slack and answers until the process is told to stop.
func (c serveCmd) Run(ctx context.Context, s streams, parsed *kong.Context) error {
	ctx, told, deaf := hangUps(ctx, logging.IsTerminal(s.err))
	defer deaf()

	var m config.Errors
	v := c.Settings.Read(&m, s.env)
	level := &slog.LevelVar{}
	level.Set(v.LogLevel)
	log := logging.New(s.err, v.LogFormat, level)
	if err := m.Err(); err != nil {
		return err
	}
	m.LogWarnings(log)
	if v.Traces != nil {
		v.Traces.Version = buildVersion()
	}
	traces, stopTracing := monitor.StartTracing(ctx, v.Traces, log)
	defer stopTracing()
	watch := monitor.New(buildVersion(), traces)
	watch.ObserveClient(&v.Defender)
	v.Credential.Tracing = v.Defender.Tracing
	cred, err := newCredential(v.Credential)
	if err != nil {
		return err
	}
	reload := &reloader{
		streams: s, started: config.TakeSnapshot(parsed), tokens: v.Slack.Tokens, level: level, tracing: v.Defender.Tracing, log: log,
		signIn: cred.signIn, url: v.DatabaseSetting, database: v.DatabaseURL,
	}
	reload.cred = api.HoldCredential(cred.TokenCredential, reload.refused())
	v.Slack.Refused = reload.refused()
	hide, err := serveAdmin(ctx, v.Admin, watch, log)
	if err != nil {
		return err
	}
	defer hide()
	v.Store.Log, v.Store.Login = log, reload.login
	database, err := waitForStore(ctx, v.DatabaseURL, v.Store, watch)
	switch {
	case err != nil && ctx.Err() != nil: // it was told to stop while it waited
		return nil
	case err != nil:
		return err
	}
	defer database.Close()
	v.Defender.Budget = sharedBudget(database)
	defender, err := newClient(reload.cred, cred.kind, v.Defender, log)
	if err != nil {
		return err
	}
	defer defender.Close()
	v.Bot.Log = log
	log.Info("starting", "version", buildVersion(), "defender", defender.Host())

	ctx, stop := context.WithCancel(ctx)
	var reloading sync.WaitGroup
	reloading.Go(func() { reload.run(ctx, told) })
	defer reloading.Wait()
	defer stop()
	return house{
		slack: v.Slack, bot: v.Bot, access: v.Access, defender: defender, store: database, digests: v.Digests,
		now: time.Now, stale: v.Defender.StaleFor, monitor: watch, asked: v.AuditQuestions, opsChannel: v.AlertChannel, expiry: expiryOf(v.Credential), log: log,
	}.run(ctx)
}

// expiryOf tells when the certificate of a credential ends, each time from its file; nil for a credential without one.
func expiryOf(o api.CredentialOptions) func() (time.Time, error) {
	if o.CertificatePath == "" {
		return nil
	}
	return func() (time.Time, error) { return api.CertificateExpiry(o.CertificatePath, o.CertificatePassword) }
}

// newRouter lists what can be asked: the one place where commands are registered.
func newRouter(d commands.Defender, index *commands.Index, more ...commands.Command) (*commands.Router, error) {
	return commands.NewRouter(append([]commands.Command{
		commands.Software(d, index),
		commands.KB(d, index),
		commands.CVE(d),
		commands.Machine(d, time.Now),
		commands.Devices(d, index, time.Now),
		commands.Search(d, index),
	}, more...)...)
}
