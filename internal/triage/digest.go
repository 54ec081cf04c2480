package triage

import (
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Attacks reports by [patchgap.Update.ID] whether an update fixes an exploited vulnerability. Updates that no feed
// lists are missing from the map, and the map is nil without feeds.
func Attacks(s *advisory.Snapshot, lists ...[]patchgap.Update) map[string]bool {
	if s == nil {
		return nil
	}
	attacks := map[string]bool{}
	for _, updates := range lists {
		for _, u := range updates {
			if facts, ok := s.Update(u.KB()); ok {
				attacks[u.ID()] = facts.Exploited()
			}
		}
	}
	return attacks
}

// Parts returns the updates to install, and those that others contain completely.
func (t *Triage) Parts() (install, folded []patchgap.Update) { return t.Install, t.Folded }

// Inside returns the updates that u contains, at least in part.
func (t *Triage) Inside(u patchgap.Update) []patchgap.Update {
	var inside []patchgap.Update
	for _, f := range t.Finding(u).Contains {
		inside = append(inside, f.Update)
	}
	return inside
}

// ContainedIn names the update that contains u completely; "" if there is none.
func (t *Triage) ContainedIn(u patchgap.Update) string {
	f := t.Finding(u)
	if !f.Whole {
		return ""
	}
	return inWords(f.In)
}

// In returns the index of the listed row whose update contains the update of a row that is gone, or -1. All rows must
// be of one software and line of builds.
func In(s *advisory.Snapshot, gone patchgap.Row, listed []patchgap.Row) int {
	scope := advisory.Scope(gone.Software, gone.Line())
	missing := []advisory.Missing{{KB: gone.KB, Name: gone.Name, Scope: scope}}
	for _, r := range listed {
		missing = append(missing, advisory.Missing{KB: r.KB, Name: r.Name, Scope: scope})
	}
	return s.Fold(missing)[0].In - 1
}
