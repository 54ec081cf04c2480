package main

import (
	"context"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
)

// doctorCmd checks what serve needs, with the settings that serve would have.
type doctorCmd struct {
	Output      string        `short:"o" default:"text" placeholder:"FORMAT" help:"Output format: text or json (${default})."`
	Offline     bool          `help:"Skip the checks that call Slack, Entra, Defender, the webhook or the feeds."`
	Live        string        `placeholder:"CHANNEL" help:"Post one sample message of each kind in this channel (its id), report how Slack responds to each, and delete them all. No other checks are run."`
	User        string        `placeholder:"USER" help:"With --live: the id of a member of the channel, who also gets direct and ephemeral messages and a Home tab."`
	Bundle      string        `placeholder:"FILE" help:"Instead of a report, write a ZIP archive for a bug report, without secrets and without names from your tenant."`
	Question    string        `placeholder:"WORDS" help:"With --bundle: a question that fails, such as 'kb 5074202'. doctor asks it and includes Defender's answers without names."`
	LogFile     string        `name:"log" placeholder:"FILE" help:"With --bundle: a file with the bot's log. The archive includes its last lines without names."`
	ConfigToken config.Secret `name:"slack-config-token" env:"SLACK_CONFIG_TOKEN" placeholder:"xoxe.…" group:"Slack" help:"App configuration token, used to compare the app's settings with the manifest."`
	config.AppParts
	config.Settings
}

// Run runs the checks and writes their report. It fails if a check fails; warnings do not count.
func (c doctorCmd) Run(ctx context.Context, s streams, parsed *kong.Context, all *cli) error {
	var errs config.Errors
	write, ok := map[string]func(io.Writer, doctor.Report) error{
		"text": doctor.WriteText, "json": doctor.WriteJSON,
	}[strings.ToLower(c.Output)]
	if !ok {
		errs.Add("--output", "takes one of text, json")
	}
	c.checkLive(&errs)
	c.checkBundle(&errs)
	if err := errs.Err(); err != nil {
		return err
	}
	o := c.options(s.env, all.file, parsed)
	checker := doctor.New(o)
	defer checker.Close()
	if c.Bundle != "" {
		return c.writeBundle(ctx, s, checker, o, parsed)
	}
	stop := waiting(s, "Checking")
	defer stop()
	var report doctor.Report
	if c.Live != "" {
		report = checker.RunLive(ctx, doctor.LiveOptions{Channel: c.Live, User: c.User})
	} else {
		report = checker.Run(ctx, c.Offline)
	}
	stop()
	if err := write(s.out, report); err != nil {
		return err
	}
	if report.Failed() {
		return errReported
	}
	return nil
}

func (c doctorCmd) options(env config.Environment, file *config.File, parsed *kong.Context) doctor.Options {
	return doctor.Options{
		Settings: c.Settings, Env: env, File: file, Origins: config.Resolver{Env: env, File: file}.Origins(parsed),
		ConfigToken: c.ConfigToken, Parts: c.AppParts, Version: buildVersion(),
	}
}

// checkLive checks the flags of the live checks.
func (c doctorCmd) checkLive(errs *config.Errors) {
	if c.Live != "" && !config.IsSlackID(c.Live, "CGD") {
		errs.Add("--live", "takes the id of a channel, such as C0123ABCD (in Slack: the channel's name, then About, at the bottom)")
	}
	if c.User != "" && !config.IsSlackID(c.User, "UW") {
		errs.Add("--user", "takes the id of a person, such as U0123ABCD (in Slack: the profile, then More, Copy member ID)")
	}
	if c.User != "" && c.Live == "" {
		errs.Add("--user", "belongs to --live")
	}
	if c.Live != "" && c.Offline {
		errs.Add("--offline", "leaves nothing of --live to be done")
	}
}
