package commands

import (
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
	"github.com/missingkbs/missingkbs/internal/triage"
	"github.com/missingkbs/missingkbs/internal/view"
)

// list is the content of a page of missing updates: the updates to install with what the feeds say, or Defender's rows.
type list struct {
	*triage.Triage
	gap     patchgap.Gap // filtered by the question
	marks   risk.Marks
	accepts bool // whether updates can be accepted here
	ages    aging.List
	aged    bool // whether any age is known
}

// age sets the age of the updates. An update that contains others is as late as the latest of them.
func (l *list) age(f aging.Facts, q query) {
	contains := func(u patchgap.Update) (all []patchgap.Update) {
		for _, f := range l.Finding(u).Contains {
			all = append(all, f.Update)
		}
		return all
	}
	if q.allRows {
		contains = nil
	}
	l.ages, l.aged = f.Of(l.gap.Shown, contains), true
}

// listed returns the updates that are rows of the page.
func (l list) listed(q query) []patchgap.Update {
	if q.allRows {
		return l.gap.Shown
	}
	return l.Install
}

// rank returns the order that precedes lateness: exploited first. Where Defender's rows are shown, each counts alone.
func (l list) rank(q query) func(patchgap.Update) int {
	if !q.allRows {
		return l.Rank
	}
	return func(u patchgap.Update) int {
		if l.Finding(u).State().Exploited() {
			return 0
		}
		return 1
	}
}

// overdue reports whether any update is overdue.
func (l list) overdue() bool { return l.ages.Words(l.gap.Shown) != "" }

// newList triages updates and applies the question's filter. Small updates are dropped before folding, so that no
// update is folded into a hidden one. Updates that are not exploited are dropped after it, because an update that
// contains an exploited one counts as exploited.
func newList(s *advisory.Snapshot, q query, updates []patchgap.Update) list {
	gap := patchgap.Filter{MinDevices: q.minDevices, MinCVEs: q.minCVEs}.Gap(updates)
	l := list{gap: gap}
	if len(updates) > maxJudged {
		l.Triage = triage.None(gap.Shown)
	} else {
		l.Triage = triage.Of(s, gap.Shown)
	}
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

// sort sorts the shown updates in the question's order.
func (l *list) sort(q query) {
	l.order(func(updates []patchgap.Update) {
		sortUpdates(updates, q.sort)
		if q.sort == sortFirst {
			l.Sort(updates, q.allRows)
			if l.overdue() {
				l.ages.Sort(updates, l.rank(q))
			}
		}
	})
}

// order applies a sort to each list.
func (l *list) order(sort func([]patchgap.Update)) {
	sort(l.Install)
	if len(l.Folded) == 0 {
		l.gap.Shown = l.Install
		return
	}
	sort(l.Folded)
	sort(l.gap.Shown)
}

// lead sums up what is exploited, how much is missing and, if updates fold, how many to install.
func (l list) lead(q query) string {
	fold := ""
	if !q.allRows {
		fold = l.FoldWords()
	}
	return view.JoinSentences(l.noData(q), l.Words(true), l.ages.Words(l.listed(q)), l.gap.Words("your filter", ""), sentence(l.marks.Words(l.gap.Shown)), fold)
}

// columns returns the columns that feeds and accepted risks add to a table.
func (l list) columns(shown []patchgap.Update, q query) []patchgap.Extra {
	extra := l.Columns(shown, q.allRows)
	if l.accepts {
		inside := func(u patchgap.Update) (exploited []patchgap.Update) {
			if q.allRows {
				return nil // each row tells its own
			}
			for _, f := range l.Left(u, l.marks.Covers) {
				exploited = append(exploited, f.Update)
			}
			return exploited
		}
		accepted := l.marks.Column(shown, inside)
		accepted.Appended = true
		extra = append(extra, accepted)
	}
	if l.aged {
		extra = append(extra, l.ages.Columns(shown)...)
	}
	return extra
}

// noData is the note if the question's filter cannot be applied.
func (l list) noData(q query) string {
	if !q.exploited || l.Known() {
		return ""
	}
	return "Which updates fix vulnerabilities under attack is unknown: the bot has no data of CISA and MSRC. All are shown."
}

// hiddenWords counts what the question's filter hides; "" for nothing.
func (l list) hiddenWords() string {
	if len(l.gap.Hidden) == 0 {
		return ""
	}
	return view.Thousands(len(l.gap.Hidden)) + " hidden by your filter."
}

// otherLabel returns the label of the button that switches between Defender's rows and the updates to install; "" if
// they do not differ.
func (q query) otherLabel(l list) string {
	switch {
	case !patchgap.Several(l.gap.Shown) && len(l.Folded) == 0:
		return ""
	case q.allRows:
		return "Updates to install"
	}
	return "All rows as Defender gave them"
}

// context describes the order of the list and how recent the feeds are.
func (l list) context(s *advisory.Snapshot, q query, now time.Time) string {
	order := ""
	switch first := q.sort == sortFirst && len(l.Install) > 1; {
	case first && l.Known() && l.overdue():
		order = "Exploited first, then the most overdue."
	case first && l.overdue():
		order = "The most overdue first."
	case first && l.Known():
		order = triage.ExploitedFirst
	}
	only := ""
	if q.exploited && l.Known() && len(l.Install) > 0 {
		only = "Only exploited updates are shown, and those that contain one or are contained in one."
	}
	return view.JoinSentences(only, order, triage.Dates(s, now))
}

// sentence adds a full stop to words, unless they are empty.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return words + "."
}
