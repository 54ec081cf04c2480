package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/store/db"
)

// AlertStates returns the states of the conditions that operators are alerted about, by name.
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

// ChangeAlertState changes the state of one condition, which is empty at first. Changes are serialised across replicas.
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

// errCallback marks errors of the caller's own functions.
var errCallback = errors.New("the change was refused")

// RefusedAt returns when Defender last refused any replica of a tenant. It is zero if Defender has admitted one since,
// or refused none.
func (s *Store) RefusedAt(ctx context.Context, tenant string) (time.Time, error) {
	ms, err := s.queries.RefusedMS(ctx, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, s.failed("read whether Defender admits the app", err)
	}
	return fromMillis(ms), nil
}

// SetRefused records that Defender has refused the app.
func (s *Store) SetRefused(ctx context.Context, tenant string, at time.Time) error {
	if err := s.queries.SetRefused(ctx, tenant, toMillis(at)); err != nil {
		return s.failedWrite("record that Defender refuses the app", err)
	}
	return nil
}

// SetAdmitted records that Defender has admitted the app. A later refusal, received by another replica, stays.
func (s *Store) SetAdmitted(ctx context.Context, tenant string, at time.Time) error {
	if err := s.queries.SetAdmitted(ctx, tenant, toMillis(at)); err != nil {
		return s.failedWrite("record that Defender admits the app", err)
	}
	return nil
}
