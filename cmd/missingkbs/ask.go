package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/logging"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/view"
	"github.com/missingkbs/missingkbs/internal/xlsx"
)

// askCmd asks one question on the terminal.
type askCmd struct {
	Output   string          `short:"o" default:"text" placeholder:"FORMAT" help:"text, json, csv or xlsx (${default})."`
	Sandbox  bool            `help:"Ask an invented tenant that runs inside this command, instead of yours."`
	SignIn   string          `placeholder:"HOW" help:"Sign in as yourself instead of as the app: device-code, browser or azure-cli."`
	Timeout  string          `name:"answer-timeout" env:"MISSINGKBS_ANSWER_TIMEOUT" default:"30s" help:"How long the question may take (${default})."`
	Defender config.Defender `embed:"" group:"Defender"`
	Quota    config.Quota    `embed:"" group:"Defender"`
	Store    config.Database `embed:"" group:"Digests"`
	Log      config.Log      `embed:"" group:"Log"`
	Words    []string        `arg:"" optional:"" passthrough:"" help:"What to ask: a software id, a few words, or help."`
}

var errNoWords = errors.New("what do you want to ask? For example: missingkbs ask windows 11")

const (
	outputJSON = "json"
	outputXLSX = "xlsx"
)

// Run answers the question on standard output and tells a failure on standard error. Scripts that asked for JSON get the
// failure as JSON on standard output, too.
func (c askCmd) Run(ctx context.Context, s streams) error {
	err := c.answer(ctx, s)
	if err == nil || !strings.EqualFold(c.Output, outputJSON) {
		return err
	}
	return errors.Join(err, view.WriteFailureJSON(s.out, failurePage(err)))
}

// toldError is a failure that standard error has told already, with what it was.
type toldError struct{ error }

func (toldError) Is(target error) bool { return target == errShown }
func (e toldError) Unwrap() error      { return e.error }

// failurePage explains a failure of ask: an answer that could not be had, or settings that are wrong.
func failurePage(err error) view.Page {
	if told, ok := errors.AsType[toldError](err); ok {
		return commands.Explain(told.error)
	}
	return view.Page{Title: "Nothing was asked", Lead: redact.String(err.Error())}
}

func (c askCmd) answer(ctx context.Context, s streams) error {
	var m config.Errors
	c.Log.Level = cmp.Or(c.Log.Level, "warn") // the answer is what people want to see here
	write, ok := map[string]func(io.Writer, view.Page) error{
		"text": terminalOf(s.out, s.env).Write, outputJSON: view.WriteJSON, "csv": view.WriteCSV, outputXLSX: xlsx.Write,
	}[strings.ToLower(c.Output)]
	if !ok {
		m.Add("--output", "takes one of text, json, csv, xlsx")
	}
	if strings.EqualFold(c.Output, outputXLSX) && logging.IsTerminal(s.out) {
		m.Add("--output", "is a workbook, which is not for a screen: write it to a file, such as … -o xlsx > updates.xlsx")
	}
	timeout := m.Duration("MISSINGKBS_ANSWER_TIMEOUT", c.Timeout, time.Second)
	if len(c.Words) == 0 {
		return config.UsageError{Err: errNoWords}
	}
	c.Words = commands.Read(commands.Line(c.Words...))
	defender, stop, err := c.defender(ctx, &m, s)
	if err != nil {
		return err
	}
	defer stop()
	digests, done, err := c.digests(ctx, &m, s)
	if err != nil {
		return err
	}
	defer done()
	index := &commands.Index{}
	router, err := newRouter(defender, index, digests, commands.Home(defender, index, commands.HomeOptions{}), adminInSlack())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	page, err := router.Run(ctx, commands.Request{Words: c.Words, Terminal: true})
	if err != nil {
		return c.tell(s, err)
	}
	if err := write(s.out, page); err != nil {
		return config.UsageError{Err: fmt.Errorf("write answer: %w", err)}
	}
	return nil
}

// tell writes a failure for a person.
func (c askCmd) tell(s streams, err error) error {
	if writeErr := terminalOf(s.err, s.env).Write(s.err, commands.Explain(err)); writeErr != nil {
		return writeErr
	}
	if own, ok := errors.AsType[*commands.Error](err); ok && own.Usage {
		return config.UsageError{Err: toldError{err}}
	}
	return toldError{err}
}

// defender makes the client that the flags ask for, and what ends it.
func (c askCmd) defender(ctx context.Context, m *config.Errors, s streams) (commands.Defender, func(), error) {
	log := c.Log.Logger(m, s.err)
	switch {
	case c.aboutDigests(), c.asksNothing():
		return nil, func() {}, m.Err()
	case c.Sandbox:
		if err := m.Err(); err != nil {
			return nil, nil, err
		}
		server, client, err := startTenant()
		if err != nil {
			return nil, nil, err
		}
		return client, func() {
			client.Close()
			server.Close()
		}, nil
	case c.SignIn != "":
		client, err := c.signedIn(ctx, m, s.err, log)
		if err != nil {
			return nil, nil, err
		}
		return client, client.Close, nil
	default:
		return c.asTheApp(ctx, m, s, log)
	}
}

// digests is the command that reads the digests of this database, where the question is about them. On a terminal nobody
// knows who asks, so nothing can be changed.
func (c askCmd) digests(ctx context.Context, m *config.Errors, s streams) (commands.Command, func(), error) {
	if !c.aboutDigests() {
		// For help, and for words that only the first word of a line makes a command.
		none := commands.Digest(nil, commands.DigestOptions{})
		none.Run = func(context.Context, commands.Request) (view.Page, error) {
			return view.Page{}, &commands.Error{
				Title:   "No digests here",
				Message: "Digests are kept by a bot that runs. Try them with: missingkbs sandbox",
			}
		}
		return none, func() {}, nil
	}
	database, err := openReadOnly(ctx, c.Store, m, c.Log.Logger(m, s.err), s.env)
	if err != nil {
		return commands.Command{}, nil, err
	}
	return commands.Digest(database, commands.DigestOptions{}), func() { _ = database.Close() }, nil
}

// adminInSlack stands for the command admin, which takes what only Slack tells: people, groups and channels.
func adminInSlack() commands.Command {
	c := commands.Admin(nil, nil, nil, nil)
	c.Summary += "; in Slack only"
	c.Run = func(context.Context, commands.Request) (view.Page, error) {
		return view.Page{}, &commands.Error{
			Title:   "Ask that in Slack",
			Message: "Who may what depends on people and channels, so admin answers in Slack only: /missingkbs admin. Settings and channels are checked here by: missingkbs doctor",
			Usage:   true,
		}
	}
	return c
}

// asksNothing reports whether the words are answered without Defender, and so without its settings.
func (c askCmd) asksNothing() bool {
	return slices.ContainsFunc([]string{"help", "admin"}, func(name string) bool { return strings.EqualFold(c.Words[0], name) })
}

// aboutDigests reports whether the question is about the digests of this database, for which Defender is not asked.
func (c askCmd) aboutDigests() bool { return !c.Sandbox && strings.EqualFold(c.Words[0], "digest") }

// signInTime is how long a code of device-code is good for.
const signInTime = 15 * time.Minute

// signedIn makes a client that acts for the person at the terminal, with the delegated permission Software.Read.
func (c askCmd) signedIn(ctx context.Context, m *config.Errors, w io.Writer, log *slog.Logger) (*api.Client, error) {
	options := c.Defender.ReadClient(m)
	how := m.OneOf("--sign-in", c.SignIn, "device-code", "browser", "azure-cli")
	if how != "azure-cli" {
		c.Defender.RequireIDs(m)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	cred, err := api.SignIn(how, api.CredentialOptions{
		TenantID:  c.Defender.TenantID,
		ClientID:  c.Defender.ClientID,
		Authority: options.Cloud.Authority,
	}, func(message string) { fmt.Fprintln(w, view.Lines(message)) })
	if err != nil {
		return nil, config.UsageError{Err: fmt.Errorf("sign in: %w", err)}
	}
	// Here and not within the time of the question: a person with a second factor needs some minutes.
	signing, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	if _, err := cred.GetToken(signing, policy.TokenRequestOptions{Scopes: []string{options.Cloud.Scope}}); err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	options.Logger = log
	return api.NewClient(cred, &options)
}

// hoist moves the flags of ask that stand behind its words in front of them: the words have options of their own,
// which kong must not read, and people write "ask microsoft-_-edge -o csv".
func hoist(args []string) []string {
	at := slices.Index(args, "ask")
	if at < 0 {
		return args
	}
	front, words := slices.Clone(args[:at+1]), []string{}
	for rest := args[at+1:]; len(rest) > 0; rest = rest[1:] {
		switch a := rest[0]; {
		case a == "--":
			words = append(words, rest[1:]...)
			return append(front, words...)
		case a == "--sandbox", strings.HasPrefix(a, "--output="), strings.HasPrefix(a, "--sign-in="):
			front = append(front, a)
		case (a == "-o" || a == "--output" || a == "--sign-in") && len(rest) > 1:
			front = append(front, a, rest[1])
			rest = rest[1:]
		default:
			words = append(words, a)
		}
	}
	return append(front, words...)
}
