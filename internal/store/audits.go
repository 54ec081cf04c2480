package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// AddAudit writes down who did what.
func (s *Store) AddAudit(ctx context.Context, a digest.Audit) error {
	if err := addAudit(ctx, s.queries, a); err != nil {
		return fmt.Errorf("write the audit of %s: %w", a.Action, err)
	}
	return nil
}

// Audits lists what was done since a time, the newest first.
func (s *Store) Audits(ctx context.Context, since time.Time, limit int) ([]digest.Audit, error) {
	rows, err := s.queries.Audits(ctx, millis(since), bound(limit))
	if err != nil {
		return nil, fmt.Errorf("list audits: %w", err)
	}
	audits := make([]digest.Audit, 0, len(rows))
	for _, r := range rows {
		audits = append(audits, digest.Audit{
			At: moment(r.AtMs), Tenant: r.Tenant, User: r.Person, Action: r.Action, Subject: r.Subject, Detail: r.Detail,
		})
	}
	return audits, nil
}

func addAudit(ctx context.Context, q *db.Queries, a digest.Audit) error {
	return q.AddAudit(ctx, db.AddAuditParams{
		ID: rand.Text(), AtMs: millis(a.At), Tenant: a.Tenant, Person: text(a.User),
		Action: a.Action, Subject: text(a.Subject), Detail: text(a.Detail),
	})
}

// text makes foreign text storable: PostgreSQL takes no NUL and no broken UTF-8.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// bound is a limit as SQL takes it.
func bound(limit int) int32 {
	return int32(min(max(limit, 0), math.MaxInt32)) //nolint:gosec // it fits
}
