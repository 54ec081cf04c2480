package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// Acceptances lists accepted risks that are open and those that ended since a time, oldest first.
func (s *Store) Acceptances(ctx context.Context, tenant string, since time.Time) ([]risk.Acceptance, error) {
	rows, err := s.queries.Acceptances(ctx, tenant, toMillis(since))
	if err != nil {
		return nil, s.failed("read accepted risks", err)
	}
	all := make([]risk.Acceptance, 0, len(rows))
	for _, row := range rows {
		a, err := acceptance(row)
		if err != nil {
			return nil, s.failed("read accepted risks", err)
		}
		all = append(all, a)
	}
	return all, nil
}

// AddAcceptance stores a new acceptance, or returns [digest.ErrExists] if its ID is taken. It ends what the new one
// replaces: if it holds at once, everything open of the same KB and software, otherwise a waiting request.
func (s *Store) AddAcceptance(ctx context.Context, a risk.Acceptance, who audit.Entry) error {
	places, err := json.Marshal(a.Rows)
	if err != nil {
		return fmt.Errorf("write where an update is missing: %w", err)
	}
	listed, err := json.Marshal(a.Listed)
	if err != nil {
		return fmt.Errorf("write the listed CVEs of an update: %w", err)
	}
	return s.change(ctx, "accept a risk", who, digest.ErrExists, func(q *db.Queries) (int64, error) {
		if err := replaceAcceptances(ctx, q, a, a.At); err != nil {
			return 0, err
		}
		return q.AddAcceptance(ctx, db.AddAcceptanceParams{
			ID: a.ID, Tenant: a.Tenant, Kb: text(a.KB), Software: text(a.Software), Name: text(a.Name), Reason: text(a.Reason), Person: text(a.By),
			AtMs: toMillis(a.At), UntilMs: toMillis(a.Until), Places: text(string(places)), Listed: text(string(listed)), State: string(a.State), Approver: text(a.Approver),
		})
	})
}

// ApproveAcceptance makes a request hold, or returns [risk.ErrChanged] if it no longer waits.
func (s *Store) ApproveAcceptance(ctx context.Context, a risk.Acceptance, who audit.Entry) error {
	return s.change(ctx, "approve an accepted risk", who, risk.ErrChanged, func(q *db.Queries) (int64, error) {
		a.State = risk.Accepted
		if err := replaceAcceptances(ctx, q, a, who.At); err != nil {
			return 0, err
		}
		return q.ApproveAcceptance(ctx, text(a.Approver), a.ID)
	})
}

// EndAcceptance records that an acceptance has ended, or returns [risk.ErrChanged] if it had already.
func (s *Store) EndAcceptance(ctx context.Context, a risk.Acceptance, who audit.Entry) error {
	return s.change(ctx, "end an accepted risk", who, risk.ErrChanged, func(q *db.Queries) (int64, error) {
		return q.EndAcceptance(ctx, db.EndAcceptanceParams{ID: a.ID, EndedMs: toMillis(a.Ended), EndedBy: string(a.End), Detail: text(a.Detail)})
	})
}

// replaceAcceptances ends what a new acceptance replaces.
func replaceAcceptances(ctx context.Context, q *db.Queries, a risk.Acceptance, at time.Time) error {
	return q.ReplaceAcceptances(ctx, db.ReplaceAcceptancesParams{
		EndedMs: toMillis(at), EndedBy: string(risk.ByReplaced), Tenant: a.Tenant, Kb: text(a.KB), Software: text(a.Software), ID: a.ID,
		State: string(risk.Requested), AnyState: a.State == risk.Accepted,
	})
}

// acceptance converts a row.
func acceptance(r db.Acceptance) (risk.Acceptance, error) {
	a := risk.Acceptance{
		ID: r.ID, Tenant: r.Tenant, KB: r.Kb, Software: r.Software, Name: r.Name, Reason: r.Reason, By: r.Person, At: fromMillis(r.AtMs), Until: fromMillis(r.UntilMs),
		State: risk.State(r.State), Approver: r.Approver, Ended: fromMillis(r.EndedMs), End: risk.End(r.EndedBy), Detail: r.Detail,
	}
	if err := json.Unmarshal([]byte(r.Places), &a.Rows); err != nil {
		return a, fmt.Errorf("read where an accepted update is missing: %w", outlined{err})
	}
	if err := json.Unmarshal([]byte(r.Listed), &a.Listed); err != nil {
		return a, fmt.Errorf("read the listed CVEs of an accepted update: %w", outlined{err})
	}
	return a, nil
}

// Allow stores that a channel may be posted to, and replaces an earlier allowance of that channel.
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

// Disallow removes an allowance, or returns [digest.ErrNotFound].
func (s *Store) Disallow(ctx context.Context, tenant, channel string, who audit.Entry) error {
	return s.change(ctx, "disallow a channel", who, digest.ErrNotFound, func(q *db.Queries) (int64, error) {
		return q.Disallow(ctx, tenant, channel)
	})
}

// Allowance returns the allowance of a channel, if there is one.
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

// Allowances lists all allowances, by channel.
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
