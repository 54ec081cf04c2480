package main

import (
	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// quotaSettings are what becomes of questions when Defender's quota is used up.
type quotaSettings struct {
	StaleFor string `name:"stale-for" env:"MISSINGKBS_STALE_FOR" default:"168h" help:"How old an answer may be that is shown, with its age, when Defender cannot be asked; 0 shows none (${default})."`
}

// read puts the settings into those of the client.
func (s quotaSettings) read(m *mistakes, o *api.Options) {
	o.StaleFor = m.duration("MISSINGKBS_STALE_FOR", s.StaleFor, 0)
}

// sharedBudget returns the quota that all replicas on a database share, or nil where the database belongs to one process.
func sharedBudget(database *store.Store) api.Budget {
	if q := database.Quota(digest.DefaultTenant); q != nil {
		return q
	}
	return nil
}
