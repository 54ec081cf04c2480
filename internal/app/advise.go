package app

import (
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
)

// advise tells digests what MSRC and CISA publish of the updates that are missing now and of those that were.
func (a *App) advise(is, was []patchgap.Update) digest.Advice {
	if a.Advisories == nil {
		return digest.Advice{}
	}
	feeds := a.Advisories()
	if feeds == nil {
		return digest.Advice{}
	}
	t := triage.Of(feeds, is)
	return digest.Advice{
		Exploited: triage.Attacks(feeds, is, was),
		Dates:     triage.Dates(feeds, a.Now()),
		Columns:   func(shown []patchgap.Update) []patchgap.Extra { return t.Columns(shown, true) },
		In:        func(gone patchgap.Row, listed []patchgap.Row) int { return triage.In(feeds, gone, listed) },
	}
}
