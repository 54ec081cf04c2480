package store

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/store/db"
)

// AddAudit stores one entry.
func (s *Store) AddAudit(ctx context.Context, a audit.Entry) error {
	if err := addAudit(ctx, s.queries, a); err != nil {
		return s.failedWrite("write an audit", err)
	}
	return nil
}

// AddAudits stores several entries, all or none. Entries with an ID may be written again without effect.
func (s *Store) AddAudits(ctx context.Context, list []audit.Entry) error {
	err := s.batch(ctx, func(q *db.Queries) error {
		for _, a := range list {
			if err := addAudit(ctx, q, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return s.failedWrite(fmt.Sprintf("write %d audits", len(list)), err)
	}
	return nil
}

// AuditFilter selects entries; a zero field selects all.
type AuditFilter struct {
	Since, Until time.Time // from Since on and before Until
	User         string
	Actions      []string // such as "share" or "digest.add"; "digest" selects all actions that start with "digest."
}

func (f AuditFilter) picks(action string) bool {
	return len(f.Actions) == 0 || slices.ContainsFunc(f.Actions, func(wanted string) bool {
		return action == wanted || strings.HasPrefix(action, wanted+".")
	})
}

// auditPage is how many entries are read at once: enough to be fast, few enough to use little memory.
const auditPage = 1000

// Audits yields the entries that a filter selects, oldest first. It reads them page by page, so that it holds few,
// however many there are. Entries written in the meantime may be among them. After an error it stops.
func (s *Store) Audits(ctx context.Context, f AuditFilter) iter.Seq2[audit.Entry, error] {
	return func(yield func(audit.Entry, error) bool) {
		after := db.AuditsAfterParams{AfterMs: toMillis(f.Since), UntilMs: math.MaxInt64, Max: auditPage}
		if !f.Until.IsZero() {
			after.UntilMs = toMillis(f.Until)
		}
		for {
			rows, err := s.auditsAfter(ctx, after, f.User)
			if err != nil {
				yield(audit.Entry{}, s.failed("read audits", err))
				return
			}
			for _, r := range rows {
				if f.picks(r.Action) && !yield(auditEntry(r), nil) {
					return
				}
			}
			if len(rows) < auditPage {
				return
			}
			last := rows[len(rows)-1]
			after.AfterMs, after.AfterID = last.AtMs, last.ID
		}
	}
}

func (s *Store) auditsAfter(ctx context.Context, after db.AuditsAfterParams, user string) ([]db.Audit, error) {
	if user == "" {
		return s.queries.AuditsAfter(ctx, after)
	}
	return s.queries.AuditsOfPerson(ctx, db.AuditsOfPersonParams{
		Person: user, AfterMs: after.AfterMs, AfterID: after.AfterID, UntilMs: after.UntilMs, Max: after.Max,
	})
}

func auditEntry(r db.Audit) audit.Entry {
	return audit.Entry{
		ID: r.ID, At: fromMillis(r.AtMs), Tenant: r.Tenant, User: r.Person, Team: r.Team, Channel: r.Channel,
		Action: r.Action, Subject: r.Subject, Detail: r.Detail, Result: r.Result, Reason: r.Reason, Request: r.Request,
	}
}

// Bounds of the stored fields, in bytes. PostgreSQL cannot index a text of more than about 2,700, and a change must not
// fail because its entry is too long.
const (
	maxAuditName   = 250
	maxAuditDetail = 4000
)

func addAudit(ctx context.Context, q *db.Queries, a audit.Entry) error {
	name := func(s string) string { return clip(text(s), maxAuditName) }
	return q.AddAudit(ctx, db.AddAuditParams{
		ID: cmp.Or(name(a.ID), audit.NewID(a.At)), AtMs: toMillis(a.At), Tenant: a.Tenant, Person: name(a.User), Team: name(a.Team),
		Channel: name(a.Channel), Action: name(a.Action), Subject: name(a.Subject), Detail: clip(text(a.Detail), maxAuditDetail),
		Result: cmp.Or(name(a.Result), audit.ResultDone), Reason: name(a.Reason), Request: name(a.Request),
	})
}

// text makes foreign text storable: PostgreSQL rejects NUL and invalid UTF-8.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// clip cuts valid text to a length, and marks the cut.
func clip(s string, most int) string {
	const mark = "…"
	if len(s) <= most {
		return s
	}
	end := most - len(mark)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// bound converts a limit for SQL.
func bound(limit int) int32 {
	return int32(min(max(limit, 0), math.MaxInt32)) //nolint:gosec // it fits
}
