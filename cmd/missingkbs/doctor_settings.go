package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alecthomas/kong"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/bot"
	"github.com/missingkbs/missingkbs/internal/doctor"
	"github.com/missingkbs/missingkbs/internal/store"
)

// exam is what the checks look at, and what those learn that others need.
type exam struct {
	cmd     doctorCmd
	env     func(string) (string, bool)
	file    *configFile
	sources []source
	now     func() time.Time

	livePace time.Duration // between two messages of the live trial; 0: as Slack asks for

	mistakes   mistakes
	slack      bot.Config
	tables     bot.Tables
	groups     []string // user groups that are set
	defender   api.Options
	credential api.CredentialOptions
	database   string
	lookout    lookout
	digests    *digestFile
	ops        string // the operations channel; empty for none

	slackVisit, entraVisit atomic.Pointer[visit]
	installed              atomic.Pointer[bot.Installation]
	client                 atomic.Pointer[api.Client]
	signedIn               atomic.Pointer[api.TokenInfo]
	store                  atomic.Pointer[store.Store]
	ready                  atomic.Bool // the database is up to date
}

// newExam reads all settings as serve does, and goes on in spite of mistakes.
func newExam(c doctorCmd, s streams, sources []source, file *configFile) *exam {
	e := &exam{cmd: c, env: s.env, file: file, sources: sources, now: time.Now}
	m := &e.mistakes
	p := c.Serve.plan(m, s)
	e.slack, e.tables = p.slack, p.bot.Tables
	e.groups = slices.Concat(p.access.AskGroups, p.access.DigestGroups, p.access.AdminGroups)
	e.database, e.digests, e.lookout, e.ops = p.database, p.digests, p.lookout, p.opsChannel
	e.defender, e.credential = p.client, p.credential
	e.defender.Retry.MaxRetries, e.credential.Retry.MaxRetries = doctorRetries, doctorRetries
	c.Serve.Log.logger(m, io.Discard)
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
	return slices.ContainsFunc(e.mistakes.wrong, func(err error) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(err.Error(), name) })
	})
}

// configuration tells all mistakes in the settings, and where the settings come from.
func (e *exam) configuration(context.Context) []doctor.Finding {
	var all []doctor.Finding
	if err := e.file.broken; err != nil {
		all = append(all, unwell(err.Error(), "mend the file; what it would have set counts as unset here")...)
	}
	told := map[string]bool{}
	for _, err := range e.mistakes.wrong {
		if text := err.Error(); !told[text] {
			told[text] = true
			all = append(all, unwell(text, "mend it where it is set: flag, environment, or the file of --config")...)
		}
	}
	for _, text := range e.mistakes.unwise {
		if !told[text] {
			told[text] = true
			all = append(all, doubtful(text, "see there")...)
		}
	}
	if len(all) == 0 {
		return well(e.origins())
	}
	return append(all, doctor.Finding{Status: doctor.OK, Found: e.origins()})
}

// source is where a setting comes from.
type source struct{ name, from string }

// sourcesOf finds out where each setting of the command comes from. Values are not looked at.
func sourcesOf(parsed *kong.Context, file *configFile, env func(string) (string, bool)) []source {
	typed := map[*kong.Flag]bool{}
	for _, p := range parsed.Path {
		if p.Flag != nil && !p.Resolved {
			typed[p.Flag] = true
		}
	}
	var all []source
	for _, flag := range parsed.Flags() {
		if len(flag.Envs) > 0 {
			all = append(all, sourceOf(flag, typed[flag], file, env))
		}
	}
	slices.SortFunc(all, func(a, b source) int { return strings.Compare(a.name, b.name) })
	return all
}

func sourceOf(flag *kong.Flag, typed bool, file *configFile, env func(string) (string, bool)) source {
	names := slices.Clone(flag.Envs)
	if isSecret(flag) {
		names = append(names, flag.Envs[0]+fileSuffix)
	}
	if typed {
		return source{names[0], "flags"}
	}
	for _, name := range names {
		if v, ok := env(name); ok && (v != "" || flag.Tag.Has("blank")) {
			return source{name, "environment"}
		}
	}
	for _, name := range names {
		if _, ok := file.value(name); ok {
			return source{name, "file " + file.path}
		}
	}
	return source{names[0], "default"}
}

// origins names the settings by where they come from, but for those that have their default.
func (e *exam) origins() string {
	by := map[string][]string{}
	for _, s := range e.sources {
		by[s.from] = append(by[s.from], s.name)
	}
	var parts []string
	for _, from := range []string{"flags", "environment", "file " + e.file.path} {
		if names := by[from]; len(names) > 0 {
			parts = append(parts, from+": "+strings.Join(names, ", "))
		}
	}
	return strings.Join(append(parts, "default: all others"), "; ")
}
