package digest

import (
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Verdict is the conclusion of a digest, in words.
type Verdict string

// The verdicts. Good ones are only given if they hold for everything missing, whatever the filter shows.
const (
	ActionRequired Verdict = "Action required"  // updates are exploited or overdue or, if exploits are unknown, newly missing and fix CVEs
	WorthALook     Verdict = "Worth a look"     // it got worse otherwise, or updates are missing in the first digest
	NoChange       Verdict = "No change"        // the same number of updates and devices
	OnTrack        Verdict = "On track"         // fewer installs are open
	BelowFilter    Verdict = "Below the filter" // all missing updates are hidden by the filter
	Clean          Verdict = "Clean"            // nothing is missing
	CouldNotTell   Verdict = "Could not tell"   // too little was read for a good verdict
)

// Verdict judges a digest by its open installs and by new updates. It never returns a good verdict for a patch gap that
// was only partly read.
func (r Report) Verdict() Verdict {
	is, changes := r.gap(), r.changes()
	appeared := [][]patchgap.Change{changes.New, changes.Reopened, changes.Added}
	switch {
	case r.Advice.known():
		return r.advised()
	case r.Subscription.Filter.Exploited && len(is.All()) > 0:
		return CouldNotTell
	case !r.first() && fixCVEs(appeared), len(r.overdue(r.install())) > 0:
		return ActionRequired
	case r.first() && len(is.Shown) > 0 || count(appeared) > 0 || r.worse() || len(r.back()) > 0:
		return WorthALook
	case !r.After.Whole() || len(r.After.Software) == 0:
		return CouldNotTell
	case len(is.Shown)+len(is.Hidden) == 0:
		return Clean
	case changes.News():
		return OnTrack
	case len(is.Shown) == 0:
		return BelowFilter
	}
	return NoChange
}

// worse reports whether something changed without fewer open installs than before, among the shown updates or in total:
// in the latter case what the filter hides has grown. Unlisted updates were not installed, so they improve nothing.
func (r Report) worse() bool {
	if r.first() || !r.changes().News() {
		return false
	}
	was, is := r.gapBefore(), r.gap()
	shownBefore, shown := patchgap.Sum(was.Shown).Missing-unlisted(r.changes()), patchgap.Sum(is.Shown).Missing
	allBefore, all := patchgap.Sum(was.All()).Missing-unlisted(r.Changes), patchgap.Sum(is.All()).Missing
	return shown >= shownBefore || all > allBefore
}

// unlisted counts the open installs of unlisted updates.
func unlisted(c patchgap.Changes) int {
	n := 0
	for _, change := range c.Unlisted {
		n += change.Was.Devices
	}
	return n
}

// fixCVEs reports whether a changed update fixes a CVE.
func fixCVEs(lists [][]patchgap.Change) bool {
	for _, list := range lists {
		for _, c := range list {
			if c.Now.CVEs > 0 {
				return true
			}
		}
	}
	return false
}

func count(lists [][]patchgap.Change) int {
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	return n
}

// plural returns a number with its noun.
func plural(n int, noun string) string { return view.Count(n, noun) }

func plain(n int) string { return view.Thousands(n) }
