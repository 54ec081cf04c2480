package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// openDatabase opens the database that the settings name.
func openDatabase(ctx context.Context, s config.Database, m *config.Errors, log *slog.Logger, env func(string) (string, bool)) (*store.Store, error) {
	address, o := s.Read(m, env)
	if err := m.Err(); err != nil {
		return nil, err
	}
	m.LogWarnings(log)
	o.Log = log
	return openStore(ctx, address, o)
}

// openStore opens a database. A mistake in its address is wrong use; a database that is away is not.
func openStore(ctx context.Context, address string, o store.Options) (*store.Store, error) {
	opened, err := store.Open(ctx, address, o)
	return opened, openError(ctx, address, err)
}

// openError says of an error of the database what to do, where that is known. One that only other settings or another
// database mend is wrong use: to start the program again as it is is in vain.
func openError(ctx context.Context, address string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	f, _, fileErr := store.InspectFile(address)
	file := fileErr == nil && f.File != ""
	switch trouble := digest.TroubleOf(err); {
	case trouble == digest.TroubleDamaged:
		return config.UsageError{Err: fmt.Errorf("DATABASE_URL: the database is damaged: %w: %s", err, store.Cure(trouble, f.File, file))}
	case errors.Is(err, store.ErrUnavailable) && file:
		return fmt.Errorf("DATABASE_URL: %w: %s", err, store.Cure(trouble, f.File, file))
	case errors.Is(err, store.ErrUnavailable):
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	return config.UsageError{Err: fmt.Errorf("DATABASE_URL: %w", err)}
}

// openReadOnly opens the database for a command that only reads. It is not changed, least of all brought to a version that the bot
// that runs does not know; a file that is not there is not made.
func openReadOnly(ctx context.Context, s config.Database, m *config.Errors, log *slog.Logger, env func(string) (string, bool)) (*store.Store, error) {
	address, _ := s.Read(m, env)
	if err := m.Err(); err != nil {
		return nil, err
	}
	m.LogWarnings(log)
	database, err := store.OpenReadOnly(ctx, address)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("DATABASE_URL: %w: no bot has run with it", err)
	}
	if err != nil {
		return nil, openError(ctx, address, err)
	}
	if err := readable(ctx, database); err != nil {
		return nil, errors.Join(readError(database, err), database.Close())
	}
	return database, nil
}

// readError is the error of an open database, with what to do about it.
func readError(database *store.Store, err error) error {
	trouble := digest.TroubleOf(err)
	switch trouble {
	case "":
		return fmt.Errorf("DATABASE_URL: %w", err)
	case digest.TroubleDamaged:
		return config.UsageError{Err: fmt.Errorf("DATABASE_URL: the database is damaged: %w: %s", err, database.Cure(trouble))}
	}
	return fmt.Errorf("DATABASE_URL: %w: %s", err, database.Cure(trouble))
}

// readable reports, as an error, why a database cannot be read by this program.
func readable(ctx context.Context, database *store.Store) error {
	current, wanted, err := database.Version(ctx)
	switch {
	case err != nil:
		return err
	case current == 0:
		return errors.New("there are no tables: it is not the database of a bot that has run")
	case current < wanted:
		return fmt.Errorf("it is at version %d and this program reads version %d: use the missingkbs that the bot runs, or, where the bot is to be of this version, "+
			"start it or run missingkbs migrate", current, wanted)
	case current > wanted:
		return store.ErrNewer
	}
	return nil
}

// waitForStore opens the database of serve. One that is away is waited for.
func waitForStore(ctx context.Context, address string, o store.Options, watch *monitor.Monitor) (opened *store.Store, err error) {
	w := waiting{
		part: monitor.Database, reason: "the database does not answer yet", parts: &watch.Parts, log: o.Log,
		passes: func(err error) bool { return errors.Is(err, store.ErrUnavailable) },
		cause: func(err error) string {
			if trouble := digest.TroubleOf(err); trouble != digest.TroubleAway {
				return monitor.DatabaseReason(trouble)
			}
			return ""
		},
	}
	err = w.until(ctx, func(ctx context.Context) (err error) {
		opened, err = openStore(ctx, address, o)
		return err
	})
	return opened, err
}

// migrateCmd brings the database to the shape that this version of the program wants.
type migrateCmd struct {
	Store config.Database `embed:""`
	Log   config.Log      `embed:"" group:"Log"`
}

// Run migrates and says from which version to which.
func (c migrateCmd) Run(ctx context.Context, s streams) error {
	var m config.Errors
	log := c.Log.Logger(&m, s.err)
	database, err := openDatabase(ctx, c.Store, &m, log, s.env)
	if err != nil {
		return err
	}
	defer database.Close()
	before, _, err := database.Version(ctx)
	if err != nil {
		return readError(database, err)
	}
	if err := database.Migrate(ctx); err != nil {
		return readError(database, err)
	}
	after, _, err := database.Version(ctx)
	if err != nil {
		return readError(database, err)
	}
	_, err = fmt.Fprintf(s.out, "The database was at version %d and is at version %d.\n", before, after)
	return err
}
