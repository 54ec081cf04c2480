package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Allow writes down that things may be posted into a channel, in place of what was allowed there before, and who did it.
func (s *Store) Allow(ctx context.Context, a access.Allowance, who audit.Entry) error {
	teams, err := json.Marshal(append([]string{}, a.Teams...))
	if err != nil {
		return fmt.Errorf("write the teams of a channel: %w", err)
	}
	return s.change(ctx, "allow a channel", who, nil, func(q *db.Queries) (int64, error) {
		return 1, q.Allow(ctx, db.AllowParams{
			Tenant: a.Tenant, Channel: a.Channel, Teams: string(teams), Person: text(a.By), AtMs: toMillis(a.At),
		})
	})
}

// Disallow takes back what was allowed, or returns [digest.ErrNotFound].
func (s *Store) Disallow(ctx context.Context, tenant, channel string, who audit.Entry) error {
	return s.change(ctx, "disallow a channel", who, digest.ErrNotFound, func(q *db.Queries) (int64, error) {
		return q.Disallow(ctx, tenant, channel)
	})
}

// Allowance tells what was allowed for a channel, if anything was.
func (s *Store) Allowance(ctx context.Context, tenant, channel string) (a access.Allowance, ok bool, err error) {
	row, err := s.queries.Allowance(ctx, tenant, channel)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	if err == nil {
		a, err = allowance(row)
	}
	if err != nil {
		return a, false, s.failed("read what is allowed for a channel", err)
	}
	return a, true, nil
}

// Allowances lists what was allowed, by channel.
func (s *Store) Allowances(ctx context.Context, tenant string) ([]access.Allowance, error) {
	rows, err := s.queries.Allowances(ctx, tenant)
	if err != nil {
		return nil, s.failed("list what is allowed", err)
	}
	all := make([]access.Allowance, 0, len(rows))
	for _, row := range rows {
		a, err := allowance(row)
		if err != nil {
			return nil, s.failed("list what is allowed", err)
		}
		all = append(all, a)
	}
	return all, nil
}

func allowance(row db.Allowance) (access.Allowance, error) {
	a := access.Allowance{Tenant: row.Tenant, Channel: row.Channel, By: row.Person, At: fromMillis(row.AtMs)}
	if err := json.Unmarshal([]byte(row.Teams), &a.Teams); err != nil {
		return a, fmt.Errorf("read the teams of a channel: %w", err)
	}
	return a, nil
}
