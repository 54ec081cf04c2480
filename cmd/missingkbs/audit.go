package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/store"
	"github.com/missingkbs/missingkbs/internal/view"
)

// auditCmd prints the audit. It only reads the database.
type auditCmd struct {
	Since  string          `placeholder:"WHEN" help:"Only entries from this time on: a duration back from now (90m, 24h, 7d, 2w), a date, or a time such as 2026-08-25T09:00:00Z. Dates are UTC. By default all entries."`
	Until  string          `placeholder:"WHEN" help:"Only entries before this time."`
	Action []string        `placeholder:"ACTION" help:"Only these actions, such as share or digest.add; digest stands for all actions that begin with digest."`
	User   string          `placeholder:"ID" help:"Only entries of this person, by Slack id."`
	Store  config.Database `embed:"" group:"Digests"`
	Log    config.Log      `embed:"" group:"Log"`
}

// Run prints the entries as JSON lines, the oldest first. It prints each as soon as it is read.
func (c auditCmd) Run(ctx context.Context, s streams) error {
	var errs config.Errors
	c.Log.Level = cmp.Or(c.Log.Level, "warn")
	log := c.Log.Logger(&errs, s.err)
	filter := c.filter(&errs, time.Now())
	database, err := openReadOnly(ctx, c.Store, &errs, log, s.env)
	if err != nil {
		return err
	}
	defer database.Close()
	return writeAudits(ctx, s.out, database, filter)
}

// openReadOnly opens the database of the settings for a command that only reads. It fails if any setting is wrong.
func openReadOnly(ctx context.Context, s config.Database, errs *config.Errors, log *slog.Logger, env config.Environment) (*store.Store, error) {
	address, _ := s.Read(errs, env)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	errs.LogWarnings(log)
	return app.OpenReadOnly(ctx, address)
}

// auditLine is one line of the output. docs/audit.md documents the names, which never change. Every line has all of them.
type auditLine struct {
	At      string `json:"at"`
	Tenant  string `json:"tenant"`
	User    string `json:"user"`
	Team    string `json:"team"`
	Channel string `json:"channel"`
	Action  string `json:"action"`
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
	Result  string `json:"result"`
	Reason  string `json:"reason"`
	Request string `json:"request"`
	ID      string `json:"id"`
}

// auditTime has a fixed width, so that sorted lines are sorted by time.
const auditTime = "2006-01-02T15:04:05.000Z"

func newAuditLine(a audit.Entry) auditLine {
	return auditLine{
		At: a.At.UTC().Format(auditTime), Tenant: a.Tenant, User: a.User, Team: a.Team, Channel: a.Channel, Action: a.Action,
		Subject: a.Subject, Detail: a.Detail, Result: a.Result, Reason: a.Reason, Request: a.Request, ID: a.ID,
	}
}

// writeAudits prints entries as they are read, so that a large audit takes no memory.
func writeAudits(ctx context.Context, w io.Writer, database *store.Store, f store.AuditFilter) error {
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(view.EscapeJSON(out))
	lines.SetEscapeHTML(false)
	for a, err := range database.Audits(ctx, f) {
		if err == nil {
			err = lines.Encode(newAuditLine(a))
		}
		if err != nil {
			_ = out.Flush() // the entries so far are valid; the error says that some are missing
			return fmt.Errorf("export the audit: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export the audit: %w", err)
	}
	return nil
}
