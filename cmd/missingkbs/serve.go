package main

import (
	"context"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/commands"
)

// serveCmd runs the bot.
type serveCmd struct {
	Slack    slackSettings    `embed:"" group:"Slack"`
	Defender defenderSettings `embed:"" group:"Defender"`
	Log      logSettings      `embed:"" group:"Log"`
}

// Run connects to Slack and answers until the process is told to stop.
func (c serveCmd) Run(ctx context.Context, s streams) error {
	var m mistakes
	log := c.Log.logger(&m, s.err)
	config, options := c.Slack.read(&m)
	defender, err := c.Defender.defender(&m, log)
	if err != nil {
		return err
	}
	router, err := newRouter(defender)
	if err != nil {
		return err
	}
	options.Log = log
	log.Info("starting", "version", buildVersion(), "defender", defender.Host())
	return bot.Run(ctx, config, router, options)
}

// newRouter lists what can be asked: the one place where commands are registered.
func newRouter(d commands.Defender) (*commands.Router, error) {
	index := &commands.Index{}
	return commands.NewRouter(
		commands.Software(d, index),
		commands.Search(d, index),
	)
}
