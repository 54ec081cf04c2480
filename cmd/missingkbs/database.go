package main

import (
	"context"
	"log/slog"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/store"
)

// openReadOnly opens the database of the settings for a command that only reads. It fails if any setting is wrong.
func openReadOnly(ctx context.Context, s config.Database, errs *config.Errors, log *slog.Logger, env config.Environment) (*store.Store, error) {
	address, _ := s.Read(errs, env)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	errs.LogWarnings(log)
	return app.OpenReadOnly(ctx, address)
}
