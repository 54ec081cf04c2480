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

// OpenReadOnly opens the database at address for a command that only reads. It creates no file and migrates nothing: a
// running bot may not know the new version.
func OpenReadOnly(ctx context.Context, address string) (*store.Store, error) {
	database, err := store.OpenReadOnly(ctx, address)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("DATABASE_URL: %w: no bot has run with it", err)
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
	switch trouble {
	case "":
		return fmt.Errorf("DATABASE_URL: %w", err)
	case digest.TroubleDamaged:
		return config.UsageError{Err: fmt.Errorf("DATABASE_URL: the database is damaged: %w: %s", err, database.Cure(trouble))}
	}
	return fmt.Errorf("DATABASE_URL: %w: %s", err, database.Cure(trouble))
}

// checkVersion returns an error if this program cannot read the database.
func checkVersion(ctx context.Context, database *store.Store) error {
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

// waitForDatabase opens the database of a starting bot. It waits for one that does not answer yet.
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
