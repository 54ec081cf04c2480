package main

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/redact"
)

// doctorCmd checks what serve needs, with the settings that serve would have.
type doctorCmd struct {
	Output      string        `short:"o" default:"text" placeholder:"FORMAT" help:"text or json (${default})."`
	Offline     bool          `help:"Leave out what asks Slack, Entra and Defender."`
	Live        string        `placeholder:"CHANNEL" help:"Post one invented message of each kind into this channel (its id), tell what Slack says to each, and delete them all. The other checks are left out."`
	User        string        `placeholder:"USER" help:"With --live: the id of a person in the channel, who is also sent direct and ephemeral messages and a Home tab."`
	ConfigToken config.Secret `name:"slack-config-token" env:"SLACK_CONFIG_TOKEN" placeholder:"xoxe.…" group:"Slack" help:"App configuration token, to compare the manifest with the app's settings."`
	Serve       serveCmd      `embed:""`
}

// doctorTime bounds all checks together.
const doctorTime = 30 * time.Second

// doctorRetries is how often a call of Defender or Entra that failed is tried again. With all the retries of a question
// the time of a check would be over before it could say what the failure was.
const doctorRetries = 1

// reachTime is how long a host may take to show that it is there; what asks it further comes after that.
const reachTime = 8 * time.Second

// Run checks, changes nothing, and writes what it found. It fails when a check does; warnings are no failure.
func (c doctorCmd) Run(ctx context.Context, s streams, parsed *kong.Context, all *cli) error {
	var m config.Errors
	write, ok := map[string]func(io.Writer, doctor.Report) error{
		"text": doctor.WriteText, "json": doctor.WriteJSON,
	}[strings.ToLower(c.Output)]
	if !ok {
		m.Add("--output", "takes one of text, json")
	}
	if c.checkLive(&m); m.Err() != nil {
		return m.Err()
	}
	e := newExam(c, s, config.Resolver{Env: s.env, File: all.file}.Origins(parsed), all.file)
	report := e.run(ctx, c)
	e.close()
	if err := writeReport(s.out, write, report); err != nil {
		return err
	}
	if report.Failed() {
		return errShown
	}
	return nil
}

// run makes the report that was asked for.
func (e *exam) run(ctx context.Context, c doctorCmd) doctor.Report {
	if c.Live != "" {
		ctx, cancel := context.WithTimeout(ctx, liveTime)
		defer cancel()
		report := doctor.Run(ctx, newLiveTrial(e, c).checks())
		report.Program = liveProgram()
		return report
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	return doctor.Run(ctx, e.checks())
}

// writeReport writes what checks found. They quote errors, in which what looks like a secret is hidden.
func writeReport(w io.Writer, write func(io.Writer, doctor.Report) error, r doctor.Report) error {
	return write(redact.Writer{Writer: w}, r)
}

// checks are all checks, in the order in which they are told.
func (e *exam) checks() []*doctor.Check {
	list := []*doctor.Check{
		{Name: "configuration", Run: e.configuration},
		{Name: "proxy", Run: e.proxies},
	}
	database := e.databaseChecks()
	if !e.cmd.Offline {
		slackThere := &doctor.Check{Name: "slack-reached", Run: e.slackReached, Timeout: reachTime}
		entraThere := &doctor.Check{Name: "entra-reached", Run: e.entraReached, Timeout: reachTime}
		list = append(list, slackThere, entraThere, &doctor.Check{Name: "clock", Run: e.clock, After: []*doctor.Check{slackThere, entraThere}})
		fromSlack := e.slackChecks(slackThere)
		list = append(list, fromSlack...)
		list = append(list, &doctor.Check{Name: "slack-channels", Run: e.channels, After: []*doctor.Check{fromSlack[0], database[0]}})
		list = append(list, e.defenderChecks(entraThere)...)
	}
	return append(list, database...)
}

// The findings that checks make.
func found(s doctor.Status, text, cure string) []doctor.Finding {
	return []doctor.Finding{{Status: s, Found: text, Cure: cure}}
}

func well(text string) []doctor.Finding           { return found(doctor.OK, text, "") }
func unchecked(text string) []doctor.Finding      { return found(doctor.Skip, text, "") }
func unwell(text, cure string) []doctor.Finding   { return found(doctor.Fail, text, cure) }
func doubtful(text, cure string) []doctor.Finding { return found(doctor.Warn, text, cure) }
