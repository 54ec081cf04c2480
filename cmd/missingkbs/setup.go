package main

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/setup"
	"github.com/missingkbs/missingkbs/internal/tty"
)

// setupCmd makes the file of settings.
type setupCmd struct {
	File    string `default:"missingkbs.yaml" placeholder:"FILE" help:"File to write the settings to (${default})."`
	Offline bool   `help:"Check only the format of the values; call neither Slack nor Entra nor Defender."`
	config.AppParts
	config.Settings
}

// Run asks, checks and writes. Settings that flags, environment or --config give are not asked for.
func (c setupCmd) Run(ctx context.Context, s streams, parsed *kong.Context, all *cli) error {
	return setup.Run(ctx, setup.Options{
		Settings: c.Settings, Parts: c.AppParts, Given: config.Resolver{Env: s.env, File: all.file}.Given(parsed),
		Env: s.env, File: all.file, Path: c.File, Offline: c.Offline,
		Prompt: tty.NewPrompt(s.in, s.out), Out: s.out,
	})
}
