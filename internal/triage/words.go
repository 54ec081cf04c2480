package triage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Feeds older than this are called old: CISA updates its list on most working days, MSRC publishes monthly.
const (
	oldKEV  = 3 * 24 * time.Hour
	oldMSRC = 35 * 24 * time.Hour
)

// ExploitedFirst describes the order of a list that [Triage.Sort] has sorted.
const ExploitedFirst = "Exploited first."

// Words returns a sentence on how many updates fix exploited vulnerabilities, and for how many that is unknown; ""
// without feeds or updates. A page about one device sets devices to false.
func (t *Triage) Words(devices bool) string {
	words := ""
	if t.Known() {
		words = patchgap.AttackWords(t.all, t.Attack, devices)
	}
	if words == "" {
		return ""
	}
	return words + "."
}

// Attack converts the state of an update alone to package patchgap's type.
func (t *Triage) Attack(u patchgap.Update) patchgap.Attack {
	switch state := t.Finding(u).State(); {
	case state.Exploited():
		return patchgap.Attacked
	case state == No:
		return patchgap.NotAttacked
	}
	return patchgap.AttackUnknown
}

// FoldWords returns a sentence on how many of Defender's rows fold into how many updates to install; "" if nothing
// folds.
func (t *Triage) FoldWords() string {
	if len(t.Folded) == 0 {
		return ""
	}
	rows := 0
	for _, u := range slices.Concat(t.Install, t.Folded) {
		rows += len(u.Rows)
	}
	words := fmt.Sprintf("%s from Defender = %s to install", view.Count(rows, "row"), view.Count(len(t.Install), "update"))
	if t.assumed() {
		words += ", assumed where no feed says so: the newest month contains the older ones"
	}
	return words + "."
}

func (t *Triage) assumed() bool {
	for _, c := range t.rows {
		if c.Why == advisory.Assumed {
			return true
		}
	}
	return false
}

// Dates returns a sentence on how recent the feeds are, and whether they are old; "" without feeds.
func Dates(s *advisory.Snapshot, now time.Time) string {
	if s == nil {
		return ""
	}
	kev, msrc := "no KEV list", "no documents of MSRC"
	if !s.KEV.IsZero() {
		kev = "KEV of " + day(s.KEV, now)
	}
	if s.LastMonth != "" {
		msrc = "MSRC to " + s.LastMonth
	}
	return view.JoinSentences(view.UpperFirst(kev+", "+msrc+"."), Old(s, now))
}

// Edition identifies what [Dates] says of one snapshot, for cache keys: it costs less than the sentence. It changes at least once
// a day; "" without feeds.
func Edition(s *advisory.Snapshot, now time.Time) string {
	if s == nil {
		return ""
	}
	key := strconv.AppendInt(make([]byte, 0, 32), int64(now.Year()), 10)
	for _, age := range []struct{ now, most time.Duration }{{now.Sub(s.KEV), oldKEV}, {now.Sub(s.MSRC), oldMSRC}} {
		key = append(strconv.AppendInt(append(key, ' '), int64(age.now/(24*time.Hour)), 10), ' ')
		key = strconv.AppendBool(key, age.now > age.most)
	}
	return string(key)
}

// Old returns a warning if the feeds are old; "" otherwise.
func Old(s *advisory.Snapshot, now time.Time) string {
	if s == nil {
		return ""
	}
	var old []string
	if !s.KEV.IsZero() {
		if age := now.Sub(s.KEV); age > oldKEV {
			old = append(old, fmt.Sprintf("The KEV list is %s old, so newer entries are not in it.", view.Count(int(age.Hours()/24), "day")))
		}
	}
	if s.LastMonth != "" {
		if age := now.Sub(s.MSRC); age > oldMSRC {
			old = append(old, fmt.Sprintf("MSRC's documents are %s old, so newer updates are unknown.", view.Count(int(age.Hours()/24), "day")))
		}
	}
	return strings.Join(old, " ")
}

// day formats a day, with its year if that differs from now's.
func day(at, now time.Time) string {
	if at.Year() == now.Year() {
		return at.Format("2 Jan")
	}
	return at.Format("2 Jan 2006")
}

// stateWords formats the state: "KEV, due 30 Sep", "MSRC", "no" or "unknown". A due date shows its year if that differs
// from the list's.
func (f *Finding) stateWords(listed time.Time) string {
	state := f.State()
	if state == KEV && !f.Facts.KEV[0].Due.IsZero() {
		return string(KEV) + ", due " + day(f.Facts.KEV[0].Due, listed)
	}
	return string(state)
}

// ExploitedWords returns the "Exploited" cell of an update; listed is the date of CISA's list. If only an update it
// contains is exploited, the text names that one, unless alone is set.
func (f *Finding) ExploitedWords(alone bool, listed time.Time) string {
	if worst := f.Worst(); !alone && worst != f && worst.State().Exploited() {
		return worst.stateWords(listed) + " (" + catalog.Label(worst.KB()) + ")"
	}
	return f.stateWords(listed)
}

// Columns with facts from the feeds. Files always have all of them.
const (
	exploitedKey = "exploited"
	severityKey  = "severity"
	inKey        = "contained_in"
	whyKey       = "why"
	dueKey       = "kev_due"
	releasedKey  = "released"
	containsKey  = "contains"
)

// Columns returns the columns with facts from the feeds. If alone is set, each row stands for itself, as in a list of
// Defender's rows; otherwise an update takes over the state and severity of what it contains. Columns without content
// are hidden from people.
func (t *Triage) Columns(shown []patchgap.Update, alone bool) []patchgap.Extra {
	columns := []patchgap.Extra{
		t.text(exploitedKey, "Exploited", !t.Known(), func(_ patchgap.Update, f *Finding) string { return f.ExploitedWords(alone, t.listed()) }),
		t.text(severityKey, SeverityTitle, !t.Known(), func(_ patchgap.Update, f *Finding) string { return f.severityWords(alone) }),
	}
	return append(append(columns, t.FoldColumns(shown, alone)...),
		t.text(dueKey, "KEV due", true, func(_ patchgap.Update, f *Finding) string { return f.due(alone) }),
		t.text(releasedKey, "Released", true, func(_ patchgap.Update, f *Finding) string { return date(f.Facts.Released) }),
	)
}

// SeverityTitle heads severities that MSRC gave: Defender has its own for the same CVEs, on another scale.
const SeverityTitle = "Severity (MSRC)"

// listed returns the date of CISA's list; zero without one.
func (t *Triage) listed() time.Time {
	if t.snapshot == nil {
		return time.Time{}
	}
	return t.snapshot.KEV
}

// FoldColumns returns those of [Triage.Columns] that show what contains what.
func (t *Triage) FoldColumns(shown []patchgap.Update, alone bool) []patchgap.Extra {
	inside := len(t.rows) > 0 && slices.ContainsFunc(shown, func(u patchgap.Update) bool { return len(t.containers(u)) > 0 })
	contains := t.text(containsKey, "Contains", alone || len(t.Folded) == 0, func(_ patchgap.Update, f *Finding) string { return f.containsWords() })
	contains.JSONOnly = true
	return []patchgap.Extra{
		contains,
		t.text(inKey, "Contained in", !inside, func(u patchgap.Update, _ *Finding) string { return inWords(t.containers(u)) }),
		t.text(whyKey, "Why", !inside, func(u patchgap.Update, _ *Finding) string { return whyWords(t.containers(u)) }),
	}
}

// text returns a column with a text for each update.
func (t *Triage) text(key, title string, hidden bool, words func(patchgap.Update, *Finding) string) patchgap.Extra {
	return patchgap.Extra{
		Column: view.Column{Key: key, Title: title, Hidden: hidden}, Appended: true,
		Cell: func(u patchgap.Update) view.Cell { return view.TextCell(words(u, t.Finding(u))) },
	}
}

// severityWords returns MSRC's severity of an update, or "unknown". If an update it contains is worse, it names that one,
// unless alone is set.
func (f *Finding) severityWords(alone bool) string {
	own := f.Facts.Severity
	if own == "" {
		own = string(Unknown)
	}
	if worst := f.Severest(); !alone && worst != f {
		return worst.Facts.Severity + " (" + catalog.Label(worst.KB()) + ")"
	}
	return own
}

// due formats the earliest date by which CISA wants the update installed; "" if CISA does not list it.
func (f *Finding) due(alone bool) string {
	if !alone {
		f = f.Worst()
	}
	if len(f.Facts.KEV) == 0 {
		return ""
	}
	return date(f.Facts.KEV[0].Due)
}

func date(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.DateOnly)
}

// maxContained is how many contained updates a cell names before it counts the rest.
const maxContained = 3

// containsWords names the updates that f contains. An assumed one is not confirmed by a feed, and the text says so.
func (f *Finding) containsWords() string {
	var kbs []string
	assumed := false
	for _, c := range f.Contains {
		kbs = append(kbs, c.KB())
		assumed = assumed || slices.Contains(c.In, Container{f.KB(), advisory.Assumed, f.ID()})
	}
	words := labels(slices.Clone(kbs[:min(len(kbs), maxContained)]))
	if rest := len(kbs) - maxContained; rest > 0 {
		words += fmt.Sprintf(" and %d more", rest)
	}
	if assumed {
		words += " (assumed)"
	}
	return words
}

func inWords(in []Container) string {
	var kbs []string
	for _, c := range in {
		if !slices.Contains(kbs, c.KB) {
			kbs = append(kbs, c.KB)
		}
	}
	return labels(kbs)
}

func whyWords(in []Container) string {
	var why []string
	for _, c := range in {
		if !slices.Contains(why, string(c.Why)) {
			why = append(why, string(c.Why))
		}
	}
	return strings.Join(why, ", ")
}
