package main

import (
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/config"
)

func TestAuditCommandReadsTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 25, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Time{
		"":                          {},
		"90m":                       now.Add(-90 * time.Minute),
		"24h":                       now.AddDate(0, 0, -1),
		"7d":                        now.AddDate(0, 0, -7),
		"2w":                        now.AddDate(0, 0, -14),
		"2026-08-01":                time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC),
		"2026-08-01T09:30":          time.Date(2026, 8, 1, 9, 30, 0, 0, time.UTC),
		"2026-08-01T09:30:00+02:00": time.Date(2026, 8, 1, 7, 30, 0, 0, time.UTC),
	} {
		var m config.Errors
		if got := readTime(&m, "--since", value, now); !got.Equal(want) || m.Err() != nil {
			t.Errorf("%q: got %v, %v; want %v", value, got, m.Err(), want)
		}
	}
	for _, value := range []string{"yesterday", "-1h", "7", "99999999d", "2026-13-01"} {
		var m config.Errors
		if readTime(&m, "--since", value, now); m.Err() == nil {
			t.Errorf("%q is taken", value)
		}
	}
}

// What no entry can match is refused, with what is allowed, instead of an empty export.
func TestAuditRefusesWhatMatchesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 25, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		flags auditCmd
		want  string // "" if it is taken
	}{
		"nothing":            {auditCmd{}, ""},
		"an action":          {auditCmd{Action: []string{"share", "digest.add"}}, ""},
		"a family":           {auditCmd{Action: []string{"digest", "accept", "admin", "audit"}}, ""},
		"refused alone":      {auditCmd{Action: []string{"admin.who", "admin.list", "digest.edit", "accept.request"}}, ""},
		"typing error":       {auditCmd{Action: []string{"shrae"}}, `"shrae" is no action. Did you mean share?`},
		"another form":       {auditCmd{Action: []string{"DIGEST.ADD"}}, "Did you mean digest.add?"},
		"a command":          {auditCmd{Action: []string{"digest add"}}, "Did you mean digest.add?"},
		"no action":          {auditCmd{Action: []string{"frobnicate"}}, "There are: accept, accept.approve"},
		"nothing in a list":  {auditCmd{Action: []string{"share", ""}}, `"" is no action`},
		"a question":         {auditCmd{Action: []string{"digest.list"}}, "is no action"},
		"a person":           {auditCmd{User: "U024BE7LH"}, ""},
		"a person of a grid": {auditCmd{User: "W024BE7LH"}, ""},
		"a name":             {auditCmd{User: "anna"}, "--user takes the id of a person"},
		"a mention":          {auditCmd{User: "<@U024BE7LH>"}, "--user takes the id of a person"},
		"a channel":          {auditCmd{User: "C024BE7LH"}, "--user takes the id of a person"},
		"small letters":      {auditCmd{User: "u024be7lh"}, "--user takes the id of a person"},
		"a time to come":     {auditCmd{Since: "2026-08-26"}, "--since is a time to come: it is 2026-08-25T12:00Z now"},
		"no time at all":     {auditCmd{Since: "0"}, "--since takes a time back from now"},
		"the wrong order":    {auditCmd{Since: "1h", Until: "2h"}, "--until takes a time after that of --since"},
		"until a later time": {auditCmd{Until: "2027-01-01"}, ""},
	} {
		var m config.Errors
		c.flags.filter(&m, now)
		if err := m.Err(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
