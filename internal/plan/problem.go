package plan

import (
	"cmp"
	"slices"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// Pairs counts pairs of a device and a CVE.
type Pairs struct {
	Exploited int // pairs whose CVE is exploited
	All       int
}

func (p Pairs) plus(other Pairs) Pairs {
	return Pairs{p.Exploited + other.Exploited, p.All + other.All}
}

// compare orders by what closes more: exploited pairs first, then all pairs.
func (p Pairs) compare(other Pairs) int {
	return cmp.Or(cmp.Compare(other.Exploited, p.Exploited), cmp.Compare(other.All, p.All))
}

// Update is a missing update and what is known about it.
type Update struct {
	patchgap.Update

	Facts     advisory.Facts
	Known     bool   // whether the feeds list it; otherwise Facts is empty
	Contained bool   // another missing update contains it wherever it is missing
	In        string // ID of such an update
	Contains  []string
}

// Problem is everything that is missing, prepared for planning. It is immutable and safe for concurrent use.
type Problem struct {
	Updates []Update // all missing updates, the largest first
	Total   Pairs
	Assumed bool // some updates are assumed to be contained, judged by the months in their names

	byID   map[string]int
	pairs  []Pairs   // by element
	covers [][]int32 // by update: the elements it closes, sorted
}

// New prepares rows for planning. It sorts and keeps the slice. known may be nil.
func New(rows []patchgap.Row, known *advisory.Snapshot) *Problem {
	missing := patchgap.Updates(rows)
	p := &Problem{Updates: make([]Update, len(missing)), byID: make(map[string]int, len(missing))}
	for i, u := range missing {
		one := &p.Updates[i]
		one.Update = u
		one.Facts, one.Known = known.Update(u.KB())
		p.byID[u.ID()] = i
	}
	p.covers = make([][]int32, len(p.Updates))
	b := builder{p: p, known: known, classes: map[string]int32{}}
	b.number()
	b.fold()
	b.weigh()
	b.cover()
	b.sort()
	for _, n := range p.pairs {
		p.Total = p.Total.plus(n)
	}
	return p
}

// Find returns the index in Updates of an ID or KB number, and whether it exists.
func (p *Problem) Find(id string) (int, bool) {
	i, ok := p.byID[id]
	return i, ok
}

// builder makes a [Problem].
type builder struct {
	p     *Problem
	known *advisory.Snapshot
	rows  []rowOf

	uncounted []rowOf // rows of updates that several software ids share

	fixes    [][]int32 // by update: the numbers of its CVEs
	attacked []bool    // by CVE number: CISA or MSRC calls it exploited
	classes  map[string]int32
	elements map[pairOf]int32 // for CVEs that MSRC lists
}

// pairOf is a CVE on one class of devices.
type pairOf struct{ class, cve int32 }

// number assigns numbers to the CVEs of all updates: numbers compare faster than names.
func (b *builder) number() {
	pairs := 0
	b.attacked = b.known.Attacked()
	b.fixes = make([][]int32, len(b.p.Updates))
	for i := range b.p.Updates {
		if b.fixes[i] = b.known.Numbers(b.p.Updates[i].KB()); len(b.fixes[i]) > 0 {
			b.p.covers[i] = make([]int32, 0, len(b.fixes[i]))
			pairs += len(b.fixes[i])
		}
	}
	b.elements = make(map[pairOf]int32, pairs)
}

// rowOf is a row with its update and the one that contains it.
type rowOf struct {
	patchgap.Row
	update, top int
}

// class returns the number of a row's class of devices: its line of OS builds or, without one, its software.
func (b *builder) class(r rowOf) int32 {
	name := r.Software
	if line := r.Line(); line != "" {
		name = advisory.ScopeSeparator + line // cannot collide with a software id
	}
	n, ok := b.classes[name]
	if !ok {
		n = int32(len(b.classes)) //nolint:gosec // memory would run out first
		b.classes[name] = n
	}
	return n
}

// fold finds the update that contains each row.
func (b *builder) fold() {
	rows := 0
	for i := range b.p.Updates {
		rows += len(b.p.Updates[i].Rows)
	}
	missing := make([]advisory.Missing, 0, rows)
	b.rows = make([]rowOf, 0, rows)
	for i := range b.p.Updates {
		for _, r := range b.p.Updates[i].Rows {
			b.rows = append(b.rows, rowOf{Row: r, update: i})
			missing = append(missing, advisory.Missing{KB: r.KB, Name: r.Name, Scope: advisory.Scope(r.Software, r.Line())})
		}
	}
	onTop := make([]bool, len(b.p.Updates))
	for i, f := range b.known.Fold(missing) {
		b.rows[i].top = b.rows[f.In].update
		b.p.Assumed = b.p.Assumed || f.Why == advisory.Assumed
		if b.rows[i].top == b.rows[i].update {
			onTop[b.rows[i].update] = true
		}
	}
	for _, r := range b.rows {
		u, top := &b.p.Updates[r.update], &b.p.Updates[r.top]
		if r.top == r.update {
			continue
		}
		if !onTop[r.update] && u.In == "" {
			u.Contained, u.In = true, top.ID()
		}
		if !slices.Contains(top.Contains, u.ID()) {
			top.Contains = append(top.Contains, u.ID())
		}
	}
}

// weigh creates the elements: one for each CVE of a class of devices, or one for all CVEs of a row whose CVEs are
// unknown. If several software ids share an update, the one with most devices counts.
func (b *builder) weigh() {
	for first := 0; first < len(b.rows); {
		last := first
		for last < len(b.rows) && b.rows[last].update == b.rows[first].update {
			last++
		}
		own := largest(b.rows[first:last])
		for _, r := range own {
			b.weighRow(r)
		}
		if len(own) < last-first {
			b.uncounted = append(b.uncounted, b.rows[first:last]...)
		}
		first = last
	}
}

// largest returns the rows of the software with most devices.
func largest(rows []rowOf) []rowOf {
	var best []rowOf
	most := -1
	for first := 0; first < len(rows); {
		last, devices := first, 0
		for last < len(rows) && rows[last].Software == rows[first].Software {
			devices += rows[last].Devices
			last++
		}
		if devices > most {
			best, most = rows[first:last], devices
		}
		first = last
	}
	return best
}

// weighRow creates the elements of one row, or raises their weight if the row has more devices.
func (b *builder) weighRow(r rowOf) {
	fixes := b.fixes[r.update]
	if len(fixes) == 0 {
		if n := r.Devices * r.CVEs; n > 0 {
			b.closes(r, b.element(Pairs{All: n}))
		}
		return
	}
	class := b.class(r)
	for _, cve := range fixes {
		n := Pairs{All: r.Devices}
		if b.attacked[cve] {
			n.Exploited = r.Devices
		}
		e, ok := b.elements[pairOf{class, cve}]
		switch {
		case !ok:
			e = b.element(n)
			b.elements[pairOf{class, cve}] = e
		case n.All > b.p.pairs[e].All: // another update of the same devices fixes it too
			b.p.pairs[e] = n
		}
		b.closes(r, e)
	}
}

func (b *builder) element(n Pairs) int32 {
	b.p.pairs = append(b.p.pairs, n)
	return int32(len(b.p.pairs) - 1) //nolint:gosec // memory would run out first
}

// closes records that a row's update, and the one that contains it there, close an element.
func (b *builder) closes(r rowOf, element int32) {
	b.p.covers[r.update] = append(b.p.covers[r.update], element)
	if r.top != r.update {
		b.p.covers[r.top] = append(b.p.covers[r.top], element)
	}
}

// cover records which elements of other updates are closed by updates that several software ids share.
func (b *builder) cover() {
	for _, r := range b.uncounted {
		fixes := b.fixes[r.update]
		if len(fixes) == 0 {
			continue
		}
		class := b.class(r)
		for _, cve := range fixes {
			if e, ok := b.elements[pairOf{class, cve}]; ok {
				b.closes(r, e)
			}
		}
	}
}

// sort sorts the elements of each update and drops repeats.
func (b *builder) sort() {
	for i := range b.p.covers {
		slices.Sort(b.p.covers[i])
		b.p.covers[i] = slices.Compact(b.p.covers[i])
	}
}
