package app

import (
	"context"
	"sync"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/store"
)

// auditor writes the outcome of questions to the audit. Questions that changed something are left out: their entry is
// written in the transaction of the change.
type auditor struct {
	trail          *audit.Trail
	auditQuestions bool   // otherwise only refusals, shares and changes
	team           string // the bot's own
	changes        *changedRequests
}

// newAuditor returns an auditor whose lost entries are counted and alerted about.
func (a *App) newAuditor(team string, alerts *alerts) *auditor {
	lost := func(n int) {
		a.Monitor.Metrics.AuditsLost(n)
		alerts.auditsLost(n)
	}
	return &auditor{
		trail:          audit.New(a.Monitor.CountAudits(a.Store), audit.Options{Lost: lost, Log: a.Log}),
		auditQuestions: a.AuditQuestions, team: team, changes: newChangedRequests(),
	}
}

// question is a [bot.Observer].
func (r *auditor) question(_ context.Context, o bot.Observation) {
	if r.changes.take(o.ID) {
		return // the change has its own entry
	}
	if o.Entry == bot.EntryTypeahead && o.Outcome != bot.Refused {
		return // nothing was asked yet
	}
	e := AuditEntry(o, r.team)
	switch {
	case e.Action != audit.ActionAsk || o.Outcome == bot.Refused:
		r.trail.AddChange(e)
	case r.auditQuestions:
		r.trail.AddQuestion(e)
	}
}

// AuditEntry returns the entry of a question that changed nothing. team is the bot's own workspace.
func AuditEntry(o bot.Observation, team string) audit.Entry {
	e := audit.Entry{
		At: o.Came, Tenant: digest.DefaultTenant, User: o.User, Channel: o.Channel, Action: audit.ActionAsk, Subject: o.Command,
		Detail: audit.Redact(o.Line), Result: string(o.Outcome), Reason: o.Reason, Request: o.ID,
	}
	if o.Team != team {
		e.Team = o.Team
	}
	switch {
	case o.Share:
		e.Action = audit.ActionShare
	case o.Action != "" && (o.Outcome != bot.Answered || o.Needs == access.Ask): // a successful change has its own entry
		e.Action, e.Subject = o.Action, audit.Redact(o.Subject)
	}
	if o.Outcome == bot.Answered {
		e.Result = audit.ResultDone
	}
	return e
}

// changedRequests holds the requests that have changed something, until they finish. It is safe for concurrent use.
type changedRequests struct {
	mu  sync.Mutex
	ids map[string]bool
}

func newChangedRequests() *changedRequests { return &changedRequests{ids: map[string]bool{}} }

// take reports whether a request has changed something, and forgets it.
func (c *changedRequests) take(request string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer delete(c.ids, request)
	return c.ids[request]
}

// add records the request of a change, unless the change failed.
func (c *changedRequests) add(entry audit.Entry, err error) error {
	if err == nil && entry.Request != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ids[entry.Request] = true
	}
	return err
}

// auditedStore is the store for commands. It records which requests change something.
type auditedStore struct {
	*store.Store
	changes *changedRequests
}

// AddSubscription implements [digest.Subscriptions].
func (s auditedStore) AddSubscription(ctx context.Context, sub digest.Subscription, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.AddSubscription(ctx, sub, entry))
}

// UpdateSubscription implements [digest.Subscriptions].
func (s auditedStore) UpdateSubscription(ctx context.Context, sub digest.Subscription, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.UpdateSubscription(ctx, sub, entry))
}

// EditSubscription implements [digestcmd.Store].
func (s auditedStore) EditSubscription(ctx context.Context, was, is digest.Subscription, entry audit.Entry) (bool, error) {
	changed, err := s.Store.EditSubscription(ctx, was, is, entry)
	if !changed && err == nil {
		return false, nil
	}
	return changed, s.changes.add(entry, err)
}

// RemoveSubscription implements [digest.Subscriptions].
func (s auditedStore) RemoveSubscription(ctx context.Context, id string, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.RemoveSubscription(ctx, id, entry))
}

// Allow implements [commands.Allowances].
func (s auditedStore) Allow(ctx context.Context, a access.Allowance, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.Allow(ctx, a, entry))
}

// Disallow implements [commands.Allowances].
func (s auditedStore) Disallow(ctx context.Context, tenant, channel string, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.Disallow(ctx, tenant, channel, entry))
}

// AddAudit implements [digestcmd.Store].
func (s auditedStore) AddAudit(ctx context.Context, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.AddAudit(ctx, entry))
}

// AddAcceptance implements [risk.Store].
func (s auditedStore) AddAcceptance(ctx context.Context, a risk.Acceptance, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.AddAcceptance(ctx, a, entry))
}

// ApproveAcceptance implements [risk.Store].
func (s auditedStore) ApproveAcceptance(ctx context.Context, a risk.Acceptance, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.ApproveAcceptance(ctx, a, entry))
}

// EndAcceptance implements [risk.Store].
func (s auditedStore) EndAcceptance(ctx context.Context, a risk.Acceptance, entry audit.Entry) error {
	return s.changes.add(entry, s.Store.EndAcceptance(ctx, a, entry))
}
