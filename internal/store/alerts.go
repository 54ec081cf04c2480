package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/missingkbs/missingkbs/internal/store/db"
)

// AlertStates returns the states of the conditions that operators are alerted of, by name.
func (s *Store) AlertStates(ctx context.Context) (map[string]string, error) {
	rows, err := s.queries.Matters(ctx)
	if err != nil {
		return nil, s.failed("read the states of alerts", err)
	}
	states := make(map[string]string, len(rows))
	for _, r := range rows {
		states[r.Name] = r.State
	}
	return states, nil
}

// ChangeAlertState changes the state of one condition, which is empty at first. One process at a time changes it.
func (s *Store) ChangeAlertState(ctx context.Context, name string, change func(state string) (string, error)) error {
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
		return s.failedWrite("change the state of an alert", err)
	}
	return nil
}

// errCallback marks the errors of the caller's own functions.
var errCallback = errors.New("the change was refused")
