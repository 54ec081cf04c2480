package digest

import (
	"slices"
	"time"
)

// Allowance says that an administrator lets things be posted into a channel that people of other organisations read.
type Allowance struct {
	Tenant  string
	Channel string
	Teams   []string // the organisations that read it then, as far as they were known: one that joins later is not meant
	By      string
	At      time.Time
}

// Covers reports whether all of the organisations that read a channel now are meant.
func (a Allowance) Covers(teams []string) bool {
	return !slices.ContainsFunc(teams, func(team string) bool { return !slices.Contains(a.Teams, team) })
}
