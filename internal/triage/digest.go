package triage

import (
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Attacks tells of updates whether they fix a vulnerability under attack, by [patchgap.Update.ID]. Those that no feed lists
// are not in it; it is nil without data.
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

// Parts are the updates to install, and those that others contain wholly.
func (t *Triage) Parts() (install, folded []patchgap.Update) { return t.Install, t.Folded }

// Inside are the updates that one contains, at least in part.
func (t *Triage) Inside(u patchgap.Update) []patchgap.Update {
	var inside []patchgap.Update
	for _, f := range t.Finding(u).Contains {
		inside = append(inside, f.Update)
	}
	return inside
}

// ContainedIn names what contains an update wholly; "" if nothing does.
func (t *Triage) ContainedIn(u patchgap.Update) string {
	f := t.Finding(u)
	if !f.Whole {
		return ""
	}
	return inWords(f.In)
}

// In returns the listed row whose update contains that of a row that is gone, or -1. All are of one software and line of
// builds.
func In(s *advisory.Snapshot, gone patchgap.Row, listed []patchgap.Row) int {
	scope := advisory.Scope(gone.Software, gone.Line())
	missing := []advisory.Missing{{KB: gone.KB, Name: gone.Name, Scope: scope}}
	for _, r := range listed {
		missing = append(missing, advisory.Missing{KB: r.KB, Name: r.Name, Scope: scope})
	}
	return s.Fold(missing)[0].In - 1
}
