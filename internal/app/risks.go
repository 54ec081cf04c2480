package app

import (
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
)

// acceptedFor is how long pages take a list of accepted risks for current: another process may have changed it since.
const acceptedFor = 2 * time.Second

// risks returns the register of accepted risks, which are kept in a store.
func (a *App) risks(s risk.Store) *risk.Register {
	return &risk.Register{Tenant: digest.DefaultTenant, Store: s, Published: a.published, Now: a.Now, Log: a.Log, CacheFor: acceptedFor}
}

// published returns what the feeds say now.
func (a *App) published() risk.Advisories {
	if a.Advisories == nil {
		return published{}
	}
	return published{a.Advisories()}
}

// published is what the feeds say for accepted risks. Without a snapshot they say nothing.
type published struct{ *advisory.Snapshot }

// Listed is part of [risk.Advisories].
func (p published) Listed(kb string) []string {
	facts, _ := p.Update(kb)
	var ids []string
	for _, e := range facts.KEV {
		ids = append(ids, e.CVE)
	}
	slices.Sort(ids)
	return ids
}

// Contains is part of [risk.Advisories].
func (p published) Contains(newer, older patchgap.Row) bool {
	scope := advisory.Scope(newer.Software, newer.Line())
	folded := p.Fold([]advisory.Missing{{KB: older.KB, Name: older.Name, Scope: scope}, {KB: newer.KB, Name: newer.Name, Scope: scope}})
	return folded[0].In == 1
}
