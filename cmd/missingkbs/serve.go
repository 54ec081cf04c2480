package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/tracing"
)

// serveCmd runs the bot.
type serveCmd struct {
	Slack    slackSettings    `embed:"" group:"Slack"`
	Sockets  socketSettings   `embed:"" group:"Slack"`
	Defender defenderSettings `embed:"" group:"Defender"`
	Quota    quotaSettings    `embed:"" group:"Defender"`
	Access   accessSettings   `embed:"" group:"Who may"`
	Load     loadSettings     `embed:"" group:"Load"`
	Store    storeSettings    `embed:"" group:"Digests"`
	Digests  string           `env:"MISSINGKBS_DIGESTS" placeholder:"FILE" group:"Digests" help:"YAML file of digests to keep, beside those made in Slack."`
	Audit    auditSettings    `embed:"" group:"Operations"`
	Ops      opsSettings      `embed:"" group:"Operations"`
	Operator operatorSettings `embed:"" group:"Operations"`
	Traces   traceSettings    `embed:"" group:"Traces"`
	Log      logSettings      `embed:"" group:"Log"`
}

// plan is what the settings of serve say, once they are read and checked.
type plan struct {
	level      slog.Level
	slack      bot.Config
	bot        bot.Options
	client     api.Options
	credential api.CredentialOptions
	url        secret // of the database, and what it says
	database   string
	kept       store.Options // how long things are
	asked      bool          // questions are written down
	opsChannel string
	digests    *digestFile
	access     bot.Access
	lookout    lookout
	traces     *tracing.Options // nil for none
}

// plan reads the settings. Nothing is opened, and nobody is asked.
func (c serveCmd) plan(m *mistakes, s streams) plan {
	p := plan{level: c.Log.level(m), url: c.Store.URL, digests: readDigests(m, c.Digests), access: c.Access.read(m), lookout: c.Operator.read(m), traces: c.Traces.read(m)}
	m.proxies(s.env)
	p.slack, p.bot = c.Slack.read(m)
	p.bot.Sockets = c.Sockets.read(m)
	c.Load.read(m, &p.bot)
	p.database, p.kept = c.Store.check(m, s.env)
	p.asked, p.opsChannel = c.Audit.read(m), c.Ops.read(m)
	p.client = c.Defender.client(m)
	c.Quota.read(m, &p.client)
	p.credential = c.Defender.credential(m, p.client.Cloud.Authority)
	return p
}

// Run connects to Slack and answers until the process is told to stop.
func (c serveCmd) Run(ctx context.Context, s streams, parsed *kong.Context) error {
	ctx, told, deaf := hangUps(ctx, isTerminal(s.err))
	defer deaf()

	var m mistakes
	p := c.plan(&m, s)
	level := &slog.LevelVar{}
	level.Set(p.level)
	log := c.Log.loggerAt(&m, s.err, level)
	if err := m.err(); err != nil {
		return err
	}
	m.tell(log)
	traces, stopTracing := monitor.StartTracing(ctx, p.traces, log)
	defer stopTracing()
	watch := monitor.New(buildVersion(), traces)
	watch.ObserveClient(&p.client)
	p.credential.Tracing = p.client.Tracing
	cred, err := newCredential(p.credential)
	if err != nil {
		return err
	}
	reload := &reloader{
		streams: s, started: settingValues(parsed), tokens: p.slack.Tokens, level: level, tracing: p.client.Tracing, log: log,
		signIn: cred.signIn, url: p.url, database: p.database,
	}
	reload.cred = api.HoldCredential(cred.TokenCredential, reload.refused())
	p.slack.Refused = reload.refused()
	hide, err := p.lookout.serve(ctx, watch, log)
	if err != nil {
		return err
	}
	defer hide()
	p.kept.Log, p.kept.Login = log, reload.login
	database, err := waitForStore(ctx, p.database, p.kept, watch)
	switch {
	case err != nil && ctx.Err() != nil: // it was told to stop while it waited
		return nil
	case err != nil:
		return err
	}
	defer database.Close()
	p.client.Budget = sharedBudget(database)
	defender, err := newClient(reload.cred, cred.kind, p.client, log)
	if err != nil {
		return err
	}
	defer defender.Close()
	p.bot.Log = log
	log.Info("starting", "version", buildVersion(), "defender", defender.Host())

	ctx, stop := context.WithCancel(ctx)
	var reloading sync.WaitGroup
	reloading.Go(func() { reload.run(ctx, told) })
	defer reloading.Wait()
	defer stop()
	return house{
		slack: p.slack, bot: p.bot, access: p.access, defender: defender, store: database, digests: p.digests,
		now: time.Now, stale: p.client.StaleFor, monitor: watch, asked: p.asked, opsChannel: p.opsChannel, expiry: expiryOf(p.credential), log: log,
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
		commands.Search(d, index),
	}, more...)...)
}
