package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands"
	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/commands/digestcmd"
	"github.com/missingkbs/missingkbs/commands/search"
	"github.com/missingkbs/missingkbs/internal/access"
	"github.com/missingkbs/missingkbs/internal/app"
	"github.com/missingkbs/missingkbs/internal/audit"
	"github.com/missingkbs/missingkbs/internal/config"
	"github.com/missingkbs/missingkbs/internal/store"
)

// filter reads the flags. What no entry can match is an error: an empty export looks like an answer.
func (c auditCmd) filter(errs *config.Errors, now time.Time) store.AuditFilter {
	f := store.AuditFilter{Since: readTime(errs, "--since", c.Since, now), Until: readTime(errs, "--until", c.Until, now), User: c.User, Actions: c.Action}
	switch {
	case f.Since.After(now):
		errs.Add("--since", "is a time to come: it is %s now", now.UTC().Format("2006-01-02T15:04Z"))
	case !f.Until.IsZero() && !f.Since.Before(f.Until):
		errs.Add("--until", "takes a time after that of --since")
	}
	if c.User != "" && !config.IsSlackID(c.User, "UW") {
		errs.Add("--user", "takes the id of a person, such as U024BE7LH (in Slack: the profile, then More, Copy member ID)")
	}
	checkActions(errs, c.Action)
	return f
}

// checkActions adds an error for each word that stands for no action.
func checkActions(errs *config.Errors, given []string) {
	if len(given) == 0 {
		return
	}
	all := withFamilies(auditActions())
	for _, word := range given {
		if slices.Contains(all, word) {
			continue
		}
		if near := cmdline.Closest(strings.ToLower(word), all); near != "" {
			errs.Add("--action", "%q is no action. Did you mean %s?", word, near)
			continue
		}
		errs.Add("--action", "%q is no action. There are: %s", word, strings.Join(all, ", "))
	}
}

// auditActions returns the actions that entries can have: those that were done, and those that can be refused, which commands
// name.
func auditActions() []string {
	all := audit.Actions()
	router, err := app.NewRouter(nil, &search.Index{}, nil,
		append(app.Patching{}.Commands(), digestcmd.New(nil, digestcmd.Options{}), commands.Home(nil, nil, commands.HomeOptions{}), adminInSlack())...)
	if err != nil {
		return all // a test fails
	}
	for _, c := range router.Commands() {
		if c.Needs != "" && c.Needs != access.Ask {
			all = append(all, c.Name)
		}
		for _, s := range c.Subs {
			if c.Needs != "" || s.Needs != "" && s.Needs != access.Ask {
				all = append(all, c.Name+"."+s.Name)
			}
		}
	}
	return all
}

// withFamilies adds the words that stand for all actions that begin with them, and sorts all.
func withFamilies(actions []string) []string {
	all := slices.Clone(actions)
	for _, a := range actions {
		if family, _, ok := strings.Cut(a, "."); ok {
			all = append(all, family)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// readTime reads a time, or a duration back from now. An empty value is the zero time.
func readTime(errs *config.Errors, flag, value string, now time.Time) time.Time {
	if value == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			return t
		}
	}
	if back, err := readDuration(value); err == nil && back > 0 {
		return now.Add(-back)
	}
	errs.Add(flag, "takes a time back from now, such as 24h, 7d or 2w, a date such as 2026-08-25, or a time such as 2026-08-25T09:00:00Z")
	return time.Time{}
}

// readDuration reads a duration, which may be in days or weeks.
func readDuration(value string) (time.Duration, error) {
	for unit, hours := range map[string]int{"d": 24, "w": 7 * 24} {
		if number, ok := strings.CutSuffix(value, unit); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil || n > config.MaxDays {
				return 0, strconv.ErrRange
			}
			return time.Duration(n) * time.Duration(hours) * time.Hour, nil
		}
	}
	return time.ParseDuration(value)
}
