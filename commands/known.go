package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/commands/cmdline"
	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/risk"
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

// Accepted tells which missing updates are accepted; *[risk.Register] has it.
type Accepted interface {
	Marks(ctx context.Context, rows []patchgap.Row) (risk.Marks, error)
}

// WithAccepted makes pages mark accepted updates.
func WithAccepted(a Accepted) Option {
	return func(k *known) { k.accepted = a }
}

// History tells when updates were first seen missing; *store.Store has it.
type History interface {
	FirstSeen(ctx context.Context, tenant, software string) (map[patchgap.Key]patchgap.Seen, error)
}

// WithHistory makes the page of an update say since when digests see it.
func WithHistory(h History) Option {
	return func(k *known) { k.history = h }
}

// WithAges makes pages tell the age and the deadline of updates. facts returns what is known for that of the updates of a
// software; it is called for each question.
func WithAges(facts func(ctx context.Context, software string) aging.Facts) Option {
	return func(k *known) { k.facts = facts }
}

// WithClock sets the clock by which pages tell the age of what is known; default [time.Now].
func WithClock(now func() time.Time) Option {
	return func(k *known) { k.clock = now }
}

// known is what is known beside what Defender says. The zero value knows nothing.
type known struct {
	snapshot func() *advisory.Snapshot
	accepted Accepted                                               // nil for none
	history  History                                                // nil for none
	facts    func(ctx context.Context, software string) aging.Facts // nil for none
	clock    func() time.Time                                       // nil for time.Now
}

func (k known) now() time.Time {
	if k.clock == nil {
		return time.Now()
	}
	return k.clock()
}

// maxJudged bounds the rows of one answer that are judged. A software lacks hundreds of updates, so many more are a fault
// whose judging would only take memory.
const maxJudged = 20_000

// within returns what is used for an answer of so many rows, and what to say below the page if that is nothing.
func (k known) within(rows int) (used known, note string) {
	if rows <= maxJudged {
		return k, ""
	}
	return known{clock: k.clock}, fmt.Sprintf("More than %s rows: the bot does not look up which are exploited, contained in others, overdue or accepted.", view.Thousands(maxJudged))
}

// marks returns what is accepted of rows, and what to say of it below a page.
func (k known) marks(ctx context.Context, rows []patchgap.Row) (m risk.Marks, note string) {
	if k.accepted == nil {
		return m, ""
	}
	m, err := k.accepted.Marks(ctx, rows)
	if err != nil {
		return risk.Marks{}, "The bot could not read now which updates are accepted."
	}
	return m, risk.PastWords(m.Past)
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
	gap     patchgap.Gap // by the filter of the question
	marks   risk.Marks
	accepts bool // updates can be accepted here
	ages    aging.List
	aged    bool // something is known of ages
}

// ages returns what is known of the age of the updates of some software; false if nothing can be.
func (k known) ages(ctx context.Context, software ...string) (f aging.Facts, known bool) {
	if k.facts == nil || len(software) == 0 {
		return f, false
	}
	f = k.facts(ctx, software[0])
	for _, id := range software[1:] {
		f = f.Join(k.facts(ctx, id))
	}
	return f, true
}

// age judges the age of the updates. One that contains others is as late as the latest of these.
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

// listed are the updates that are rows of the page.
func (l list) listed(q query) []patchgap.Update {
	if q.allRows {
		return l.gap.Shown
	}
	return l.Install
}

// rank is the order of updates before their lateness: exploited ones first, each row by itself where rows are shown.
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

// overdue reports whether any update is.
func (l list) overdue() bool { return l.ages.Words(l.gap.Shown) != "" }

// newList judges updates and applies the filter of a question. Small updates are left out before the others are folded,
// so that none is contained in one that is not shown; updates that are not exploited are left out after, since an update
// that contains an exploited one counts as exploited.
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

// sort orders what is shown as a question wants it.
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

// order puts each list in order.
func (l *list) order(sort func([]patchgap.Update)) {
	sort(l.Install)
	if len(l.Folded) == 0 {
		l.gap.Shown = l.Install
		return
	}
	sort(l.Folded)
	sort(l.gap.Shown)
}

// lead says what is under attack, how much is missing and, where updates are folded, how many are to be installed.
func (l list) lead(q query) string {
	fold := ""
	if !q.allRows {
		fold = l.FoldWords()
	}
	return view.JoinSentences(l.noData(q), l.Words(true), l.ages.Words(l.listed(q)), l.gap.Words("your filter", ""), sentence(l.marks.Words(l.gap.Shown)), fold)
}

// columns are those that the feeds and accepted risks add to a table.
func (l list) columns(shown []patchgap.Update, q query) []patchgap.Extra {
	extra := l.Columns(shown, q.allRows)
	if l.accepts {
		accepted := l.marks.Column(shown)
		accepted.Appended = true
		extra = append(extra, accepted)
	}
	if l.aged {
		extra = append(extra, l.ages.Columns(shown)...)
	}
	return extra
}

// noData says that the filter of a question cannot be applied.
func (l list) noData(q query) string {
	if !q.exploited || l.Known() {
		return ""
	}
	return "Which updates fix vulnerabilities under attack is unknown: the bot has no data of CISA and MSRC. All are shown."
}

// hiddenWords counts what the filter of a question hides; it is empty where it hides nothing.
func (l list) hiddenWords() string {
	if len(l.gap.Hidden) == 0 {
		return ""
	}
	return view.Thousands(len(l.gap.Hidden)) + " hidden by your filter."
}

// otherLabel is the label of the button that shows Defender's rows, or the updates to install where those are shown; it is
// empty where that makes no difference.
func (q query) otherLabel(l list) string {
	switch {
	case !patchgap.Several(l.gap.Shown) && len(l.Folded) == 0:
		return ""
	case q.allRows:
		return "Updates to install"
	}
	return "All rows as Defender gave them"
}

// context says how the list is ordered and of when the data of the feeds is.
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
	return view.JoinSentences(order, triage.Dates(s, now))
}

// sentence ends words that are not empty.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return words + "."
}

// acceptName is the command that accepts a risk; package riskcmd has it.
const acceptName = "accept"

// acceptedWords says of one update that it is accepted, by whom and why; "" if it is not.
func acceptedWords(m risk.Marks, u patchgap.Update) string {
	a, _, found := m.Of(u)
	if !found {
		return ""
	}
	return fmt.Sprintf("Accepted %s by %s: %s", m.Cell(u), a.By, sentence(strings.TrimRight(a.Reason, ".")))
}

// acceptAction offers to accept an update, or to look at the decision.
func (k known) acceptAction(m risk.Marks, u patchgap.Update) []view.Action {
	if k.accepted == nil || u.KB() == "" {
		return nil
	}
	if a, _, found := m.Of(u); found {
		return []view.Action{{Label: "Accepted risk", Command: cmdline.Join(acceptName, "show", a.ID)}}
	}
	return []view.Action{{Label: "Accept…", Command: cmdline.Join(acceptName, catalog.Label(u.KB()))}}
}
