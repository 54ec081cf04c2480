package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/api/apitest"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/completion"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/inventory"
	"github.com/missingkbs/missingkbs/internal/store"
)

// completionCmd prints what a shell loads.
type completionCmd struct {
	Shell string `arg:"" complete:"bash,zsh,fish" help:"Shell: bash, zsh or fish."`
}

// Run prints the script.
func (c completionCmd) Run(s streams) error {
	script, ok := completion.Script(c.Shell)
	if !ok {
		return config.UsageError{Err: fmt.Errorf("there is no completion for %q: take one of %s", c.Shell, strings.Join(completion.Shells(), ", "))}
	}
	_, err := io.WriteString(s.out, script)
	return err
}

// completeName is the command that the scripts call.
const completeName = "complete"

// completeCmd completes a command line for the scripts. It asks Defender and Slack nothing.
type completeCmd struct {
	Store config.Database `embed:"" group:"Digests"`
	Words []string        `arg:"" optional:"" passthrough:""`
}

// completeTimeout bounds how long a shell waits for the database.
const completeTimeout = time.Second

// Run prints the candidates.
func (c completeCmd) Run(ctx context.Context, parsed *kong.Context, s streams) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	questions, done, err := c.questions(ctx, slices.Contains(words, "--sandbox"), s)
	if err != nil {
		return err
	}
	defer done()
	return completion.Line(parsed.Model, words, questions.Complete).Write(s.out)
}

// questions returns the words that questions are made of. Ids are those of the database, or of the sandbox's tenant. A database
// that cannot be read completes nothing.
func (c completeCmd) questions(ctx context.Context, sandbox bool, s streams) (completion.Questions, func(), error) {
	index := &search.Index{}
	router, err := app.NewRouter(nil, index, nil, append(app.Patching{Index: index}.Commands(), digestcmd.New(nil, digestcmd.Options{}), commands.Home(nil, index, commands.HomeOptions{}), adminInSlack())...)
	if err != nil {
		return completion.Questions{}, nil, err
	}
	q := completion.Questions{Commands: router.Commands()}
	if sandbox {
		q.Software = apitest.NewTenant(apitest.Options{}).SoftwareIDs
		return q, func() {}, nil
	}
	address := c.Store.ReadAddress(&config.Errors{}, s.env)
	database := app.OpenIfCurrent(ctx, address, slog.New(slog.DiscardHandler))
	if database == nil {
		return q, func() {}, nil
	}
	q.Software = func() []string { return storedSoftware(ctx, database) }
	q.Digests = func() []completion.Candidate { return storedDigests(ctx, database) }
	return q, func() { _ = database.Close() }, nil // it was only read
}

// storedSoftware returns the ids of the software list that serve has saved, and of what digests have read. A shell has no place for
// an error, so what cannot be read completes nothing.
func storedSoftware(ctx context.Context, database *store.Store) []string {
	listed, err := inventory.SavedIDs(ctx, database)
	if err != nil {
		listed = nil
	}
	read, err := database.SoftwareIDs(ctx, digest.DefaultTenant)
	if err != nil {
		read = nil
	}
	ids := slices.DeleteFunc(slices.Concat(listed, read), func(id string) bool { return id == "" })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// storedDigests returns the digests in the database with their names. After an error it returns none.
func storedDigests(ctx context.Context, database *store.Store) []completion.Candidate {
	list, err := database.Subscriptions(ctx, digest.SubscriptionFilter{Tenant: digest.DefaultTenant})
	if err != nil {
		return nil
	}
	var all []completion.Candidate
	for _, s := range list {
		all = append(all, completion.Candidate{Word: s.ID, About: s.Name()})
	}
	return all
}
