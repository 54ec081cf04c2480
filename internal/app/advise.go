package app

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
)

// advise returns what digests ask about updates: what MSRC and CISA publish about those missing now and before. Without
// feeds, updates fold by the months in their names.
func advise(feeds func() *advisory.Snapshot, now func() time.Time) func(is, was []patchgap.Update) digest.Advice {
	return func(is, was []patchgap.Update) digest.Advice {
		var known *advisory.Snapshot
		if feeds != nil {
			known = feeds()
		}
		a := digest.Advice{Fold: func(shown []patchgap.Update) digest.Folding { return triage.Of(known, shown) }}
		if known == nil {
			return a
		}
		a.Exploited, a.Dates = triage.Attacks(known, is, was), triage.Dates(known, now())
		a.In = func(gone patchgap.Row, listed []patchgap.Row) int { return triage.In(known, gone, listed) }
		return a
	}
}
