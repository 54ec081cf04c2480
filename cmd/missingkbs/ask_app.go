package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/store"
)

// asTheApp makes a client that asks as serve does: with the app's credential, out of the quota that the replicas share,
// and with what digests have read where Defender cannot be asked. The last two are in the bot's database, where there is
// one that this program knows how to read.
func (c askCmd) asTheApp(ctx context.Context, m *config.Errors, s streams, log *slog.Logger) (commands.Defender, func(), error) {
	options := c.Defender.ReadClient(m)
	c.Quota.Read(m, &options)
	credential := c.Defender.ReadCredential(m, options.Cloud.Authority)
	address := c.Store.ReadAddress(m, s.env)
	if err := m.Err(); err != nil {
		return nil, nil, err
	}
	m.LogWarnings(log)
	cred, err := app.NewCredential(credential)
	if err != nil {
		return nil, nil, err
	}
	database, closeIt := look(ctx, address, log)
	if database != nil {
		options.Budget = app.SharedBudget(database)
	}
	client, err := app.NewClient(cred, options, log)
	if err != nil {
		closeIt()
		return nil, nil, err
	}
	stop := func() {
		client.Close()
		closeIt()
	}
	if database == nil || options.StaleFor <= 0 {
		return client, stop, nil
	}
	return app.StoredAnswers(client, database, options.StaleFor, log), stop, nil
}

// lookTime is how long a question may wait for the bot's database.
const lookTime = 2 * time.Second

// look opens the bot's database as it is, if that can be had soon: no file is made, and nothing is migrated. Without it
// the question is answered all the same: no database is no failure.
func look(ctx context.Context, address string, log *slog.Logger) (database *store.Store, closeIt func()) {
	none := func() {}
	if address == "" {
		return nil, none
	}
	limited, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	database, err := store.OpenReadOnly(limited, address)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, none
	case err != nil:
		log.DebugContext(ctx, "asking without the database: it cannot be opened", "error", err)
		return nil, none
	}
	closeIt = func() { _ = database.Close() }
	current, wanted, err := database.Version(limited)
	if err == nil && current == wanted {
		return database, closeIt
	}
	log.DebugContext(ctx, "asking without the database: it is not of this version", "version", current, "wanted", wanted, "error", err)
	closeIt()
	return nil, none
}
