package main

import (
	"context"
	"log/slog"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/logging"
)

// serveCmd runs the bot.
type serveCmd struct {
	config.Settings
}

// Run connects to Slack and answers until the process is told to stop.
func (c serveCmd) Run(ctx context.Context, s streams, parsed *kong.Context) error {
	ctx, reload, stop := app.NotifySIGHUP(ctx, logging.IsTerminal(s.err))
	defer stop()

	var errs config.Errors
	v := c.Read(&errs, s.env)
	level := &slog.LevelVar{}
	level.Set(v.LogLevel)
	log := logging.New(s.err, v.LogFormat, level)
	if err := errs.Err(); err != nil {
		return err
	}
	errs.LogWarnings(log)
	return app.Serve(ctx, app.ServeOptions{
		Version:  buildVersion(),
		Settings: app.Settings{Values: v, Snapshot: config.TakeSnapshot(parsed), Errors: &errs},
		Reread:   s.reread,
		Reload:   reload,
		Log:      log,
		Level:    level,
	})
}

// reread reads the settings of serve again.
func (s streams) reread() (app.Settings, error) {
	c, parsed, err := s.again()
	if err != nil {
		return app.Settings{}, err
	}
	var errs config.Errors
	v := c.Serve.Read(&errs, s.env)
	return app.Settings{Values: v, Snapshot: config.TakeSnapshot(parsed), Errors: &errs}, nil
}
