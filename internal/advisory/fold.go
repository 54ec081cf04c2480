package advisory

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/missingkbs/missingkbs/internal/month"
)

// Missing is one missing update of one product, as it is to be folded.
type Missing struct {
	KB    string
	Name  string // "November 2026 Security Updates"
	Scope string // what one installation brings up to date: software and OS build
}

// Why says by what an update is known to contain another.
type Why string

// The witnesses.
const (
	NotContained   Why = ""
	ByBuild        Why = "newer build"       // it brings the same product to a higher build
	BySupersedence Why = "supersedes it"     // MSRC says so
	Assumed        Why = "assumed by months" // no feed knows them; a newer month is taken to contain an older one
)

// Folded says of one missing update whether another one contains it.
type Folded struct {
	In  int // index of the update to install instead; its own index where none contains it
	Why Why
}

// Fold says for each missing update which other of them contains it, so that installing what contains others installs
// all. Nothing is dropped: the answer has an entry for each, and what contains others is contained in nothing. It does
// not depend on the order of missing.
//
// Within a scope an update contains another if it brings a product that both are for to a higher build, or supersedes it
// by MSRC's word. Updates of different products never contain each other, even where they share a line of builds, as
// Windows 11 24H2 and Windows Server 2025 do. Security Only updates contain nothing and are contained in nothing, and
// hotpatches keep to themselves. Equal builds are equals.
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
			return cmp.Or(strings.Compare(missing[a].KB, missing[b].KB), strings.Compare(missing[a].Name, missing[b].Name), a-b)
		})
		s.foldScope(missing, members, out)
	}
	return out
}

// foldScope folds the members of one scope.
func (s *Snapshot) foldScope(missing []Missing, members []int, out []Folded) {
	f := folding{snapshot: s, missing: missing, members: members, direct: map[int]Folded{}}
	if s != nil {
		f.byBuild()
		f.bySupersedence()
	}
	f.byMonth()
	for _, i := range members {
		out[i] = f.top(i)
	}
}

// folding is the folding of one scope.
type folding struct {
	snapshot *Snapshot
	missing  []Missing
	members  []int
	direct   map[int]Folded // one container of each that has any
}

func (f *folding) known(i int) (known, bool) {
	if f.snapshot == nil {
		return known{}, false
	}
	k, ok := f.snapshot.updates[f.missing[i].KB]
	return k, ok
}

// chain is a product and one of its two chains of updates.
type chain struct {
	product  string
	hotpatch bool
}

func chainOf(k known, b Build) (chain, bool) {
	switch k.Kind {
	case Cumulative, Hotpatch:
		return chain{b.Product, k.Kind == Hotpatch}, true
	}
	return chain{}, false
}

// byBuild points each update at the one with the highest build of a product that both are for. MSRC writes some lines
// wrong, but not their last number, so that this alone is compared.
func (f *folding) byBuild() {
	type best struct{ member, revision int }
	highest := map[chain]best{}
	for _, i := range f.members {
		k, ok := f.known(i)
		for _, b := range k.Builds {
			if c, orders := chainOf(k, b); ok && orders {
				if h, has := highest[c]; !has || b.Revision > h.revision {
					highest[c] = best{i, b.Revision}
				}
			}
		}
	}
	for _, i := range f.members {
		k, _ := f.known(i)
		for _, b := range k.Builds {
			c, orders := chainOf(k, b)
			if !orders {
				continue
			}
			h := highest[c]
			if h.member != i && h.revision > b.Revision && f.contains(h.member, i) {
				f.direct[i] = Folded{h.member, ByBuild}
				break
			}
		}
	}
}

// contains reports whether update x is nowhere behind update y among the products that both are for.
func (f *folding) contains(x, y int) bool {
	kx, _ := f.known(x)
	ky, _ := f.known(y)
	ahead := map[string]int{}
	for _, b := range kx.Builds {
		ahead[b.Product] = max(ahead[b.Product], b.Revision)
	}
	for _, b := range ky.Builds {
		if has, shared := ahead[b.Product]; shared && has <= b.Revision {
			return false
		}
	}
	return true
}

// maxSteps bounds how far a chain of supersedence is followed. Windows makes 12 to 20 steps a year.
const maxSteps = 200

// bySupersedence points updates for which there is no build at the last one of the scope that supersedes them.
func (f *folding) bySupersedence() {
	at := make(map[string]int, len(f.members))
	for _, i := range f.members {
		at[f.missing[i].KB] = i
	}
	for _, i := range f.members {
		if _, has := f.direct[i]; has {
			continue
		}
		k, ok := f.known(i)
		if ok && k.Kind == SecurityOnly || f.snapshot == nil {
			continue
		}
		if by, found := f.superseding(f.missing[i].KB, k.Kind == Hotpatch, at); found {
			f.direct[i] = Folded{by, BySupersedence}
		}
	}
}

// superseding walks up from a KB to the update of the scope that is the most steps away.
func (f *folding) superseding(kb string, hotpatch bool, at map[string]int) (member int, found bool) {
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

// equal reports whether a member brings a product that both are for to the very same build as a KB.
func (f *folding) equal(i int, kb string) bool {
	k, _ := f.known(i)
	other := f.snapshot.updates[kb]
	return slices.ContainsFunc(k.Builds, func(b Build) bool { return slices.Contains(other.Builds, b) })
}

// byMonth assumes, of updates that no feed knows and that are for one OS build, that the newest month contains the older
// ones of the same name.
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
	for _, i := range f.members {
		m := f.missing[i]
		if _, ok := f.known(i); ok || !strings.Contains(m.Scope, ScopeSeparator) || strings.HasSuffix(m.Scope, ScopeSeparator) {
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
			f.direct[m.member] = Folded{n.member, Assumed}
		}
	}
}

// kindOfName is the name of an update without what changes from month to month: the month and the number of the KB.
func kindOfName(name string) string {
	kind := strings.ToLower(month.Without(name))
	if strings.Contains(kind, "kb") {
		kind = kbInName.ReplaceAllString(kind, "")
	}
	return kind
}

var kbInName = regexp.MustCompile(`\s*\(?kb\d{6,8}\)?`)

// ScopeSeparator stands in [Missing.Scope] between the software and its OS build.
const ScopeSeparator = "\x00"

// Scope is the scope of a row of Defender's.
func Scope(software, osBuild string) string { return software + ScopeSeparator + osBuild }

// top follows containers up to the one that nothing contains. Feeds that contradict each other may lead in a circle:
// what is in it is contained in nothing.
func (f *folding) top(i int) Folded {
	out := Folded{In: i}
	seen := map[int]bool{i: true}
	for {
		next, has := f.direct[out.In]
		if !has {
			return out
		}
		if seen[next.In] {
			return Folded{In: i}
		}
		seen[next.In] = true
		if out.In == i {
			out.Why = next.Why
		}
		out.In = next.In
	}
}
