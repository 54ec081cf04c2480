package doctor

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/manifest"
	"github.com/missingkbs/missingkbs/internal/store"
)

const (
	// runTimeout bounds all checks together.
	runTimeout = 30 * time.Second
	// reachTimeout bounds the first request to a host. Checks that ask the host more come after it.
	reachTimeout = 8 * time.Second
	// maxRetries bounds the retries of a failed call to Defender or Entra. With the retries of a question, a check would time
	// out before it could report the failure.
	maxRetries = 1
)

// Options are what the checks need to know.
type Options struct {
	Settings    config.Settings // as serve would have them
	Env         config.Environment
	File        *config.File
	Origins     []config.Origin // of the settings
	ConfigToken config.Secret   // of Slack, to read the app's manifest; optional
	Parts       config.AppParts // what the Slack app was made without
	Version     string          // of the program, for reports of the live checks

	LiveInterval time.Duration // between two live messages; 0 means as Slack asks for, negative none
}

// Checker runs the checks of the program. It holds what they need and what some of them learn for others.
type Checker struct {
	Options
	errors  config.Errors
	values  config.Values
	without []manifest.Part
	groups  []string // all user groups in the settings
	now     func() time.Time

	slackHost, entraHost atomic.Pointer[response]
	installed            atomic.Pointer[installation]
	client               atomic.Pointer[api.Client]
	token                atomic.Pointer[api.TokenInfo]
	store                atomic.Pointer[store.Store]
	ready                atomic.Bool // the database is up to date

	learned learned
}

// New reads the settings as serve does, but continues after errors. Call [Checker.Close] at the end.
func New(o Options) *Checker {
	c := &Checker{Options: o, now: time.Now}
	c.values = o.Settings.Read(&c.errors, o.Env)
	c.without = o.Parts.Read(&c.errors)
	a := c.values.Access
	c.groups = slices.Concat(a.AskGroups, a.DigestGroups, a.AcceptGroups, a.AdminGroups)
	c.values.Defender.Retry.MaxRetries, c.values.Credential.Retry.MaxRetries = maxRetries, maxRetries
	return c
}

// Close closes what the checks opened.
func (c *Checker) Close() {
	if client := c.client.Load(); client != nil {
		client.Close()
	}
	if s := c.store.Load(); s != nil {
		_ = s.Close() // it was only read
	}
}

// Run runs all checks. Offline leaves out those that call Slack, Entra or Defender. The checks change nothing.
func (c *Checker) Run(ctx context.Context, offline bool) Report {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	return Run(ctx, c.checks(offline))
}

// RunSome runs the checks with these names, and those whose results they need.
func (c *Checker) RunSome(ctx context.Context, names ...string) Report {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	var some []*Check
	var add func(check *Check)
	add = func(check *Check) {
		for _, before := range check.After {
			add(before)
		}
		if !slices.Contains(some, check) {
			some = append(some, check)
		}
	}
	for _, check := range c.checks(false) {
		if slices.Contains(names, check.Name) {
			add(check)
		}
	}
	return Run(ctx, some)
}

// checks returns the checks in the order of the report.
func (c *Checker) checks(offline bool) []*Check {
	list := []*Check{
		{Name: "configuration", Run: c.configuration},
		{Name: "proxy", Run: c.proxies},
	}
	database := c.databaseChecks()
	stored := &Check{Name: "feeds", Run: c.feedsStored, After: database[:1]}
	if offline {
		return append(append(list, stored), database...)
	}
	slackHost := &Check{Name: "slack-reached", Run: c.slackReached, Timeout: reachTimeout}
	entraHost := &Check{Name: "entra-reached", Run: c.entraReached, Timeout: reachTimeout}
	list = append(list, slackHost, entraHost, &Check{Name: "clock", Run: c.clock, After: []*Check{slackHost, entraHost}})
	ofSlack := c.slackChecks(slackHost)
	list = append(list, ofSlack...)
	list = append(list, &Check{Name: "slack-channels", Run: c.channels, After: []*Check{ofSlack[0], database[0]}})
	list = append(list, c.defenderChecks(entraHost)...)
	list = append(list, &Check{Name: "webhook", Run: c.webhook}, &Check{Name: "feeds-reached", Run: c.feedsReached}, stored)
	return append(list, database...)
}

// hasError returns true if a setting whose name begins with one of names has an error. Checks that need it are skipped.
func (c *Checker) hasError(names ...string) bool {
	return slices.ContainsFunc(c.errors.All(), func(err error) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(err.Error(), name) })
	})
}

// configuration reports all errors in the settings, and where the settings come from.
func (c *Checker) configuration(context.Context) []Finding {
	var all []Finding
	if err := c.File.Err; err != nil {
		all = append(all, fail(err.Error(), "correct the file; its settings count as not set here")...)
	}
	reported := map[string]bool{}
	for _, err := range c.errors.All() {
		if text := err.Error(); !reported[text] {
			reported[text] = true
			all = append(all, fail(text, "correct it where it is set: flag, environment, or the file of --config")...)
		}
	}
	for _, text := range c.errors.Warnings() {
		if !reported[text] {
			reported[text] = true
			all = append(all, warn(text, "correct it where it is set")...)
		}
	}
	if len(all) == 0 {
		return pass(c.originsText())
	}
	return append(all, Finding{Status: OK, Found: c.originsText()})
}

// originsText lists the settings by their origin. Those with their default are left out.
func (c *Checker) originsText() string {
	by := map[string][]string{}
	for _, o := range c.Origins {
		by[o.From] = append(by[o.From], o.Setting)
	}
	var parts []string
	for _, from := range []string{"flags", "environment", "file " + c.File.Path} {
		if names := by[from]; len(names) > 0 {
			parts = append(parts, from+": "+strings.Join(names, ", "))
		}
	}
	return strings.Join(append(parts, "default: all others"), "; ")
}

// newFinding returns one finding, as checks return findings.
func newFinding(s Status, found, cure string) []Finding {
	return []Finding{{Status: s, Found: found, Cure: cure}}
}

func pass(found string) []Finding       { return newFinding(OK, found, "") }
func skip(found string) []Finding       { return newFinding(Skip, found, "") }
func warn(found, cure string) []Finding { return newFinding(Warn, found, cure) }
func fail(found, cure string) []Finding { return newFinding(Fail, found, cure) }
