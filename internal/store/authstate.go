package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// RefusedAt returns when Defender last refused any process of a tenant. It is zero when Defender has admitted one since, or
// refused none.
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

// SetAdmitted records that Defender has admitted the app. A refusal that another process received later stays.
func (s *Store) SetAdmitted(ctx context.Context, tenant string, at time.Time) error {
	if err := s.queries.SetAdmitted(ctx, tenant, toMillis(at)); err != nil {
		return s.failedWrite("record that Defender admits the app", err)
	}
	return nil
}
