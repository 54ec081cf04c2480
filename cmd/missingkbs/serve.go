package main

import (
	"context"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
)

// serveCmd runs the bot.
type serveCmd struct {
	Slack    slackSettings    `embed:"" group:"Slack"`
	Sockets  socketSettings   `embed:"" group:"Slack"`
	Defender defenderSettings `embed:"" group:"Defender"`
	Access   accessSettings   `embed:"" group:"Who may"`
	Store    storeSettings    `embed:"" group:"Digests"`
	Digests  string           `env:"MISSINGKBS_DIGESTS" placeholder:"FILE" group:"Digests" help:"YAML file of digests to keep, beside those made in Slack."`
	Operator operatorSettings `embed:"" group:"Operations"`
	Traces   traceSettings    `embed:"" group:"Traces"`
	Log      logSettings      `embed:"" group:"Log"`
}

// Run connects to Slack and answers until the process is told to stop.
func (c serveCmd) Run(ctx context.Context, s streams) error {
	var m mistakes
	log := c.Log.logger(&m, s.err)
	config, options := c.Slack.read(&m)
	access := c.Access.read(&m)
	options.Sockets = c.Sockets.read(&m)
	c.Store.check(&m, s.env)
	file := readDigests(&m, c.Digests)
	lookout := c.Operator.read(&m)
	traces := c.Traces.read(&m)
	watch := newMonitor()
	defer func() { watch.close() }()
	defender, err := c.Defender.defender(&m, log, func(o *api.Options) { watch.trace(ctx, traces, log); o.Tracing = watch.traces.Azure() })
	if err != nil {
		return err
	}
	defer defender.Close()
	stop, err := lookout.serve(ctx, watch, log)
	if err != nil {
		return err
	}
	defer stop()
	database, err := c.Store.open(ctx, &m, log, s.env)
	if err != nil {
		return err
	}
	defer database.Close()
	options.Log = log
	log.Info("starting", "version", buildVersion(), "defender", defender.Host())
	return house{
		slack: config, bot: options, access: access, defender: defender, store: database, digests: file, now: time.Now, monitor: watch, log: log,
	}.run(ctx)
}

// newRouter lists what can be asked: the one place where commands are registered.
func newRouter(d commands.Defender, index *commands.Index, more ...commands.Command) (*commands.Router, error) {
	return commands.NewRouter(append([]commands.Command{
		commands.Software(d, index),
		commands.Search(d, index),
	}, more...)...)
}
