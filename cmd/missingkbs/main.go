// Command missingkbs tells people in Slack which security updates (KBs) their software lacks, as Microsoft Defender knows it.
// This package reads the command line, wires the other packages, and decides exit codes. No other package touches the
// environment; settings are read by internal/config.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // schedules name time zones, and a container image may hold none

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
)

// The exit codes. After a code above exitFailed a restart with the same settings fails again.
const (
	exitDone     = 0
	exitFailed   = 1
	exitWrongUse = 2
	exitRefused  = 3 // Slack refuses the bot permanently
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.LookupEnv, streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// cli is the command line. The fields of each command are its flags.
type cli struct {
	Serve    serveCmd    `cmd:"" help:"Run the bot: connect to Slack and answer questions."`
	Ask      askCmd      `cmd:"" help:"Ask one question on the terminal; answers are the same as in Slack."`
	Sandbox  sandboxCmd  `cmd:"" help:"Try everything on this machine: the bot with a simulated Defender and a simulated Slack that you use in a browser."`
	Setup    setupCmd    `cmd:"" help:"Ask for the required settings, check each value, and write them to a file."`
	Manifest manifestCmd `cmd:"" help:"Print the manifest for creating or updating the Slack app."`
	Migrate  migrateCmd  `cmd:"" help:"Migrate the database to this version (serve does so at start), or copy it into another one."`
	Data     dataCmd     `cmd:"" help:"Show the stored feeds of MSRC and CISA, or bring them to a bot without internet access."`
	Audit    auditCmd    `cmd:"" help:"Print the audit (who did what) as JSON lines."`
	Doctor   doctorCmd   `cmd:"" help:"Check settings, Slack, Entra, Defender and the database, and say how to fix each problem."`
	Health   healthCmd   `cmd:"" help:"Check the health of the bot running on this machine; meant for container health checks."`
	Version  versionCmd  `cmd:"" help:"Print the version."`

	Completion completionCmd `cmd:"" help:"Print the completion script for bash, zsh or fish."`
	Complete   completeCmd   `cmd:"" hidden:""`

	Config string `placeholder:"FILE" env:"MISSINGKBS_CONFIG" unset:"none" help:"YAML file of settings, each under the name of its environment variable. Flags and environment variables override it."`

	file *config.File
}

// exit carries the exit code out of kong, which would otherwise end the process after --help.
type exit int

// run is the whole program except for the process. It returns the exit code.
func run(ctx context.Context, args []string, env func(string) (string, bool), s streams) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exit)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	err := parseAndRun(ctx, args, env, s)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errStopped // what the signal interrupted helps no one
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintln(s.err, "missingkbs:", view.Lines(redact.String(err.Error())))
	}
	if _, ok := errors.AsType[config.UsageError](err); ok {
		return exitWrongUse
	}
	if _, ok := errors.AsType[app.RefusedError](err); ok {
		return exitRefused
	}
	return exitFailed
}

// parseAndRun runs the command that the arguments name.
func parseAndRun(ctx context.Context, args []string, env func(string) (string, bool), s streams) error {
	s.env = env
	s.again = func() (*cli, *kong.Context, error) { return load(args, env, streams{out: io.Discard, err: io.Discard}) }
	_, parsed, err := load(args, env, s)
	if err != nil {
		return err
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed.Run(s)
}

// load reads the command line, the environment and the file of settings. A later call reads the files again.
func load(args []string, env func(string) (string, bool), s streams) (*cli, *kong.Context, error) {
	args = moveAskFlags(helpWord(args))
	file := config.ReadFile(args, env)
	c := cli{file: file}
	parser, err := newParser(&c, env, file, s)
	if err != nil {
		return nil, nil, err
	}
	file.Check(parser.Model)
	if len(args) == 0 {
		return nil, nil, config.UsageError{Err: fmt.Errorf("name a command: %s (missingkbs --help says what each does)", strings.Join(commandNames(parser.Model.Node), ", "))}
	}
	parsed, err := parser.Parse(args)
	if file.Err != nil && (err != nil || !toleratesFile(parsed)) {
		return nil, nil, config.UsageError{Err: file.Err}
	}
	if err != nil {
		return nil, nil, config.UsageError{Err: fmt.Errorf("%w (missingkbs --help lists commands and flags)", err)}
	}
	if err := checkBlank(parsed); err != nil {
		return nil, nil, err
	}
	return &c, parsed, nil
}

// commandNames returns the names of all commands that help lists.
func commandNames(n *kong.Node) (names []string) {
	for _, c := range n.Children {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}

// helpWord reads "help" and "help audit" as "--help" and "audit --help".
func helpWord(args []string) []string {
	switch {
	case len(args) == 1 && args[0] == "help":
		return []string{"--help"}
	case len(args) > 1 && args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// checkBlank refuses flags that were typed with an empty value, such as a variable of a script that is not set: without them the
// command would do something else. Settings take an empty value as none, as they do in the environment.
func checkBlank(parsed *kong.Context) error {
	var errs config.Errors
	for _, p := range parsed.Path {
		if p.Flag == nil || p.Resolved || len(p.Flag.Envs) > 0 && p.Flag.Name != "config" {
			continue
		}
		switch value := p.Flag.Target; value.Kind() {
		case reflect.String:
			if value.String() == "" {
				errs.Add("--"+p.Flag.Name, "is empty: give it a value or leave it out")
			}
		case reflect.Slice:
			if value.Len() == 0 {
				errs.Add("--"+p.Flag.Name, "is empty: give it a value or leave it out")
			}
		default:
		}
	}
	return errs.Err()
}

// toleratesFile returns true for commands that run with a file of settings that has errors: doctor reports them among its
// findings, and a shell has no place for them.
func toleratesFile(parsed *kong.Context) bool {
	name := parsed.Selected().Name
	return name == "doctor" || name == completeName
}

// newParser returns the parser of the command line. Settings also come from the environment and the file.
func newParser(c *cli, env func(string) (string, bool), file *config.File, s streams) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("missingkbs"),
		kong.Description("Shows in Slack which Windows updates are missing, according to Microsoft Defender."),
		kong.UsageOnError(),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.Resolvers(config.Resolver{Env: env, File: file}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	)
}
