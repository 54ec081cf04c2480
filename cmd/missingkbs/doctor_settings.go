package main

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/store"
)

// exam is what the checks look at, and what those learn that others need.
type exam struct {
	cmd     doctorCmd
	env     func(string) (string, bool)
	file    *config.File
	origins []config.Origin
	now     func() time.Time

	livePace time.Duration // between two messages of the live trial; 0: as Slack asks for

	mistakes   config.Errors
	slack      bot.Config
	tables     bot.Tables
	groups     []string // user groups that are set
	defender   api.Options
	credential api.CredentialOptions
	database   string
	lookout    config.AdminAddress
	digests    *config.DigestFile
	ops        string // the operations channel; empty for none

	slackVisit, entraVisit atomic.Pointer[visit]
	installed              atomic.Pointer[bot.Installation]
	client                 atomic.Pointer[api.Client]
	signedIn               atomic.Pointer[api.TokenInfo]
	store                  atomic.Pointer[store.Store]
	ready                  atomic.Bool // the database is up to date
}

// newExam reads all settings as serve does, and goes on in spite of mistakes.
func newExam(c doctorCmd, s streams, origins []config.Origin, file *config.File) *exam {
	e := &exam{cmd: c, env: s.env, file: file, origins: origins, now: time.Now}
	m := &e.mistakes
	v := c.Serve.Settings.Read(m, s.env)
	e.slack, e.tables = v.Slack, v.Bot.Tables
	e.groups = slices.Concat(v.Access.AskGroups, v.Access.DigestGroups, v.Access.AdminGroups)
	e.database, e.digests, e.lookout, e.ops = v.DatabaseURL, v.Digests, v.Admin, v.AlertChannel
	e.defender, e.credential = v.Defender, v.Credential
	e.defender.Retry.MaxRetries, e.credential.Retry.MaxRetries = doctorRetries, doctorRetries
	return e
}

// close ends what the checks have opened.
func (e *exam) close() {
	if c := e.client.Load(); c != nil {
		c.Close()
	}
	if s := e.store.Load(); s != nil {
		_ = s.Close() // nothing was written
	}
}

// wrong reports whether a setting whose name begins so is mistaken, so that what depends on it cannot be looked at.
func (e *exam) wrong(names ...string) bool {
	return slices.ContainsFunc(e.mistakes.All(), func(err error) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(err.Error(), name) })
	})
}

// configuration tells all mistakes in the settings, and where the settings come from.
func (e *exam) configuration(context.Context) []doctor.Finding {
	var all []doctor.Finding
	if err := e.file.Err; err != nil {
		all = append(all, unwell(err.Error(), "mend the file; what it would have set counts as unset here")...)
	}
	told := map[string]bool{}
	for _, err := range e.mistakes.All() {
		if text := err.Error(); !told[text] {
			told[text] = true
			all = append(all, unwell(text, "mend it where it is set: flag, environment, or the file of --config")...)
		}
	}
	for _, text := range e.mistakes.Warnings() {
		if !told[text] {
			told[text] = true
			all = append(all, doubtful(text, "see there")...)
		}
	}
	if len(all) == 0 {
		return well(e.tellOrigins())
	}
	return append(all, doctor.Finding{Status: doctor.OK, Found: e.tellOrigins()})
}

// tellOrigins names the settings by where they come from, but for those that have their default.
func (e *exam) tellOrigins() string {
	by := map[string][]string{}
	for _, s := range e.origins {
		by[s.From] = append(by[s.From], s.Setting)
	}
	var parts []string
	for _, from := range []string{"flags", "environment", "file " + e.file.Path} {
		if names := by[from]; len(names) > 0 {
			parts = append(parts, from+": "+strings.Join(names, ", "))
		}
	}
	return strings.Join(append(parts, "default: all others"), "; ")
}
