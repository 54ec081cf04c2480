package main

import (
	"context"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/commands/riskcmd"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/view"
)

// keptByBot returns the commands that read what a bot keeps in its database: digests and accepted risks. They read it only if
// the question is about that, and cannot change it, because on a terminal the user is unknown.
func (c askCmd) keptByBot(ctx context.Context, errs *config.Errors, s streams, from source) ([]commands.Command, func(), error) {
	if !c.aboutBot() {
		// Help lists the commands. Words that merely contain "digest" must not need a database.
		digests := withoutBot(digestcmd.New(nil, digestcmd.Options{}), "No digests here", "Digests belong to a running bot. Try them with: missingkbs sandbox")
		risks := withoutBot(riskcmd.New(nil, riskcmd.Options{}), "No accepted risks here", "Accepted risks belong to a running bot. Try them with: missingkbs sandbox")
		return []commands.Command{digests, risks}, func() {}, nil
	}
	deadlines := &deadline.Setting{}
	deadlines.Set(c.Deadline.Read(errs))
	database, err := openReadOnly(ctx, c.Store, errs, c.Log.Logger(errs, s.err), s.env)
	if err != nil {
		return nil, nil, err
	}
	risks := &risk.Register{Tenant: digest.DefaultTenant, Store: database}
	known := app.Patching{Store: database, Advisories: from.advisories, Deadlines: deadlines, Now: from.now}.DigestKnown(risks)
	return []commands.Command{digestcmd.New(database, digestcmd.Options{Known: known}), riskcmd.New(risks, riskcmd.Options{})}, func() { _ = database.Close() }, nil
}

// withoutBot replaces a command that needs a bot.
func withoutBot(c commands.Command, title, message string) commands.Command {
	c.Run = func(context.Context, commands.Request) (view.Page, error) {
		return view.Page{}, &commands.Error{Title: title, Message: message}
	}
	return c
}

// adminInSlack replaces the command admin, which needs people, groups and channels of Slack.
func adminInSlack() commands.Command {
	c := commands.Admin(nil, nil, nil, nil)
	c.Summary += "; in Slack only"
	c.Run = func(context.Context, commands.Request) (view.Page, error) {
		return view.Page{}, &commands.Error{
			Title:   "Ask that in Slack",
			Message: "Rights depend on people and channels, so admin works in Slack only: /missingkbs admin. To check settings and channels here, run: missingkbs doctor",
			Usage:   true,
		}
	}
	return c
}

// needsNoDefender returns true if the words are answered without Defender and its settings.
func (c askCmd) needsNoDefender() bool {
	return slices.ContainsFunc([]string{"help", "admin"}, func(name string) bool { return strings.EqualFold(c.Words[0], name) })
}

// aboutBot returns true if the question is about what a bot keeps in its database. It needs no Defender.
func (c askCmd) aboutBot() bool {
	return !c.Sandbox && (strings.EqualFold(c.Words[0], commands.DigestName) || strings.EqualFold(c.Words[0], riskcmd.Name))
}
