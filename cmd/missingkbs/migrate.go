package main

import (
	"context"
	"fmt"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
)

// migrateCmd migrates the database to the version that this program needs.
type migrateCmd struct {
	Store config.Database `embed:""`
	Log   config.Log      `embed:"" group:"Log"`
}

// Run migrates and prints both versions.
func (c migrateCmd) Run(ctx context.Context, s streams) error {
	var errs config.Errors
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
