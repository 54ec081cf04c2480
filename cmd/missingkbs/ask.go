package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/logging"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/xlsx"
)

// askCmd asks one question on the terminal.
type askCmd struct {
	Output   string           `short:"o" default:"text" placeholder:"FORMAT" complete:"text,json,csv,xlsx" help:"Output format: text, json, csv or xlsx (${default})."`
	Watch    string           `placeholder:"INTERVAL" help:"Ask again at this interval, such as 5m, until Ctrl-C; on a terminal, changes are highlighted."`
	Sandbox  bool             `help:"Ask a simulated tenant that runs inside this command, instead of yours."`
	SignIn   string           `placeholder:"HOW" complete:"device-code,browser,azure-cli" help:"Sign in as yourself instead of as the app: device-code, browser or azure-cli."`
	Timeout  string           `name:"answer-timeout" env:"MISSINGKBS_ANSWER_TIMEOUT" default:"30s" help:"Time limit for answering the question (${default})."`
	Defender config.Defender  `embed:"" group:"Defender"`
	Quota    config.Quota     `embed:"" group:"Defender"`
	Store    config.Database  `embed:"" group:"Digests"`
	Deadline config.Deadlines `embed:"" group:"Digests"`
	Log      config.Log       `embed:"" group:"Log"`
	Words    []string         `arg:"" optional:"" passthrough:"" help:"The question, such as windows 11, KB5074202 or help."`

	transport policy.Transporter // to Defender; nil for the usual one
}

var errNoWords = errors.New("what do you want to ask? For example: missingkbs ask windows 11")

// Run writes the answer to standard output, or a failure to standard error. With -o json the failure is also written as JSON to
// standard output.
func (c askCmd) Run(ctx context.Context, s streams) error {
	err := c.answer(ctx, s)
	if err == nil || !strings.EqualFold(c.Output, outputJSON) {
		return err
	}
	return errors.Join(err, view.WriteFailureJSON(s.out, failurePage(err)))
}

// failurePage explains a failure of ask: the question failed, or settings are wrong.
func failurePage(err error) view.Page {
	if reported, ok := errors.AsType[reportedError](err); ok {
		return commands.Explain(reported.error)
	}
	return view.Page{Title: "Nothing was asked", Lead: redact.String(err.Error())}
}

// answer answers the question once, or again and again with --watch. Its checks run before anything is asked, so that all
// mistakes are reported together.
func (c askCmd) answer(ctx context.Context, s streams) error {
	var errs config.Errors
	c.Log.Level = cmp.Or(c.Log.Level, "warn") // on a terminal the answer matters, not the log
	write, ok := map[string]func(io.Writer, view.Page) error{
		"text": terminalOf(s.out, s.env).Write, outputJSON: view.WriteJSON, "csv": view.WriteCSV, outputXLSX: xlsx.Write,
	}[strings.ToLower(c.Output)]
	if !ok {
		errs.Add("--output", "takes one of text, json, csv, xlsx")
	}
	if strings.EqualFold(c.Output, outputXLSX) && logging.IsTerminal(s.out) {
		errs.Add("--output", "is a workbook, which is not for a screen: write it to a file, such as … -o xlsx > updates.xlsx")
	}
	every := c.readWatch(&errs)
	timeout := errs.Duration("MISSINGKBS_ANSWER_TIMEOUT", c.Timeout, time.Second)
	if c.Words = cmdline.Read(cmdline.Join(c.Words...)); len(c.Words) == 0 {
		return config.UsageError{Err: errNoWords}
	}
	from, err := c.source(ctx, &errs, s)
	if err != nil {
		return err
	}
	defer from.stop()
	defender := from.defender
	kept, done, err := c.keptByBot(ctx, &errs, s, from)
	if err != nil {
		return err
	}
	defer done()
	index := &search.Index{}
	patching, closeHistory, err := c.patching(ctx, &errs, s)
	if err != nil {
		return err
	}
	defer closeHistory()
	patching.Defender, patching.Index, patching.Advisories, patching.Now = defender, index, from.advisories, from.now
	router, err := app.NewRouter(defender, index, patching.Known(), append(append(patching.Commands(), kept...), commands.Home(defender, index, commands.HomeOptions{}), adminInSlack())...)
	if err != nil {
		return err
	}
	q := question{router: router, words: c.Words, timeout: timeout, write: write}
	if every > 0 {
		return q.watch(ctx, every, s)
	}
	page, err := q.ask(ctx, s)
	if err != nil && ctx.Err() != nil {
		return errStopped
	}
	if err != nil {
		return report(s, err)
	}
	if asked, last, beyond := page.Beyond(); beyond && strings.EqualFold(c.Output, "text") {
		return report(s, &commands.Error{Title: fmt.Sprintf("There is no page %d", asked), Usage: true, Message: fmt.Sprintf("The list has %s. Ask for another, or leave --page out for the whole list.", view.Count(last, "page"))})
	}
	return writeError(write(s.out, page))
}

// writeError classifies why a page was not written: there is no room for it, or it has nothing that the format takes.
func writeError(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("write answer: %w", err)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	return config.UsageError{Err: err}
}

// patching returns what is known of ages beside Defender: the deadlines, and what digests have read where there is a database.
func (c askCmd) patching(ctx context.Context, errs *config.Errors, s streams) (app.Patching, func(), error) {
	p := app.Patching{Deadlines: &deadline.Setting{}}
	if c.Sandbox {
		c.Deadline.SLA = cmp.Or(c.Deadline.SLA, deadline.Example) // those of the sandbox's page
	}
	p.Deadlines.Set(c.Deadline.Read(errs))
	if c.Sandbox {
		p.Now = apitest.NewTenant(apitest.Options{}).Now // its clock stands still
	}
	if c.Sandbox || c.aboutBot() || c.needsNoDefender() {
		return p, func() {}, errs.Err()
	}
	log, address := c.Log.Logger(errs, s.err), c.Store.ReadAddress(errs, s.env)
	if err := errs.Err(); err != nil {
		return p, nil, err
	}
	p.Store = app.OpenIfCurrent(ctx, address, log)
	if p.Store == nil {
		return p, func() {}, nil
	}
	return p, func() { _ = p.Store.Close() }, nil // it was only read
}

// moveAskFlags moves the flags of ask before its words, because people type "ask microsoft-_-edge -o csv". The words have
// options of their own, which kong must not read.
func moveAskFlags(args []string) []string {
	at := slices.Index(args, "ask")
	if at < 0 || slices.Contains(args[:at], completeName) {
		return args
	}
	front, words := slices.Clone(args[:at+1]), []string{}
	for rest := args[at+1:]; len(rest) > 0; rest = rest[1:] {
		switch a := rest[0]; {
		case a == "--":
			words = append(words, rest[1:]...)
			return append(front, words...)
		case a == "--sandbox", strings.HasPrefix(a, "--output="), strings.HasPrefix(a, "--sign-in="), strings.HasPrefix(a, "--watch="):
			front = append(front, a)
		case (a == "-o" || a == "--output" || a == "--sign-in" || a == "--watch") && len(rest) > 1:
			front = append(front, a, rest[1])
			rest = rest[1:]
		default:
			words = append(words, a)
		}
	}
	return append(front, words...)
}
