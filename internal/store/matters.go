package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Matters returns the states of what operators are told, by name.
func (s *Store) Matters(ctx context.Context) (map[string]string, error) {
	rows, err := s.queries.Matters(ctx)
	if err != nil {
		return nil, s.failed("read what operators are told", err)
	}
	states := make(map[string]string, len(rows))
	for _, r := range rows {
		states[r.Name] = r.State
	}
	return states, nil
}

// ChangeMatter changes the state of a matter, which is empty at first. Of several processes one at a time does.
func (s *Store) ChangeMatter(ctx context.Context, name string, change func(state string) (string, error)) error {
	err := s.tx(ctx, func(q *db.Queries) error {
		state, err := q.LockMatter(ctx, name)
		if err != nil {
			return err
		}
		if state, err = change(state); err != nil {
			return fmt.Errorf("%w: %w", errCallback, err)
		}
		return q.SetMatter(ctx, state, name)
	})
	if err != nil {
		return s.failedWrite("change what operators are told", err)
	}
	return nil
}

// errCallback marks the errors of the caller's own functions.
var errCallback = errors.New("the change was refused")
