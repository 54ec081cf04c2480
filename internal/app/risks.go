package app

import (
	"fmt"
	"slices"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/digest/between"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/triage"
)

// acceptedFor is how long pages use a cached list of accepted risks: another replica may have changed it since.
const acceptedFor = 2 * time.Second

// risks returns the register of accepted risks over a store.
func (a *App) risks(s risk.Store) *risk.Register {
	return &risk.Register{Tenant: digest.DefaultTenant, Store: s, Published: a.published, Now: a.Now, Log: a.Log, CacheFor: acceptedFor}
}

// published returns the current feeds.
func (a *App) published() risk.Advisories { return a.feeds() }

func (a *App) feeds() published {
	if a.Advisories == nil {
		return published{}
	}
	return published{a.Advisories()}
}

// published adapts the feeds for accepted risks and for alerts between digests. Without a snapshot it knows nothing.
type published struct{ *advisory.Snapshot }

// Listed implements [risk.Advisories].
func (p published) Listed(kb string) []string {
	facts, _ := p.Update(kb)
	var ids []string
	for _, e := range facts.KEV {
		ids = append(ids, e.CVE)
	}
	slices.Sort(ids)
	return ids
}

// Contains implements [risk.Advisories].
func (p published) Contains(newer, older patchgap.Row) bool {
	scope := advisory.Scope(newer.Software, newer.Line())
	folded := p.Fold([]advisory.Missing{{KB: older.KB, Name: older.Name, Scope: scope}, {KB: newer.KB, Name: newer.Name, Scope: scope}})
	return folded[0].In == 1
}

// Containing implements [between.Published].
func (p published) Containing(updates []patchgap.Update) map[string]string {
	t := triage.Of(p.Snapshot, updates)
	in := map[string]string{}
	for _, u := range t.Folded {
		in[u.ID()] = t.ContainedIn(u)
	}
	return in
}

// Ready implements [between.Published].
func (p published) Ready() bool {
	updates, exploited := p.Len()
	return updates+exploited > 0
}

// Exploited implements [between.Published].
func (p published) Exploited(kb string) (between.Exploit, bool) {
	facts, _ := p.Update(kb)
	switch {
	case len(facts.KEV) > 0:
		return between.Exploit{By: "CISA", CVEs: p.Listed(kb), Due: facts.KEV[0].Due}, true
	case len(facts.MSRC) > 0:
		return between.Exploit{By: "MSRC", CVEs: facts.MSRC}, true
	}
	return between.Exploit{}, false
}

// FeedEdition identifies the content of the feeds, equally in all replicas; "" for none. Subscriptions are checked once
// per edition.
func FeedEdition(s *advisory.Snapshot) string {
	updates, exploited := s.Len()
	if updates+exploited == 0 {
		return ""
	}
	return fmt.Sprintf("feeds/%d/%d/%d/%d", s.KEV.Unix(), s.MSRC.Unix(), updates, exploited)
}
