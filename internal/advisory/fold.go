package advisory

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/month"
)

// Missing is one missing update of one product, as input for [Snapshot.Fold].
type Missing struct {
	KB    string
	Name  string // "November 2026 Security Updates"
	Scope string // what one installation updates: software and OS build
}

// Why is the evidence that an update contains another.
type Why string

// The kinds of evidence.
const (
	NotContained   Why = ""
	ByBuild        Why = "newer build"       // it updates the same product to a higher build
	BySupersedence Why = "supersedes it"     // MSRC says so
	Assumed        Why = "assumed by months" // no feed knows them; a newer month is assumed to contain an older one
)

// Folded tells for one missing update whether another one contains it.
type Folded struct {
	In  int // index of the update to install instead; its own index if none contains it
	Why Why
}

// Fold tells for each missing update which other one contains it, so that installing the containers installs all.
// Nothing is dropped: the result has an entry for each, and a container is itself contained in nothing. The result does
// not depend on the order of missing.
//
// Within a scope an update contains another if it updates a common product to a higher build, or if MSRC says that it
// supersedes it. Updates of different products never contain each other, even if they share a line of builds, as
// Windows 11 24H2 and Windows Server 2025 do. Security Only updates contain nothing and are contained in nothing, and
// hotpatches only contain hotpatches. Equal builds do not contain each other.
func (s *Snapshot) Fold(missing []Missing) []Folded {
	scopes := map[string][]int{}
	for i, m := range missing {
		scopes[m.Scope] = append(scopes[m.Scope], i)
	}
	out := make([]Folded, len(missing))
	for i := range out {
		out[i].In = i
	}
	for _, members := range scopes {
		slices.SortFunc(members, func(a, b int) int {
			if c := strings.Compare(missing[a].KB, missing[b].KB); c != 0 {
				return c
			}
			return cmp.Or(strings.Compare(missing[a].Name, missing[b].Name), a-b)
		})
		s.foldScope(missing, members, out)
	}
	return out
}

// foldScope folds the members of one scope.
func (s *Snapshot) foldScope(missing []Missing, members []int, out []Folded) {
	f := folding{snapshot: s, members: make([]member, len(members))}
	for at, i := range members {
		f.members[at] = member{Missing: missing[i], direct: Folded{In: at}}
		if s != nil {
			f.members[at].known = s.updates[missing[i].KB]
		}
	}
	if s != nil {
		f.byBuild()
		f.bySupersedence()
	}
	f.byMonth()
	for at, i := range members {
		top := f.top(at)
		out[i] = Folded{members[top.In], top.Why}
	}
}

// folding is the state of folding one scope.
type folding struct {
	snapshot *Snapshot
	members  []member
}

// member is one missing update of a scope.
type member struct {
	Missing

	known  *known // nil if no feed lists it
	direct Folded // one container, as an index of members; its own index if it has none
}

// chain is one of the two chains of updates of a product.
type chain struct {
	product  string
	hotpatch bool
}

func chainOf(k *known, b Build) (chain, bool) {
	switch k.Kind {
	case Cumulative, Hotpatch:
		return chain{b.Product, k.Kind == Hotpatch}, true
	}
	return chain{}, false
}

// byBuild points each update at the one with the highest build of a common product. MSRC writes some lines wrong, but
// not their last number, so only that is compared.
func (f *folding) byBuild() {
	type best struct{ member, revision int }
	highest := map[chain]best{}
	for i, m := range f.members {
		if m.known == nil {
			continue
		}
		for _, b := range m.known.Builds {
			if c, orders := chainOf(m.known, b); orders {
				if h, has := highest[c]; !has || b.Revision > h.revision {
					highest[c] = best{i, b.Revision}
				}
			}
		}
	}
	for i, m := range f.members {
		if m.known == nil {
			continue
		}
		for _, b := range m.known.Builds {
			c, orders := chainOf(m.known, b)
			if !orders {
				continue
			}
			h := highest[c]
			if h.member != i && h.revision > b.Revision && f.members[h.member].known.contains(m.known) {
				f.members[i].direct = Folded{h.member, ByBuild}
				break
			}
		}
	}
}

// contains reports whether an update is behind another one for none of their common products. Most have few, so an
// index does not pay.
func (k *known) contains(other *known) bool {
	for _, b := range other.Builds {
		has, shared := 0, false
		for _, own := range k.Builds {
			if own.Product == b.Product {
				has, shared = max(has, own.Revision), true
			}
		}
		if shared && has <= b.Revision {
			return false
		}
	}
	return true
}

// maxSteps bounds how far a chain of supersedence is followed. Windows adds 12 to 20 steps a year.
const maxSteps = 200

// bySupersedence points updates without a build at the last one in the scope that supersedes them.
func (f *folding) bySupersedence() {
	if len(f.members) < 2 {
		return
	}
	at := make(map[string]int, len(f.members))
	for i, m := range f.members {
		at[m.KB] = i
	}
	for i, m := range f.members {
		if m.direct.In != i || m.known != nil && m.known.Kind == SecurityOnly {
			continue
		}
		if by, found := f.superseding(m.KB, m.known != nil && m.known.Kind == Hotpatch, at); found {
			f.members[i].direct = Folded{by, BySupersedence}
		}
	}
}

// superseding follows a KB to the update in the scope that is the most steps away.
func (f *folding) superseding(kb string, hotpatch bool, at map[string]int) (member int, found bool) {
	if len(f.snapshot.newer[kb]) == 0 {
		return 0, false
	}
	seen := map[string]bool{kb: true}
	level := []string{kb}
	for range maxSteps {
		var next []string
		for _, old := range level {
			for _, by := range f.snapshot.newer[old] {
				k := f.snapshot.updates[by]
				if seen[by] || k.Kind == SecurityOnly || (k.Kind == Hotpatch) != hotpatch {
					continue
				}
				seen[by] = true
				next = append(next, by)
			}
		}
		if len(next) == 0 {
			return member, found
		}
		slices.Sort(next)
		for _, by := range next {
			if i, here := at[by]; here && !f.equal(i, kb) {
				member, found = i, true
			}
		}
		level = next
	}
	return member, found
}

// equal reports whether a member updates a common product to exactly the same build as a KB.
func (f *folding) equal(i int, kb string) bool {
	k, other := f.members[i].known, f.snapshot.updates[kb]
	return k != nil && other != nil && slices.ContainsFunc(k.Builds, func(b Build) bool { return slices.Contains(other.Builds, b) })
}

// byMonth handles updates that no feed knows: for the same OS build and name, the newest month is assumed to contain
// older ones.
func (f *folding) byMonth() {
	type newest struct {
		member int
		at     time.Time
	}
	type dated struct {
		member int
		kind   string
		at     time.Time
	}
	last := map[string]newest{} // by kind
	var months []dated
	for i, m := range f.members {
		if m.known != nil || !strings.Contains(m.Scope, ScopeSeparator) || strings.HasSuffix(m.Scope, ScopeSeparator) {
			continue
		}
		at, ok := month.Of(m.Name)
		kind := kindOfName(m.Name)
		if !ok || strings.Contains(kind, string(SecurityOnly)) {
			continue
		}
		months = append(months, dated{i, kind, at})
		if n, has := last[kind]; !has || at.After(n.at) {
			last[kind] = newest{i, at}
		}
	}
	for _, m := range months {
		if n := last[m.kind]; m.at.Before(n.at) {
			f.members[m.member].direct = Folded{n.member, Assumed}
		}
	}
}

// kindOfName returns the name of an update without what changes monthly: the month and the KB number.
func kindOfName(name string) string {
	kind := strings.ToLower(month.Without(name))
	if strings.Contains(kind, "kb") {
		kind = kbInName.ReplaceAllString(kind, "")
	}
	return kind
}

var kbInName = regexp.MustCompile(`\s*\(?kb\d{6,8}\)?`)

// ScopeSeparator separates the software from its OS build in [Missing.Scope].
const ScopeSeparator = "\x00"

// Scope returns the scope of one of Defender's rows.
func Scope(software, osBuild string) string { return software + ScopeSeparator + osBuild }

// top follows containers to the one that nothing contains. Contradicting feeds may form a cycle; its members are
// contained in nothing.
func (f *folding) top(i int) Folded {
	out := Folded{In: i, Why: f.members[i].direct.Why}
	mark, since, most := i, 0, 1 // Brent's algorithm: a cycle returns to the mark
	for {
		next := f.members[out.In].direct.In
		switch next {
		case out.In:
			return out
		case mark:
			return Folded{In: i}
		}
		if out.In = next; since == most {
			mark, since, most = next, 0, 2*most
		}
		since++
	}
}
