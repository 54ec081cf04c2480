package main

import (
	"github.com/missingkbs/missingkbs/api"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/store"
)

// sharedBudget returns the quota that all replicas on a database share, or nil where the database belongs to one process.
func sharedBudget(database *store.Store) api.Budget {
	if q := database.Quota(digest.DefaultTenant); q != nil {
		return q
	}
	return nil
}
