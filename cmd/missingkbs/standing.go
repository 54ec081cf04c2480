package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/api"
)

// standing keeps for all processes, and for those to come, that Defender has refused us. What is known from before is not
// shown then, by whatever process, until Defender has let one of them in again.
type standing struct {
	defender interface{ Word() api.Word }
	keeper   standingKeeper
	log      *slog.Logger
	kept     api.Word // the word that was written last; of the goroutine that runs
}

// standingKeeper keeps states by name; *store.Store is one.
type standingKeeper interface {
	Matters(ctx context.Context) (map[string]string, error)
	ChangeMatter(ctx context.Context, name string, change func(state string) (string, error)) error
}

const (
	standingName  = "refused" // among the matters of operators, which have none of this name
	standingEvery = 5 * time.Second
	standingLast  = 2 * time.Second // for the last look, when the program ends
)

// refused reports whether the last definite word to any process was a refusal. Where that cannot be told it is as if.
func (s *standing) refused(ctx context.Context) bool {
	word := s.defender.Word()
	if word.Refusal != nil {
		return true
	}
	states, err := s.keeper.Matters(ctx)
	if err != nil {
		return true
	}
	since, err := refusedSince(states[standingName])
	return err != nil || since.After(word.At)
}

// refusedSince reads a state, which is empty where nothing was refused.
func refusedSince(state string) (since time.Time, err error) {
	if state == "" {
		return since, nil
	}
	err = json.Unmarshal([]byte(state), &since)
	return since, err
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
	err := s.keeper.ChangeMatter(ctx, standingName, func(state string) (string, error) {
		since, err := refusedSince(state)
		switch {
		case word.Refusal != nil:
			text, err := json.Marshal(word.At)
			return string(text), err
		case err == nil && since.After(word.At):
			return state, nil // another process was refused later
		}
		return "", nil
	})
	if err != nil {
		return fmt.Errorf("keep the standing: %w", err)
	}
	s.kept = word
	return nil
}
