package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/missingkbs/missingkbs/internal/app/monitor"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// OpenDatabase opens the database at address. Its errors say what to do. One that only other settings or another database
// can solve is a [config.UsageError].
func OpenDatabase(ctx context.Context, address string, o store.Options) (*store.Store, error) {
	database, err := store.Open(ctx, address, o)
	return database, openError(ctx, address, err)
}

func openError(ctx context.Context, address string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	f, _, fileErr := store.InspectFile(address)
	file := fileErr == nil && f.File != ""
	place := "DATABASE_URL"
	if file {
		place = f.File
	}
	trouble := digest.TroubleOf(err)
	switch {
	case trouble == "" && file:
		return config.UsageError{Err: fmt.Errorf("DATABASE_URL: %w: name a file that the user of this program may make and write", err)}
	case trouble == "":
		return config.UsageError{Err: fmt.Errorf("DATABASE_URL: %w", err)}
	}
	told := troubleError(err, trouble, place, file)
	if errors.Is(err, store.ErrUnavailable) {
		return told
	}
	return config.UsageError{Err: told}
}

// troubleError adds to a trouble of the database at place what to do about it. file is true for SQLite.
func troubleError(err error, trouble digest.Trouble, place string, file bool) error {
	switch {
	case file && store.IsForeign(err):
		return fmt.Errorf("DATABASE_URL: the file %s holds no SQLite database: %s", place, store.ForeignCure(place))
	case trouble == digest.TroubleDamaged:
		return fmt.Errorf("DATABASE_URL: the database is damaged: %w: %s", err, store.Cure(trouble, place, file))
	}
	return fmt.Errorf("DATABASE_URL: %w: %s", err, store.Cure(trouble, place, file))
}

// OpenReadOnly opens the database at address for a command that only reads. It creates and migrates nothing: a running
// bot may not know the new version.
func OpenReadOnly(ctx context.Context, address string) (*store.Store, error) {
	database, err := store.OpenReadOnly(ctx, address)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("DATABASE_URL: %w", missingFile(address))
	}
	if err != nil {
		return nil, openError(ctx, address, err)
	}
	if err := checkVersion(ctx, database); err != nil {
		return nil, errors.Join(DatabaseError(database, err), database.Close())
	}
	return database, nil
}

// DatabaseError adds to an error of an open database what to do about it.
func DatabaseError(database *store.Store, err error) error {
	trouble := digest.TroubleOf(err)
	if trouble == "" {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	told := troubleError(err, trouble, database.Address(), database.IsFile())
	if trouble == digest.TroubleDamaged {
		return config.UsageError{Err: told}
	}
	return told
}

// missingFile says what to do where there is no database file yet.
func missingFile(address string) error {
	f, _, err := store.InspectFile(address)
	if err != nil {
		return err
	}
	return fmt.Errorf("there is no file %s: name the file that the bot uses, or start the bot once, which makes it (missingkbs serve)", f.File)
}

// checkVersion returns an error if this program cannot read the database.
func checkVersion(ctx context.Context, database *store.Store) error {
	current, wanted, err := database.Version(ctx)
	switch {
	case err != nil:
		return err
	case current == 0:
		return errors.New("there are no tables: name the database that the bot uses, or start the bot once, which makes them (missingkbs serve)")
	case current < wanted:
		return fmt.Errorf("it is at version %d and this program reads version %d: use the missingkbs that the bot runs, or, where the bot is to be of this version, "+
			"start it or run missingkbs migrate", current, wanted)
	case current > wanted:
		return store.ErrNewer
	}
	return nil
}

// waitForDatabase opens the database during the start. It waits for one that does not respond yet.
func waitForDatabase(ctx context.Context, address string, o store.Options, m *monitor.Monitor) (database *store.Store, err error) {
	r := startupRetry{
		part: monitor.Database, reason: "the database does not answer yet", parts: &m.Parts, log: o.Log,
		temporary: func(err error) bool { return errors.Is(err, store.ErrUnavailable) },
		explain: func(err error) string {
			if trouble := digest.TroubleOf(err); trouble != digest.TroubleAway {
				return monitor.DatabaseReason(trouble)
			}
			return ""
		},
	}
	err = r.run(ctx, func(ctx context.Context) (err error) {
		database, err = OpenDatabase(ctx, address, o)
		return err
	})
	return database, err
}
