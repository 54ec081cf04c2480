package access

import (
	"slices"
	"time"
)

// Allowance is an administrator's permission to post into a channel that people of other organisations read.
type Allowance struct {
	Tenant  string
	Channel string
	Teams   []string // organisations that read the channel at that time, as far as known; later ones are not covered
	By      string   // the administrator's user ID
	At      time.Time
}

// Covers reports whether the allowance covers all organisations that read the channel now.
func (a Allowance) Covers(teams []string) bool {
	return !slices.ContainsFunc(teams, func(team string) bool { return !slices.Contains(a.Teams, team) })
}
