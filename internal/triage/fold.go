package triage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// scope is what one installation updates: a software on one line of builds.
type scope struct{ software, line string }

// scopeOf returns the scope of a row. Rows of a device name no software; if no feed knows the update either, its
// products are its scope.
func (t *Triage) scopeOf(r patchgap.Row) scope {
	at := scope{r.Software, r.Line()}
	if f, ok := t.findings[r.KB]; r.Software == "" && (!ok || !f.Known) {
		at.software = r.Products
	}
	return at
}

// member is a row, with its update, that may contain or be contained.
type member struct {
	row    patchgap.Row
	update patchgap.Update
}

// neighbours returns the rows that share their scope with another row; only those can contain each other. Most answers
// have none, so this is all that folding costs them without feeds.
func (t *Triage) neighbours(updates []patchgap.Update) []member {
	seen := make(map[scope]bool, len(updates)) // true if the scope has several rows
	shared := false
	for _, u := range updates {
		for _, r := range u.Rows {
			at := t.scopeOf(r)
			if at.line == "" && t.snapshot == nil { // without feed and build, nothing tells what contains it
				continue
			}
			_, several := seen[at]
			seen[at] = several
			shared = shared || several
		}
	}
	if !shared {
		return nil
	}
	var all []member
	for _, u := range updates {
		for _, r := range u.Rows {
			if seen[t.scopeOf(r)] {
				all = append(all, member{r, u})
			}
		}
	}
	return all
}

// fold finds the rows that others contain.
func (t *Triage) fold(members []member) {
	if len(members) == 0 {
		return
	}
	missing := make([]advisory.Missing, len(members))
	for i, m := range members {
		at := t.scopeOf(m.row)
		missing[i] = advisory.Missing{KB: m.row.KB, Name: m.row.Name, Scope: advisory.Scope(at.software, at.line)}
	}
	contained := map[*Finding]int{}
	for i, folded := range t.snapshot.Fold(missing) {
		if folded.In == i || members[i].update.ID() == members[folded.In].update.ID() {
			continue
		}
		f, by := t.find(members[i].update), t.find(members[folded.In].update)
		if t.rows == nil {
			t.rows = map[rowKey]Container{}
		}
		in := Container{by.KB(), folded.Why, by.ID()}
		t.rows[keyOf(members[i].row)] = in
		if !slices.Contains(f.In, in) {
			f.In = append(f.In, in)
		}
		if !slices.Contains(by.Contains, f) {
			by.Contains = append(by.Contains, f)
		}
		contained[f]++
		f.Whole = contained[f] == len(f.Rows)
	}
	for _, f := range t.findings { // makes the result independent of the order of updates
		slices.SortFunc(f.In, func(a, b Container) int {
			return cmp.Or(strings.Compare(a.KB, b.KB), strings.Compare(string(a.Why), string(b.Why)))
		})
		slices.SortFunc(f.Contains, func(a, b *Finding) int { return a.CompareKB(b.Update) })
	}
}
