package commands

import (
	"strconv"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Option tells a command more than Defender knows.
type Option func(*known)

// WithAdvisories makes pages say what MSRC and CISA publish. The function returns the newest snapshot of that, and nil as
// long as there is none.
func WithAdvisories(snapshot func() *advisory.Snapshot) Option {
	return func(k *known) { k.snapshot = snapshot }
}

// known is what is known beside what Defender says. The zero value knows nothing.
type known struct {
	snapshot func() *advisory.Snapshot
}

func knownBy(opts []Option) known {
	var k known
	for _, o := range opts {
		o(&k)
	}
	return k
}

// advisories returns the newest snapshot, which may be nil.
func (k known) advisories() *advisory.Snapshot {
	if k.snapshot == nil {
		return nil
	}
	return k.snapshot()
}

// versionOf is what tells the pages of one snapshot from those of another.
func versionOf(s *advisory.Snapshot) string { return "\n" + strconv.FormatUint(s.Version(), 10) }

// list is what a page of missing updates shows: updates to install with what the feeds know of them, or Defender's rows.
type list struct {
	*triage.Triage
	gap patchgap.Gap // by the filter of the question
}

// newList judges updates and applies the filter of a question. Small updates are left out before the others are folded,
// so that none is contained in one that is not shown; updates that are not exploited are left out after, since an update
// that contains an exploited one counts as exploited.
func newList(s *advisory.Snapshot, q query, updates []patchgap.Update) list {
	gap := patchgap.Filter{MinDevices: q.minDevices, MinCVEs: q.minCVEs}.Gap(updates)
	l := list{triage.Of(s, gap.Shown), gap}
	if q.exploited && l.Known() {
		l.gap.Shown = nil
		for _, u := range gap.Shown {
			if l.Urgent(u) {
				l.gap.Shown = append(l.gap.Shown, u)
			} else {
				l.gap.Hidden = append(l.gap.Hidden, u)
			}
		}
		l.Keep(l.Urgent)
	}
	return l
}

// sort orders what is shown.
func (l list) sort(q query) {
	for _, updates := range [][]patchgap.Update{l.Install, l.Folded, l.gap.Shown} {
		sortUpdates(updates, q.sort)
		if q.sort == sortFirst {
			l.Sort(updates, q.allRows)
		}
	}
}

// lead says what is under attack, how much is missing and, where updates are folded, how many are to be installed.
func (l list) lead(q query) string {
	noData := ""
	if q.exploited && !l.Known() {
		noData = "Which updates fix vulnerabilities under attack is unknown: the bot has no data of CISA and MSRC. All are shown."
	}
	fold := ""
	if !q.allRows {
		fold = l.FoldWords()
	}
	return view.JoinSentences(noData, l.Words(), l.gap.Words("your filter", ""), fold)
}

// context says how the list is ordered and of when the data of the feeds is.
func (l list) context(s *advisory.Snapshot, q query, now time.Time) string {
	order := ""
	if l.Known() && q.sort == sortFirst && len(l.Install) > 1 {
		order = triage.ExploitedFirst
	}
	return view.JoinSentences(order, triage.Dates(s, now))
}
