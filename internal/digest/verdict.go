package digest

import (
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Verdict is what a digest comes down to, in words.
type Verdict string

// The verdicts. Those that sound good are said of all that is missing, whatever a filter leaves over.
const (
	ActionRequired Verdict = "Action required"  // updates are exploited or overdue; if no exploits are known: some that fix CVEs are missing that were not
	WorthALook     Verdict = "Worth a look"     // it got worse otherwise, or this is the first digest and updates are missing
	NoChange       Verdict = "No change"        // as many updates are missing on as many devices as before
	OnTrack        Verdict = "On track"         // fewer installs are open
	BelowFilter    Verdict = "Below the filter" // updates are missing, but none that passes the filter
	Clean          Verdict = "Clean"            // nothing is missing
	CouldNotTell   Verdict = "Could not tell"   // not enough was read to say one of the good things
)

// Verdict judges a digest by its open installs, and by what appeared. It never says anything good about a patch gap of
// which a part could not be read.
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

// worse reports whether something changed and no fewer installs are open than before, or more in all: then what the
// filter hides has grown. What is no longer listed was not installed, so it makes nothing better.
func (r Report) worse() bool {
	if r.first() || !r.changes().News() {
		return false
	}
	was, is := r.gapBefore(), r.gap()
	shownBefore, shown := patchgap.Sum(was.Shown).Missing-unlisted(r.changes()), patchgap.Sum(is.Shown).Missing
	allBefore, all := patchgap.Sum(was.All()).Missing-unlisted(r.Changes), patchgap.Sum(is.All()).Missing
	return shown >= shownBefore || all > allBefore
}

// unlisted are the open installs of what is no longer listed.
func unlisted(c patchgap.Changes) int {
	n := 0
	for _, change := range c.Unlisted {
		n += change.Was.Devices
	}
	return n
}

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

// plural counts in words.
func plural(n int, noun string) string { return view.Count(n, noun) }

func plain(n int) string { return view.Thousands(n) }
