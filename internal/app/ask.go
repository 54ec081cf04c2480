package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/store"
)

// AskOptions configure how a terminal question reaches Defender.
type AskOptions struct {
	Defender   api.Options
	Credential api.CredentialOptions
	Database   string // its address; may be empty
	Log        *slog.Logger
}

// OpenDefender returns Defender as serve sees it, for one question: with the app's credential, the quota that all
// replicas share, and stored answers. The last two need the bot's database. If that is missing, slow or of another
// version, the question is answered without it. The caller must call stop.
func OpenDefender(ctx context.Context, o AskOptions) (defender commands.Defender, stop func(), err error) {
	cred, err := NewCredential(o.Credential)
	if err != nil {
		return nil, nil, err
	}
	database := OpenIfCurrent(ctx, o.Database, o.Log)
	if database != nil {
		o.Defender.Budget = SharedBudget(database)
	}
	client, err := NewClient(cred, o.Defender, o.Log)
	if err != nil {
		closeDatabase(database)
		return nil, nil, err
	}
	stop = func() {
		client.Close()
		closeDatabase(database)
	}
	if database == nil {
		return client, stop, nil
	}
	return storedAnswers(client, database, o.Defender.StaleFor, time.Now, newAuthState(client, database, o.Log)), stop, nil
}

// openTimeout bounds how long a question waits for the database.
const openTimeout = 2 * time.Second

// OpenIfCurrent opens the database for reading. It creates and migrates nothing. It returns nil if the database cannot
// be opened in time or has another version.
func OpenIfCurrent(ctx context.Context, address string, log *slog.Logger) *store.Store {
	if address == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	database, err := store.OpenReadOnly(ctx, address)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		log.DebugContext(ctx, "asking without the database: it cannot be opened", "error", err)
		return nil
	}
	current, wanted, err := database.Version(ctx)
	if err == nil && current == wanted {
		return database
	}
	log.DebugContext(ctx, "asking without the database: it has another version", "version", current, "wanted", wanted, "error", err)
	closeDatabase(database)
	return nil
}

func closeDatabase(database *store.Store) {
	if database != nil {
		_ = database.Close() // it was only read
	}
}
