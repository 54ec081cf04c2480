package patchgap

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"

	"github.com/missingkbs/missingkbs/internal/view"
)

// Update is one KB and the devices that miss it; all counts are counts of updates. Defender returns a row for each
// software and OS build. A device has one OS build, so the rows of one software add up. A device may have several
// software ids that share a KB, so these do not add up: the one with most devices counts, and the KB may be missing on
// more devices ([Update.Shared]).
type Update struct {
	Rows    []Row  // its rows, sorted by software and OS build; at least one
	Devices int    // devices that miss it, as a lower bound
	CVEs    int    // how many it fixes: the highest count of its rows
	Attack  Attack // whether it is exploited, as far as its snapshot knows
}

// Updates groups rows by KB, largest update first: by devices, then by CVEs, then the newest KB. It sorts and keeps
// rows, because a copy of a large list would cost memory.
func Updates(rows []Row) []Update {
	slices.SortFunc(rows, func(a, b Row) int {
		if c := strings.Compare(a.unit(), b.unit()); c != 0 {
			return c
		}
		return compareRows(a, b)
	})
	n := 0
	for i := range rows {
		if i == 0 || rows[i].unit() != rows[i-1].unit() {
			n++
		}
	}
	all := make([]Update, 0, n)
	for start := 0; start < len(rows); {
		end := start + 1
		for end < len(rows) && rows[end].unit() == rows[start].unit() {
			end++
		}
		all = append(all, newUpdate(rows[start:end:end]))
		start = end
	}
	slices.SortFunc(all, Update.Compare)
	return all
}

// Updates returns the updates of the snapshot, largest first.
func (s Snapshot) Updates() []Update {
	all := Updates(slices.Clone(s.Rows))
	for i, u := range all {
		all[i].Attack = s.attack(u)
	}
	return all
}

// attack returns what the snapshot knows about exploits of an update.
func (s Snapshot) attack(u Update) Attack {
	switch attacked, known := s.Exploited[u.ID()]; {
	case attacked:
		return Attacked
	case known:
		return NotAttacked
	}
	return AttackUnknown
}

// unit identifies the update of a row: its KB or, without one, its name after a space. No KB starts with a space.
func (r Row) unit() string {
	if r.KB == "" {
		return " " + r.Name
	}
	return r.KB
}

// newUpdate builds the update of rows sorted by software, and sums the devices of each software.
func newUpdate(rows []Row) Update {
	u := Update{Rows: rows}
	devices := 0
	for i, r := range rows {
		if i > 0 && r.Software != rows[i-1].Software {
			devices = 0
		}
		devices += r.Devices
		u.Devices = max(u.Devices, devices)
		u.CVEs = max(u.CVEs, r.CVEs)
	}
	return u
}

// ID identifies the update across snapshots.
func (u Update) ID() string { return u.Rows[0].unit() }

// Compare sorts the largest update first: by devices, then by CVEs, then the newest KB.
func (u Update) Compare(other Update) int {
	switch { // numbers first: most updates differ in them, and KBs are read from text
	case u.Devices != other.Devices:
		return cmp.Compare(other.Devices, u.Devices)
	case u.CVEs != other.CVEs:
		return cmp.Compare(other.CVEs, u.CVEs)
	}
	return u.CompareKB(other)
}

// CompareKB sorts the newest KB number first. Ids that are not numbers come last, by name.
func (u Update) CompareKB(other Update) int {
	x, errX := strconv.Atoi(u.KB())
	y, errY := strconv.Atoi(other.KB())
	switch {
	case errX == nil && errY == nil:
		return cmp.Compare(y, x)
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return strings.Compare(u.ID(), other.ID())
}

// KB returns the update's number as Defender reports it; it may be empty.
func (u Update) KB() string { return u.Rows[0].KB }

// Name returns Defender's name of the update.
func (u Update) Name() string { return u.first(func(r Row) string { return r.Name }) }

// Address returns the update's page in the catalog, or "".
func (u Update) Address() string {
	return catalog.URL(u.KB(), u.first(func(r Row) string { return r.URL }))
}

func (u Update) first(of func(Row) string) string {
	for _, r := range u.Rows {
		if s := of(r); s != "" {
			return s
		}
	}
	return ""
}

// Shared reports whether several software ids list the update, so that Devices is a lower bound.
func (u Update) Shared() bool { return u.Rows[0].Software != u.Rows[len(u.Rows)-1].Software }

// Software returns the software ids that list the update, sorted.
func (u Update) Software() []string {
	return u.each(func(r Row) []string { return []string{r.Software} })
}

// Builds returns the OS builds that miss the update, if Defender reports them.
func (u Update) Builds() []string { return u.each(func(r Row) []string { return []string{r.OSBuild} }) }

// Products returns the names of the products that the update is for, if Defender reports them.
func (u Update) Products() []string {
	return u.each(func(r Row) []string { return strings.Split(r.Products, ProductsBetween) })
}

// ProductsBetween separates the names in [Row.Products].
const ProductsBetween = ", "

// each collects words from the rows, without repeats.
func (u Update) each(of func(Row) []string) []string {
	var words []string
	for _, r := range u.Rows {
		for _, w := range of(r) {
			if w != "" && !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	return words
}

// Passes reports whether the filter shows an update.
func (f Filter) Passes(u Update) bool {
	return u.Devices >= f.MinDevices && u.CVEs >= f.MinCVEs && (!f.Exploited || u.Attack == Attacked)
}

// String describes what passes the filter, to follow "only updates".
func (f Filter) String() string {
	var words []string
	if f.Exploited {
		words = append(words, "fixing vulnerabilities under attack")
	}
	if f.MinDevices > 0 {
		words = append(words, "missing on "+view.Count(f.MinDevices, "device")+" or more")
	}
	if f.MinCVEs > 0 {
		words = append(words, "fixing "+view.Count(f.MinCVEs, "CVE")+" or more")
	}
	return strings.Join(words, " and ")
}

// Gap is a patch gap split by a filter. Both lists are sorted, largest update first.
type Gap struct{ Shown, Hidden []Update }

// All returns the shown and the hidden updates.
func (g Gap) All() []Update { return slices.Concat(g.Shown, g.Hidden) }

// Gap splits updates by the filter. It reuses their slice and keeps their order.
func (f Filter) Gap(all []Update) Gap {
	var g Gap
	shown := all[:0]
	for _, u := range all {
		if f.Passes(u) {
			shown = append(shown, u)
		} else {
			g.Hidden = append(g.Hidden, u)
		}
	}
	g.Shown = shown
	return g
}

// Sum adds up updates.
func Sum(all []Update) Totals {
	t := Totals{KBs: len(all)}
	for _, u := range all {
		t.Worst = max(t.Worst, u.Devices)
		t.Missing += u.Devices
		t.CVEs += u.CVEs
	}
	return t
}

// Words returns a sentence on how large the gap is and what the filter hides, so that the shown part never looks like
// the whole. filter names the filter, such as "your filter". where limits the sentence to a part, such as " in what
// could be read"; it is empty for the whole.
func (g Gap) Words(filter, where string) string {
	hidden := len(g.Hidden)
	switch {
	case len(g.Shown) == 0 && hidden == 0:
		return "No missing updates" + where + "."
	case len(g.Shown) == 0 && hidden == 1:
		return "No missing update passes " + filter + where + "; 1 is missing in all, " + largest(g.Hidden) + "."
	case len(g.Shown) == 0:
		return "No missing update passes " + filter + where + "; " + view.Thousands(hidden) + " are missing in all, " + largest(g.Hidden) + "."
	}
	words := view.Count(len(g.Shown), "update") + " missing" + where + ", " + largest(g.Shown)
	if hidden > 0 {
		words += "; " + view.Thousands(hidden) + " more hidden by " + filter
	}
	return words + "."
}

// largest says on how many devices the largest update is missing.
func largest(updates []Update) string {
	u := slices.MinFunc(updates, Update.Compare)
	words := "on " + u.DeviceWords()
	if len(updates) > 1 {
		words = "the largest " + words
	}
	return words
}

// DeviceWords says on how many devices the update is missing.
func (u Update) DeviceWords() string {
	if u.Shared() {
		return "at least " + view.Count(u.Devices, "device")
	}
	return view.Count(u.Devices, "device")
}
