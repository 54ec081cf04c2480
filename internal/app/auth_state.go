package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// authState shares with all processes, also later ones, that Defender has refused this bot. Until Defender admits one of them
// again, no process shows stored answers.
type authState struct {
	client interface{ AuthResult() api.AuthResult }
	store  refusalStore
	log    *slog.Logger
	stored api.AuthResult // what was last written; used by the goroutine of run only
}

// refusalStore stores for all processes when Defender last refused one. *store.Store is one.
type refusalStore interface {
	RefusedAt(ctx context.Context, tenant string) (time.Time, error)
	SetRefused(ctx context.Context, tenant string, at time.Time) error
	SetAdmitted(ctx context.Context, tenant string, at time.Time) error
}

const (
	authStateInterval = 5 * time.Second
	authStateTimeout  = 2 * time.Second // for one write; the last one happens when the program ends
)

func newAuthState(client interface{ AuthResult() api.AuthResult }, store refusalStore, log *slog.Logger) *authState {
	return &authState{client: client, store: store, log: log}
}

// refused returns true if Defender's last definite response to any process was a refusal. If the store cannot be read, it
// returns true.
func (s *authState) refused(ctx context.Context) bool {
	last := s.client.AuthResult()
	if last.Refusal != nil {
		return true
	}
	at, err := s.store.RefusedAt(ctx, digest.DefaultTenant)
	return err != nil || at.After(last.At)
}

// run writes changes until ctx ends, and once more then.
func (s *authState) run(ctx context.Context) {
	tick := time.NewTicker(authStateInterval)
	defer tick.Stop()
	for failing := false; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), authStateTimeout)
		err := s.write(limited)
		cancel()
		if err != nil && !failing {
			s.log.WarnContext(ctx, "could not store whether Defender refuses this bot; trying again", "error", err)
		}
		if failing = err != nil; ctx.Err() != nil {
			return
		}
	}
}

// write stores Defender's last response if it differs from the one before.
func (s *authState) write(ctx context.Context) error {
	last := s.client.AuthResult()
	if last.At.IsZero() || !s.stored.At.IsZero() && (last.Refusal == nil) == (s.stored.Refusal == nil) {
		return nil
	}
	write := s.store.SetAdmitted
	if last.Refusal != nil {
		write = s.store.SetRefused
	}
	err := write(ctx, digest.DefaultTenant, last.At)
	if err != nil {
		return fmt.Errorf("store whether Defender refuses this bot: %w", err)
	}
	s.stored = last
	return nil
}
