package digest

import "github.com/missingkbs/missingkbs/internal/view"

// Verdict is what a digest comes down to, in words.
type Verdict string

// The verdicts.
const (
	ActionRequired Verdict = "Action required" // updates that fix CVEs are missing that were not
	WorthALook     Verdict = "Worth a look"    // it got worse otherwise, or does not get better
	OnTrack        Verdict = "On track"        // it got better
	Clean          Verdict = "Clean"           // nothing is missing
	CouldNotTell   Verdict = "Could not tell"  // not enough was read to say one of the good things
)

// Verdict judges a digest. It never says anything good about a patch gap of which a part could not be read.
func (r Report) Verdict() Verdict {
	after, changes := r.After.Keep(r.Subscription.Filter), r.changes()
	appeared := [][]Change{changes.New, changes.Reopened, changes.Added}
	unsure := !r.After.whole() || len(r.After.Software) == 0
	switch {
	case !r.first() && fixCVEs(appeared):
		return ActionRequired
	case len(changes.Grew) > 0 || r.first() && len(after.Rows) > 0 || count(appeared) > 0:
		return WorthALook
	case unsure:
		return CouldNotTell
	case len(after.Rows) == 0:
		return Clean
	case len(changes.Shrank)+len(changes.Closed) > 0:
		return OnTrack
	}
	return WorthALook
}

func fixCVEs(lists [][]Change) bool {
	for _, list := range lists {
		for _, c := range list {
			if c.CVEs > 0 {
				return true
			}
		}
	}
	return false
}

func count(lists [][]Change) int {
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	return n
}

// plural counts in words.
func plural(n int, noun string) string { return view.Count(n, noun) }
