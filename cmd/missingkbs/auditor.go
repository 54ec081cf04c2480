package main

import (
	"context"
	"sync"

	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/bot/slackapi"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// auditor writes down what became of questions. Changes that were made are not among them: these are written together
// with the change itself, or not at all.
type auditor struct {
	trail     *audit.Trail
	questions bool   // else refusals, shares and changes alone
	team      string // the bot's own
	changes   *changes
}

// recorder makes the auditor of a house.
func (h house) recorder(w slackapi.Workspace, o *operators) *auditor {
	lost := func(n int) {
		h.monitor.Metrics.AuditsLost(n)
		o.auditsLost(n)
	}
	return &auditor{
		trail: audit.New(h.monitor.CountAudits(h.store), audit.Options{Lost: lost, Log: h.log}), questions: h.asked, team: w.TeamID, changes: newChanges(),
	}
}

// question is a [bot.Observer].
func (r *auditor) question(_ context.Context, o bot.Observation) {
	if r.changes.made(o.ID) {
		return // the change is the entry
	}
	if o.Entry == bot.EntryTypeahead && o.Outcome != bot.Refused {
		return // nobody has asked yet
	}
	a := r.entry(o)
	switch {
	case a.Action != audit.ActionAsk || o.Outcome == bot.Refused:
		r.trail.AddChange(a)
	case r.questions:
		r.trail.AddQuestion(a)
	}
}

// entry is the audit of a question that changed nothing.
func (r *auditor) entry(o bot.Observation) audit.Entry {
	a := audit.Entry{
		At: o.Came, Tenant: digest.DefaultTenant, User: o.User, Channel: o.Channel, Action: audit.ActionAsk, Subject: o.Command,
		Detail: audit.Redact(o.Line), Result: string(o.Outcome), Reason: o.Reason, Request: o.ID,
	}
	if o.Team != r.team {
		a.Team = o.Team
	}
	switch {
	case o.Share:
		a.Action = audit.ActionShare
	case o.Action != "" && (o.Outcome != bot.Answered || o.Needs == access.Ask): // not the changes: these are entries of their own
		a.Action, a.Subject = o.Action, audit.Redact(o.Subject)
	}
	if o.Outcome == bot.Answered {
		a.Result = audit.ResultDone
	}
	return a
}

// changes knows which questions have changed something, until they are over.
type changes struct {
	mu   sync.Mutex
	done map[string]bool // by request
}

func newChanges() *changes { return &changes{done: map[string]bool{}} }

// made reports whether a question has changed something, and forgets it.
func (c *changes) made(request string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer delete(c.done, request)
	return c.done[request]
}

// note remembers the request of a change that was made.
func (c *changes) note(who audit.Entry, err error) error {
	if err == nil && who.Request != "" {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.done[who.Request] = true
	}
	return err
}

// auditedStore is the store as commands have it: it notes what was changed at whose request.
type auditedStore struct {
	*store.Store
	changes *changes
}

// AddSubscription is part of [digest.Subscriptions].
func (s auditedStore) AddSubscription(ctx context.Context, sub digest.Subscription, who audit.Entry) error {
	return s.changes.note(who, s.Store.AddSubscription(ctx, sub, who))
}

// UpdateSubscription is part of [digest.Subscriptions].
func (s auditedStore) UpdateSubscription(ctx context.Context, sub digest.Subscription, who audit.Entry) error {
	return s.changes.note(who, s.Store.UpdateSubscription(ctx, sub, who))
}

// RemoveSubscription is part of [digest.Subscriptions].
func (s auditedStore) RemoveSubscription(ctx context.Context, id string, who audit.Entry) error {
	return s.changes.note(who, s.Store.RemoveSubscription(ctx, id, who))
}

// Allow is part of [commands.Allowances].
func (s auditedStore) Allow(ctx context.Context, a access.Allowance, who audit.Entry) error {
	return s.changes.note(who, s.Store.Allow(ctx, a, who))
}

// Disallow is part of [commands.Allowances].
func (s auditedStore) Disallow(ctx context.Context, tenant, channel string, who audit.Entry) error {
	return s.changes.note(who, s.Store.Disallow(ctx, tenant, channel, who))
}

// AddAudit is part of [commands.DigestStore].
func (s auditedStore) AddAudit(ctx context.Context, who audit.Entry) error {
	return s.changes.note(who, s.Store.AddAudit(ctx, who))
}

// observers joins several into one.
func observers(list ...bot.Observer) bot.Observer {
	return func(ctx context.Context, o bot.Observation) {
		for _, tell := range list {
			tell(ctx, o)
		}
	}
}
