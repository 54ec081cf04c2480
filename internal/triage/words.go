package triage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// Feeds older than that are said to be old: CISA adds to its list on most working days, MSRC publishes once a month.
const (
	oldKEV  = 3 * 24 * time.Hour
	oldMSRC = 35 * 24 * time.Hour
)

// ExploitedFirst says how a list is ordered that [Triage.Sort] has put in order.
const ExploitedFirst = "Exploited first."

// Words says in a sentence how many of the updates fix vulnerabilities under attack, and of how many that is unknown; ""
// if there is no data of feeds or no update. A page of one device leaves devices out.
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

// Attack is the state of an update alone, as package patchgap counts it.
func (t *Triage) Attack(u patchgap.Update) patchgap.Attack {
	switch state := t.Finding(u).State(); {
	case state.Exploited():
		return patchgap.Attacked
	case state == No:
		return patchgap.NotAttacked
	}
	return patchgap.AttackUnknown
}

// FoldWords says how many rows of Defender come down to how many updates to install; "" if nothing is folded.
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

// Dates says of when the data of the feeds is, and whether that is old; "" without data.
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

// Old says that the data of the feeds is old; "" if it is not.
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

// day is a day as people write it, with its year where that is not the year of another time.
func day(at, now time.Time) string {
	if at.Year() == now.Year() {
		return at.Format("2 Jan")
	}
	return at.Format("2 Jan 2006")
}

// stateWords say by whose word an update is exploited: "KEV, due 30 Sep", "MSRC", "no" or "unknown". Due days of another year
// than the list's have theirs.
func (f *Finding) stateWords(listed time.Time) string {
	state := f.State()
	if state == KEV && !f.Facts.KEV[0].Due.IsZero() {
		return string(KEV) + ", due " + day(f.Facts.KEV[0].Due, listed)
	}
	return string(state)
}

// ExploitedWords are what a table says of whether an update is exploited, by the list of CISA of a day. Where the update itself
// is not, they name one that it contains and that is, unless it is told alone.
func (f *Finding) ExploitedWords(alone bool, listed time.Time) string {
	if worst := f.Worst(); !alone && worst != f && worst.State().Exploited() {
		return worst.stateWords(listed) + " (" + catalog.Label(worst.KB()) + ")"
	}
	return f.stateWords(listed)
}

// columns of what the feeds know. Files have them all, whatever is in them.
const (
	exploitedKey = "exploited"
	severityKey  = "severity"
	inKey        = "contained_in"
	whyKey       = "why"
	dueKey       = "kev_due"
	releasedKey  = "released"
	containsKey  = "contains"
)

// Columns are the columns of a table of updates. With alone, each row is told by itself, as in a list of Defender's rows;
// otherwise an update has the state and severity of what it contains too. People see the columns that say something.
func (t *Triage) Columns(shown []patchgap.Update, alone bool) []patchgap.Extra {
	columns := []patchgap.Extra{
		t.text(exploitedKey, "Exploited", !t.Known(), func(_ patchgap.Update, f *Finding) string { return f.ExploitedWords(alone, t.listed()) }),
		t.text(severityKey, "Severity", !t.Known(), func(_ patchgap.Update, f *Finding) string { return f.severityWords(alone) }),
	}
	return append(append(columns, t.FoldColumns(shown, alone)...),
		t.text(dueKey, "KEV due", true, func(_ patchgap.Update, f *Finding) string { return f.due(alone) }),
		t.text(releasedKey, "Released", true, func(_ patchgap.Update, f *Finding) string { return date(f.Facts.Released) }),
	)
}

// listed is the day of CISA's list; zero without one.
func (t *Triage) listed() time.Time {
	if t.snapshot == nil {
		return time.Time{}
	}
	return t.snapshot.KEV
}

// FoldColumns are those of [Triage.Columns] that say what contains what.
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

// text is a column of words about each update.
func (t *Triage) text(key, title string, hidden bool, words func(patchgap.Update, *Finding) string) patchgap.Extra {
	return patchgap.Extra{
		Column: view.Column{Key: key, Title: title, Hidden: hidden}, Appended: true,
		Cell: func(u patchgap.Update) view.Cell { return view.TextCell(words(u, t.Finding(u))) },
	}
}

func (f *Finding) severityWords(alone bool) string {
	severity := f.Facts.Severity
	if !alone {
		severity = f.Severity()
	}
	if severity == "" {
		return string(Unknown)
	}
	return severity
}

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

// maxContained is how many contained updates a cell names.
const maxContained = 3

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
