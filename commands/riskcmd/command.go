package riskcmd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/redact"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Name is the name of the command.
const Name = "accept"

const (
	usage        = `<kb> --until <date or 30d> --reason "<why>" [--software <id>]`
	endUsage     = "accept end <kb> [--software <id>]"
	listUsage    = "accept list [--page N]"
	approveUsage = "accept approve N"
	showUsage    = "accept show N"
)

// The subcommands.
const (
	listWord    = "list"
	showWord    = "show"
	approveWord = "approve"
	endWord     = "end"
)

// Options are the command's dependencies, except for the register.
type Options struct {
	Defender   commands.Defender
	Index      *search.Index
	Advisories func() *advisory.Snapshot // what the feeds say; nil without feeds, as is its result
	TwoPerson  bool                      // whether a second person has to approve an acceptance
	Now        func() time.Time          // the clock; [time.Now] when nil
	NewID      func(attempt int) string  // returns the ID of a new acceptance; attempt counts from 1; nil for random digits
}

// New returns the command. On a terminal it only reads, because the user is unknown there.
func New(r *risk.Register, o Options) commands.Command {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = randomDigits
	}
	c := command{Options: o, register: r}
	subs, _, help := commands.DescribeSubcommands(Name, c.subcommands())
	return commands.Command{
		Name:    Name,
		Usage:   usage + " | list | show | approve | end",
		Subs:    subs,
		Summary: "accept that an update stays missing until a date: it is marked and counted separately, and comes back afterwards",
		Help: append([]view.Fact{
			{Name: "--until <date or 30d>", Value: "the last day, such as 2026-12-31, or a time such as 30d or 6w; at most a year"},
			{Name: `--reason "<why>"`, Value: "why it stays missing; everyone who sees the update can read this"},
			{Name: "--software <id>", Value: "only for this software; otherwise for all software"},
			{Name: "Ends before its date", Value: "when CISA lists one of its CVEs as exploited, or when it is missing on a quarter more devices"},
			{Name: "Older updates inside it", Value: "are not accepted with it: an exploited one still counts until it is installed or accepted itself"},
		}, append(help, view.Fact{Name: "Example", Value: `accept KB5074202 --until 30d --reason "line 3 is frozen until the move"`})...),
		Needs:  access.Accept,
		Shared: sharedRequest,
		Run:    c.run,
	}
}

// sharedRequest reports whether a line shows one acceptance. Such a page may be posted in its channel, for a second
// person to approve.
func sharedRequest(req commands.Request) bool {
	return len(req.Words) == 2 && req.Words[0] == showWord
}

// randomDigits returns a random ID. It is shorter than any KB number, so that the two cannot be confused.
func randomDigits(attempt int) string {
	least := 1000
	for range min(attempt-1, 1) {
		least *= 10
	}
	return strconv.Itoa(least + rand.IntN(9*least)) //nolint:gosec // no secret
}

type command struct {
	Options
	register *risk.Register
}

// subcommands returns the subcommands with the rights they need.
func (c command) subcommands() []commands.SubcommandHandler {
	return []commands.SubcommandHandler{
		{
			Subcommand: commands.Subcommand{Name: listWord, Needs: access.Ask}, Usage: "[--page N]",
			Summary: "accepted updates, until when and by whom, and those that ended recently", Run: c.list,
		},
		{
			Subcommand: commands.Subcommand{Name: showWord, Needs: access.Ask, Subject: true}, Usage: "N",
			Summary: "one accepted update", Run: c.show,
		},
		{
			Subcommand: commands.Subcommand{Name: approveWord, Needs: access.Accept, Subject: true}, Usage: "N",
			Summary: "approve another person's request, if two people are required", Run: c.approve,
		},
		{
			Subcommand: commands.Subcommand{Name: endWord, Needs: access.Accept, Subject: true}, Usage: "<kb> [--software <id>]",
			Summary: "end it now, or decline a request", Run: c.end,
		},
	}
}

// run dispatches to a subcommand; any other line accepts a risk.
func (c command) run(ctx context.Context, req commands.Request) (view.Page, error) {
	if len(req.Words) > 0 {
		if sub, ok := commands.FindSubcommand(strings.ToLower(req.Words[0]), c.subcommands()); ok {
			req.Words = req.Words[1:]
			return sub.Run(ctx, req)
		}
	}
	return c.add(ctx, req)
}

// help returns the buttons on error pages.
func help() []view.Action {
	return []view.Action{{Label: "Help", Command: cmdline.Join(commands.HelpName, Name)}, {Label: "Accepted risks", Command: cmdline.Join(Name, listWord)}}
}

// line returns the command line of a button about an acceptance.
func line(subcommand string, a risk.Acceptance) string {
	if subcommand == endWord {
		words := []string{Name, endWord, catalog.Label(a.KB)}
		if a.Software != "" {
			words = append(words, "--software", a.Software)
		}
		return cmdline.Join(words...)
	}
	return cmdline.Join(Name, subcommand, a.ID)
}

// onlyInSlack returns an error on a terminal, where nothing may be changed.
func onlyInSlack(req commands.Request) error {
	if !req.Terminal && req.User != "" {
		return nil
	}
	return &commands.Error{
		Title: "Only in Slack", Usage: true,
		Message: "Accept and end risks in Slack: on a terminal the bot does not know who decides. Type the same there after the name of the command.",
		Actions: []view.Action{{Label: "Accepted risks", Command: cmdline.Join(Name, listWord)}},
	}
}

// audit returns the audit entry for a person's decision.
func (c command) audit(req commands.Request, a risk.Acceptance, action string) audit.Entry {
	detail := "until " + a.LastDay() + ": " + a.Reason
	if action == audit.ActionAcceptEnd {
		detail = ""
	}
	return audit.Entry{
		At: c.Now(), Tenant: a.Tenant, User: req.User, Channel: req.Channel, Action: action,
		Subject: a.Subject(), Detail: redact.String(detail), Result: audit.ResultDone, Request: req.ID,
	}
}

// find returns the acceptance with the ID in words, or a [commands.Error].
func (c command) find(ctx context.Context, words []string, usage string) (risk.Acceptance, error) {
	if len(words) == 0 {
		return risk.Acceptance{}, &commands.Error{Usage: true, Message: "Which one? Add its number: " + usage + ". The list has them all.", Actions: help()}
	}
	if err := commands.RejectWords(usage, words[1:], help()...); err != nil {
		return risk.Acceptance{}, err
	}
	id := strings.TrimPrefix(words[0], "#")
	all, err := c.register.Open(ctx)
	if err != nil {
		return risk.Acceptance{}, err
	}
	for _, a := range all {
		if a.ID == id {
			return a, nil
		}
	}
	return risk.Acceptance{}, &commands.Error{
		Title: "No such acceptance", Usage: true,
		Message: fmt.Sprintf("There is no accepted risk %s. It may have ended more than a month ago.", id), Actions: help(),
	}
}
