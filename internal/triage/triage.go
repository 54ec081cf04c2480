// Package triage says of missing updates what the feeds know: which fix a vulnerability under attack, how severe that is, and
// which are contained in another, so that a list of updates becomes a list of what to install. It joins what Defender lists
// ([patchgap.Update]) with a snapshot of the feeds ([advisory.Snapshot]). The nil snapshot is a normal one: then all is
// unknown, which is never "no". The package knows neither where a page goes nor who asked.
package triage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/catalog"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// State says whether an update fixes a vulnerability under attack, and by whose word.
type State string

// The states. KEV goes before MSRC: MSRC's word is of the day of the release, CISA's list is kept up to date.
const (
	Unknown State = "unknown" // no feed lists the update
	No      State = "no"      // the feeds list it, and none of its CVEs as exploited
	MSRC    State = "MSRC"
	KEV     State = "KEV"
)

// Exploited reports whether the update fixes a vulnerability under attack.
func (s State) Exploited() bool { return s == KEV || s == MSRC }

// rank orders states, the worst last.
func (s State) rank() int { return slices.Index([]State{No, Unknown, MSRC, KEV}, s) }

// Finding is what is known of one missing update.
type Finding struct {
	patchgap.Update
	Facts advisory.Facts // zero if no feed lists the update
	Known bool           // a feed lists it

	In       []Container // those that contain a row of it, each once
	Whole    bool        // every row of it is contained in another update
	Contains []*Finding  // those of which this one contains a row
}

// Container is an update that contains another.
type Container struct {
	KB  string
	Why advisory.Why
	id  string // see [patchgap.Update.ID]
}

// State is the state of the update alone, whatever it contains.
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

// Worst is the finding with the worst state among the update and those that it contains, for installing it fixes them too.
// Of equals the update itself comes first, then what is due first.
func (f *Finding) Worst() *Finding {
	worst := f
	for _, c := range f.Contains {
		if d := cmp.Or(c.State().rank()-worst.State().rank(), worst.compareDue(c)); d > 0 {
			worst = c
		}
	}
	return worst
}

// compareDue is positive if another update is due earlier.
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

// Severity is the highest severity that MSRC gives a CVE of the update or of those that it contains; "" if unknown.
func (f *Finding) Severity() string {
	severity := f.Facts.Severity
	for _, c := range f.Contains {
		if advisory.SeverityRank(c.Facts.Severity) > advisory.SeverityRank(severity) {
			severity = c.Facts.Severity
		}
	}
	return severity
}

// Triage is a list of missing updates with what is known of each.
type Triage struct {
	Install []patchgap.Update // those that nothing contains, or not on every build; in the order that was given
	Folded  []patchgap.Update // those whose every row another contains, in the order that was given

	all      []patchgap.Update
	snapshot *advisory.Snapshot
	findings map[string]*Finding // by [patchgap.Update.ID]
	rows     map[rowKey]Container
}

// rowKey names a row; the name is set only where there is no KB.
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

// None leaves updates as they are: nothing is known of them and nothing is folded.
func None(updates []patchgap.Update) *Triage { return &Triage{all: updates, Install: updates} }

// Of judges updates. Folding is within one software and OS build, whatever its revision, so that a row is contained only
// where the newer update is to be installed as well.
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

// find returns the finding of an update, made on the first call. Without data of feeds few are ever asked for.
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

// Finding returns what is known of an update of the list, or of some of its rows.
func (t *Triage) Finding(u patchgap.Update) *Finding {
	if f, ok := t.findings[u.ID()]; ok {
		return f
	}
	return &Finding{Update: u}
}

// Rank is 0 for an update that is exploited, by itself or by what it contains, and 1 for all others: exploited first.
func (t *Triage) Rank(u patchgap.Update) int {
	return rank(t.Known() && t.Finding(u).Worst().State().Exploited())
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// Sort puts exploited updates first and keeps the order otherwise. With alone, each is told by itself, as in
// [Triage.Columns].
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

// Urgent reports whether an update is exploited, is contained in one that is, or contains one that is: what has to be
// shown of a list where only exploited updates are wanted.
func (t *Triage) Urgent(u patchgap.Update) bool {
	f := t.Finding(u)
	return f.Worst().State().Exploited() || slices.ContainsFunc(f.In, func(c Container) bool {
		return t.findings[c.id].Worst().State().Exploited()
	})
}

// Keep leaves out updates that are not wanted. Counts and sentences stay those of all.
func (t *Triage) Keep(wanted func(patchgap.Update) bool) {
	unwanted := func(u patchgap.Update) bool { return !wanted(u) }
	t.Install, t.Folded = slices.DeleteFunc(slices.Clone(t.Install), unwanted), slices.DeleteFunc(slices.Clone(t.Folded), unwanted)
}

// Known reports whether there is any data of feeds.
func (t *Triage) Known() bool { return t.snapshot != nil }

// containers are where the rows of an update are contained.
func (t *Triage) containers(u patchgap.Update) []Container {
	var all []Container
	for _, r := range u.Rows {
		if c, ok := t.rows[keyOf(r)]; ok && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}

// labels are KB numbers as people write them.
func labels(kbs []string) string {
	for i, kb := range kbs {
		kbs[i] = catalog.Label(kb)
	}
	return strings.Join(kbs, ", ")
}
