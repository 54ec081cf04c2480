package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/store"
)

// migrateCmd migrates the database to the version that this program needs, or copies it into another one.
type migrateCmd struct {
	From  config.Secret   `placeholder:"URL" help:"Copy this database into the empty one of --to, for example from a SQLite file to PostgreSQL. Stop the bot first."`
	To    config.Secret   `placeholder:"URL" help:"Database to copy into; by default that of DATABASE_URL. If the URL has a password, give a file that holds it: @/path."`
	Store config.Database `embed:""`
	Log   config.Log      `embed:"" group:"Log"`
}

// Run migrates and prints both versions.
func (c migrateCmd) Run(ctx context.Context, s streams) error {
	var errs config.Errors
	log := c.Log.Logger(&errs, s.err)
	if c.To.IsSet() {
		if !c.From.IsSet() {
			errs.Add("--to", "needs --from: the database that is copied")
		}
		c.Store.URL = c.To
	}
	address, o := c.Store.Read(&errs, s.env)
	from := ""
	if c.From.IsSet() {
		from = c.readFrom(&errs, address)
	}
	if err := errs.Err(); err != nil {
		return err
	}
	errs.LogWarnings(log)
	o.Log = log
	if from != "" {
		return copyDatabase(ctx, from, address, o, s.out)
	}
	database, err := app.OpenDatabase(ctx, address, o)
	if err != nil {
		return err
	}
	defer database.Close()
	before, _, err := database.Version(ctx)
	if err != nil {
		return app.DatabaseError(database, err)
	}
	stop := waiting(s, "Migrating the database")
	defer stop()
	if err := database.Migrate(ctx); err != nil {
		return app.DatabaseError(database, err)
	}
	after, _, err := database.Version(ctx)
	if err != nil {
		return app.DatabaseError(database, err)
	}
	stop()
	_, err = fmt.Fprintf(s.out, "The database was at version %d and is at version %d.\n", before, after)
	return err
}

// readFrom returns the address of the database that is copied into the one at the address to.
func (c migrateCmd) readFrom(errs *config.Errors, to string) string {
	from := errs.Secret("--from", c.From)
	if from == "" {
		return ""
	}
	if err := store.CheckURL(from); err != nil {
		errs.Add("--from:", "%v", err)
	} else if store.SameDatabase(from, to) {
		errs.Add("--from", "is the database that it would be copied into; name that one with --to or DATABASE_URL")
	}
	return from
}

// copyDatabase copies the database at one address into the empty one at another, and prints how many rows each table has on
// both sides.
func copyDatabase(ctx context.Context, from, to string, o store.Options, out io.Writer) error {
	source, err := store.OpenReadOnly(ctx, from)
	if errors.Is(err, fs.ErrNotExist) {
		return config.UsageError{Err: errors.New("--from: there is no such database file; name the one that the bot uses")}
	}
	if err != nil {
		return config.UsageError{Err: fmt.Errorf("--from: %w", err)}
	}
	defer source.Close()
	into, err := app.OpenDatabase(ctx, to, o)
	if err != nil {
		return err
	}
	defer into.Close()
	copied, err := store.Copy(ctx, source, into)
	if err != nil {
		return fmt.Errorf("%w; nothing was copied", err)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "from\tto\t\n")
	for _, t := range copied {
		fmt.Fprintf(w, "%d\t%d\t  %s\n", t.Rows, t.Rows, t.Table)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "All of it was copied. Set DATABASE_URL to the new database and start the bot.")
	return err
}
