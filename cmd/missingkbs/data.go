package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/feeds"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// dataCmd is about what MSRC and CISA publish.
type dataCmd struct {
	Status dataStatusCmd `cmd:"" help:"Show what is stored of each feed, how old it is, and the latest failure."`
	Fetch  dataFetchCmd  `cmd:"" help:"Download the feeds into files, for a bot without internet access."`
	Import dataImportCmd `cmd:"" help:"Import files written by data fetch or downloaded by hand."`
}

// dataStatusCmd only reads the database.
type dataStatusCmd struct {
	Output string          `short:"o" default:"text" placeholder:"FORMAT" help:"Output format: text, json or csv (${default})."`
	Store  config.Database `embed:"" group:"Digests"`
	Log    config.Log      `embed:"" group:"Log"`
}

// Run prints one row per feed.
func (c dataStatusCmd) Run(ctx context.Context, s streams) error {
	var errs config.Errors
	c.Log.Level = cmp.Or(c.Log.Level, "warn")
	write, ok := map[string]func(io.Writer, view.Page) error{
		"text": terminalOf(s.out, s.env).Write, outputJSON: view.WriteJSON, "csv": view.WriteCSV,
	}[strings.ToLower(c.Output)]
	if !ok {
		errs.Add("--output", "takes one of text, json, csv")
	}
	database, err := openReadOnly(ctx, c.Store, &errs, c.Log.Logger(&errs, s.err), s.env)
	if err != nil {
		return err
	}
	defer database.Close()
	states, err := feeds.States(ctx, database)
	if err != nil {
		return err
	}
	return write(s.out, statusPage(states, time.Now()))
}

// statusPage is the page of data status.
func statusPage(states []feeds.State, now time.Time) view.Page {
	table := view.Table{Columns: []view.Column{
		{Key: "feed", Title: "Feed"},
		{Key: "data", Title: "Data of"},
		{Key: "documents", Title: "Documents", Kind: view.Number},
		{Key: "entries", Title: "Entries", Kind: view.Number},
		{Key: "checked", Title: "Last up to date"},
		{Key: "origin", Title: "From"},
		{Key: "state", Title: "State"},
	}}
	lead := "Both feeds are as they should be."
	for _, f := range states {
		state := "ok"
		switch {
		case f.Failure != "":
			state = "failing since " + when(f.Failing) + ": " + f.Failure
		case f.Data.IsZero():
			state = "nothing is stored"
		case f.Stale(now):
			state = "old"
		}
		if state != "ok" {
			lead = "What is stored is used until there is better. " + feedCure
		}
		data := when(f.Data)
		if f.Newest != "" {
			data = f.Newest + ", revised " + data
		}
		table.Rows = append(table.Rows, []view.Cell{
			view.TextCell(feeds.Title(f.Name)), view.TextCell(data), view.NumberCell(f.Documents), view.NumberCell(f.Entries),
			view.TextCell(when(f.Fresh)), view.TextCell(cmp.Or(f.Origin, "–")), view.TextCell(state),
		})
	}
	return view.Page{Title: "What MSRC and CISA publish", Lead: lead, Parts: []view.Part{table}}
}

// feedCure says what to do about a feed.
const feedCure = "A running bot fetches by itself, unless MISSINGKBS_FEEDS is off. Without internet: missingkbs data fetch --to DIR on another machine, then missingkbs data import here."

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// dataFetchCmd fetches into files and needs no database.
type dataFetchCmd struct {
	To      string             `required:"" placeholder:"DIR" help:"Folder for the files; older files in it are replaced by newer ones."`
	Sources config.FeedSources `embed:"" group:"Feeds"`
}

// Run prints a line for each file.
func (c dataFetchCmd) Run(ctx context.Context, s streams) error {
	var errs config.Errors
	o := c.Sources.Read(&errs)
	if err := errs.Err(); err != nil {
		return err
	}
	o.Version = buildVersion()
	began := false
	err := feeds.Save(ctx, c.To, o, time.Now(), func(name string, saved bool, err error) {
		began = true
		switch {
		case err != nil && ctx.Err() != nil: // said once, below
		case err != nil:
			fmt.Fprintln(s.err, view.Lines(fmt.Sprintf("%s: %v", name, err)))
		case saved:
			fmt.Fprintln(s.out, name, "saved")
		default:
			fmt.Fprintln(s.out, name, "is up to date")
		}
	})
	if ctx.Err() != nil {
		return errors.New("stopped; what was saved is whole, and a second run fetches the rest")
	}
	if err != nil && !began {
		return config.UsageError{Err: fmt.Errorf("nothing was fetched: %w; name a folder that you may write with --to", err)}
	}
	if err != nil {
		return errors.New("not everything was fetched; what was saved is whole, and a second run fetches the rest")
	}
	return nil
}

// dataImportCmd changes the database.
type dataImportCmd struct {
	Files []string        `arg:"" name:"file" help:"Monthly documents of MSRC (CVRF as JSON) and CISA's KEV list, in any order."`
	Store config.Database `embed:"" group:"Digests"`
	Log   config.Log      `embed:"" group:"Log"`
}

// Run imports each file by itself and prints a line for it.
func (c dataImportCmd) Run(ctx context.Context, s streams) error {
	var errs config.Errors
	c.Log.Level = cmp.Or(c.Log.Level, "warn")
	log := c.Log.Logger(&errs, s.err)
	address, o := c.Store.Read(&errs, s.env)
	if err := errs.Err(); err != nil {
		return err
	}
	errs.LogWarnings(log)
	o.Log = log
	database, err := app.OpenDatabase(ctx, address, o)
	if err != nil {
		return err
	}
	defer database.Close()
	if err := prepareImport(ctx, database); err != nil {
		return app.DatabaseError(database, err)
	}
	failed := 0
	for _, file := range c.Files {
		switch what, changed, err := feeds.Import(ctx, database, file, time.Now()); {
		case err != nil:
			failed++
			fmt.Fprintln(s.err, view.Lines(fmt.Sprintf("%s: %v", file, err)))
		case changed:
			fmt.Fprintln(s.out, what, "stored")
		default:
			fmt.Fprintln(s.out, what, "was stored before")
		}
	}
	if failed > 0 {
		return fmt.Errorf("%s of %d could not be imported; what was stored before is kept", view.Count(failed, "file"), len(c.Files))
	}
	return nil
}

// prepareImport makes the tables of an empty database. One of another version is left alone: a bot may run with it.
func prepareImport(ctx context.Context, database *store.Store) error {
	current, wanted, err := database.Version(ctx)
	switch {
	case err != nil:
		return err
	case current == 0:
		return database.Migrate(ctx)
	case current < wanted:
		return fmt.Errorf("it is at version %d and this program writes version %d: start the bot of this version, or run missingkbs migrate, first", current, wanted)
	case current > wanted:
		return store.ErrNewer
	}
	return nil
}
