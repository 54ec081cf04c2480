// Package triage says what the feeds know about missing updates: which fix an exploited vulnerability, how severe it
// is, and which updates are contained in another, so that a list of updates becomes a list of what to install. It joins
// Defender's rows ([patchgap.Update]) with a snapshot of the feeds ([advisory.Snapshot]). A nil snapshot is normal;
// then everything is unknown, which is never shown as "no". The package knows neither where a page goes nor who asked.
package triage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// State tells whether an update fixes an exploited vulnerability, and which publisher says so.
type State string

// The states. KEV takes precedence: CISA keeps its list up to date, MSRC only describes the day of the release.
const (
	Unknown State = "unknown" // no feed lists the update
	No      State = "no"      // the feeds list the update, and none of its CVEs as exploited
	MSRC    State = "MSRC"
	KEV     State = "KEV"
)

// Exploited reports whether the update fixes an exploited vulnerability.
func (s State) Exploited() bool { return s == KEV || s == MSRC }

// rank orders states by urgency; the most urgent is highest.
func (s State) rank() int { return slices.Index([]State{No, Unknown, MSRC, KEV}, s) }

// Finding is what is known about one missing update.
type Finding struct {
	patchgap.Update
	Facts advisory.Facts // zero if no feed lists the update
	Known bool           // a feed lists it

	In       []Container // updates that contain at least one row of it, each once
	Whole    bool        // every row of it is contained in another update
	Contains []*Finding  // updates of which it contains at least one row
}

// Container is an update that contains another.
type Container struct {
	KB  string
	Why advisory.Why
	id  string // see [patchgap.Update.ID]
}

// State returns the state of the update alone, regardless of what it contains.
func (f *Finding) State() State {
	switch {
	case !f.Known:
		return Unknown
	case len(f.Facts.KEV) > 0:
		return KEV
	case len(f.Facts.MSRC) > 0:
		return MSRC
	}
	return No
}

// Worst returns the finding with the highest state among the update and those it contains, because installing it fixes
// them all. Among equals the update itself comes first, then the earliest due date.
func (f *Finding) Worst() *Finding {
	worst := f
	for _, c := range f.Contains {
		if d := cmp.Or(c.State().rank()-worst.State().rank(), worst.compareDue(c)); d > 0 {
			worst = c
		}
	}
	return worst
}

// compareDue returns a positive number if other is due earlier.
func (f *Finding) compareDue(other *Finding) int {
	if len(f.Facts.KEV) == 0 || len(other.Facts.KEV) == 0 {
		return 0
	}
	mine, its := f.Facts.KEV[0].Due, other.Facts.KEV[0].Due
	if mine.IsZero() || its.IsZero() {
		return 0
	}
	return mine.Compare(its)
}

// Severest returns the finding with the highest severity by MSRC among the update and those it contains. A tie goes to
// the update itself.
func (f *Finding) Severest() *Finding {
	worst := f
	for _, c := range f.Contains {
		if advisory.SeverityRank(c.Facts.Severity) > advisory.SeverityRank(worst.Facts.Severity) {
			worst = c
		}
	}
	return worst
}

// Triage is a list of missing updates with what is known about each. It is not safe for concurrent use.
type Triage struct {
	Install []patchgap.Update // not contained on every build, in the given order
	Folded  []patchgap.Update // contained in others on every build, in the given order

	all      []patchgap.Update
	snapshot *advisory.Snapshot
	findings map[string]*Finding // by [patchgap.Update.ID]
	rows     map[rowKey]Container
}

// rowKey identifies a row. The name is only set if there is no KB.
type rowKey struct {
	patchgap.Key
	name string
}

func keyOf(r patchgap.Row) rowKey {
	k := rowKey{Key: r.Key}
	if r.KB == "" {
		k.name = r.Name
	}
	return k
}

// None returns the updates as they are: without findings, nothing folded.
func None(updates []patchgap.Update) *Triage { return &Triage{all: updates, Install: updates} }

// Of judges updates. It folds within one software and OS build, regardless of the revision, so that a row only counts
// as contained where the newer update has to be installed too.
func Of(s *advisory.Snapshot, updates []patchgap.Update) *Triage {
	t := &Triage{all: updates, Install: updates, snapshot: s}
	if s != nil {
		for _, u := range updates {
			t.find(u)
		}
	}
	t.fold(t.neighbours(updates))
	if len(t.rows) == 0 {
		return t
	}
	t.Install = make([]patchgap.Update, 0, len(updates))
	for _, u := range updates {
		if t.Finding(u).Whole {
			t.Folded = append(t.Folded, u)
		} else {
			t.Install = append(t.Install, u)
		}
	}
	return t
}

// find returns the finding of an update and makes it on the first call: without feeds few are ever needed.
func (t *Triage) find(u patchgap.Update) *Finding {
	if f, ok := t.findings[u.ID()]; ok {
		return f
	}
	f := &Finding{Update: u}
	f.Facts, f.Known = t.snapshot.Update(u.KB())
	if t.findings == nil {
		t.findings = make(map[string]*Finding, len(t.all))
	}
	t.findings[u.ID()] = f
	return f
}

// Finding returns the finding of an update of the list, or of an update with only some of its rows.
func (t *Triage) Finding(u patchgap.Update) *Finding {
	if f, ok := t.findings[u.ID()]; ok {
		return f
	}
	return &Finding{Update: u}
}

// Rank returns 0 for an update that is exploited, by itself or by what it contains, and 1 otherwise. It sorts exploited
// updates first.
func (t *Triage) Rank(u patchgap.Update) int {
	return rank(t.Known() && t.Finding(u).Worst().State().Exploited())
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Sort moves exploited updates to the front and keeps the order otherwise. If alone is set, what an update contains
// does not count, as in [Triage.Columns].
func (t *Triage) Sort(updates []patchgap.Update, alone bool) {
	if !t.Known() {
		return
	}
	of := t.Rank
	if alone {
		of = func(u patchgap.Update) int { return rank(t.Finding(u).State().Exploited()) }
	}
	slices.SortStableFunc(updates, func(a, b patchgap.Update) int { return of(a) - of(b) })
}

// Urgent reports whether an update is exploited, contained in one that is, or contains one that is: the rows that a
// list of exploited updates must show.
func (t *Triage) Urgent(u patchgap.Update) bool {
	f := t.Finding(u)
	return f.Worst().State().Exploited() || slices.ContainsFunc(f.In, func(c Container) bool {
		return t.findings[c.id].Worst().State().Exploited()
	})
}

// Keep drops updates from the list that are not wanted. Counts and sentences still cover all.
func (t *Triage) Keep(wanted func(patchgap.Update) bool) {
	unwanted := func(u patchgap.Update) bool { return !wanted(u) }
	t.Install, t.Folded = slices.DeleteFunc(slices.Clone(t.Install), unwanted), slices.DeleteFunc(slices.Clone(t.Folded), unwanted)
}

// Known reports whether there are any feeds.
func (t *Triage) Known() bool { return t.snapshot != nil }

// containers returns the updates that contain a row of u.
func (t *Triage) containers(u patchgap.Update) []Container {
	var all []Container
	for _, r := range u.Rows {
		if c, ok := t.rows[keyOf(r)]; ok && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// labels joins KB numbers for people, such as "KB5041 and KB5042".
func labels(kbs []string) string {
	for i, kb := range kbs {
		kbs[i] = catalog.Label(kb)
	}
	return strings.Join(kbs, ", ")
}
