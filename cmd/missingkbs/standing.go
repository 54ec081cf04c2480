package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// standing keeps for all processes, and for those to come, that Defender has refused us. What is known from before is not
// shown then, by whatever process, until Defender has let one of them in again.
type standing struct {
	defender interface{ Word() api.Word }
	keeper   standingKeeper
	log      *slog.Logger
	kept     api.Word // the word that was written last; of the goroutine that runs
}

// standingKeeper stores for all processes when Defender last refused one; *store.Store is one.
type standingKeeper interface {
	RefusedAt(ctx context.Context, tenant string) (time.Time, error)
	SetRefused(ctx context.Context, tenant string, at time.Time) error
	SetAdmitted(ctx context.Context, tenant string, at time.Time) error
}

const (
	standingEvery = 5 * time.Second
	standingLast  = 2 * time.Second // for the last look, when the program ends
)

// refused reports whether the last definite word to any process was a refusal. If the store cannot be read, it returns true.
func (s *standing) refused(ctx context.Context) bool {
	word := s.defender.Word()
	if word.Refusal != nil {
		return true
	}
	at, err := s.keeper.RefusedAt(ctx, digest.DefaultTenant)
	return err != nil || at.After(word.At)
}

// run writes down what changes, until ctx ends.
func (s *standing) run(ctx context.Context) {
	tick := time.NewTicker(standingEvery)
	defer tick.Stop()
	for told := false; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), standingLast)
		err := s.look(limited)
		cancel()
		if err != nil && !told {
			s.log.WarnContext(ctx, "whether Defender lets us in could not be written down; trying again", "error", err)
		}
		if told = err != nil; ctx.Err() != nil {
			return
		}
	}
}

// look writes the last word down, if it says something else than the one before.
func (s *standing) look(ctx context.Context) error {
	word := s.defender.Word()
	if word.At.IsZero() || !s.kept.At.IsZero() && (word.Refusal == nil) == (s.kept.Refusal == nil) {
		return nil
	}
	write := s.keeper.SetAdmitted
	if word.Refusal != nil {
		write = s.keeper.SetRefused
	}
	err := write(ctx, digest.DefaultTenant, word.At)
	if err != nil {
		return fmt.Errorf("keep the standing: %w", err)
	}
	s.kept = word
	return nil
}
