package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
)

// authState shares with all replicas, and later processes, that Defender has refused this bot. Until Defender admits
// one of them again, none shows stored answers.
type authState struct {
	client interface{ AuthResult() api.AuthResult }
	store  refusalStore
	log    *slog.Logger
	stored api.AuthResult // last written; only used by run's goroutine
}

// refusalStore stores when Defender last refused any replica. *store.Store implements it.
type refusalStore interface {
	RefusedAt(ctx context.Context, tenant string) (time.Time, error)
	SetRefused(ctx context.Context, tenant string, at time.Time) error
	SetAdmitted(ctx context.Context, tenant string, at time.Time) error
}

const (
	authStateInterval = 5 * time.Second
	authStateTimeout  = 2 * time.Second // for one write; the last write happens during shutdown
)

func newAuthState(client interface{ AuthResult() api.AuthResult }, store refusalStore, log *slog.Logger) *authState {
	return &authState{client: client, store: store, log: log}
}

// refused reports whether Defender's last definite response to any replica was a refusal. If the store cannot be read,
// it returns true.
func (s *authState) refused(ctx context.Context) bool {
	last := s.client.AuthResult()
	if last.Refusal != nil {
		return true
	}
	at, err := s.store.RefusedAt(ctx, digest.DefaultTenant)
	return err != nil || at.After(last.At)
}

// run writes changes until ctx is done, and once more then.
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
