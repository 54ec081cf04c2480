package digest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/missingkbs/missingkbs/internal/catalog"
)

// Update is the unit in which everything is counted: one KB, and the devices that lack it. Defender gives a row for
// each software and OS build. A device has one OS build, so the rows of one software add up. A device may have several
// of the software ids that share a KB, so these do not: the one with most devices counts, and more devices may lack the
// KB than that ([Update.Shared]).
type Update struct {
	Rows    []Row // its rows, sorted by software and OS build; at least one
	Devices int   // that lack it, at least
	CVEs    int   // that it fixes: the most that any row says
}

// Updates are the KBs of rows, the largest first: by devices, then by CVEs, then the newest KB. It keeps rows and sorts
// them: there may be so many that a copy would count.
func Updates(rows []Row) []Update {
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(strings.Compare(a.unit(), b.unit()), compareRows(a, b)) })
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

// updates are the KBs of the snapshot's rows, the largest first.
func (s Snapshot) updates() []Update { return Updates(slices.Clone(s.Rows)) }

// unit names the update that a row belongs to. Without a KB only the name tells two updates apart; no KB begins with a
// space.
func (r Row) unit() string {
	if r.KB == "" {
		return " " + r.Name
	}
	return r.KB
}

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

func (u Update) unit() string { return u.Rows[0].unit() }

// Compare orders updates, the largest first: by devices, then by CVEs, then the newest KB.
func (u Update) Compare(other Update) int {
	return cmp.Or(cmp.Compare(other.Devices, u.Devices), cmp.Compare(other.CVEs, u.CVEs), u.CompareKB(other))
}

// CompareKB orders updates by KB number, the newest first; ids that are no numbers come last, by name.
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
	return strings.Compare(u.unit(), other.unit())
}

// KB is the number of the update as Defender gives it; it may be empty.
func (u Update) KB() string { return u.Rows[0].KB }

// Name is what Defender calls the update.
func (u Update) Name() string { return u.first(func(r Row) string { return r.Name }) }

// Address is the update's page in the catalog, or empty where it has none.
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

// Shared reports whether several software ids list the update, so that more than Devices may lack it.
func (u Update) Shared() bool { return u.Rows[0].Software != u.Rows[len(u.Rows)-1].Software }

// Software are the ids of the software that lists the update, sorted.
func (u Update) Software() []string {
	return u.each(func(r Row) []string { return []string{r.Software} })
}

// Builds are the OS builds that the update is missing on, as far as Defender says.
func (u Update) Builds() []string { return u.each(func(r Row) []string { return []string{r.OSBuild} }) }

// Products are the names of the products that the update is for, as far as Defender says.
func (u Update) Products() []string {
	return u.each(func(r Row) []string { return strings.Split(r.Products, ProductsBetween) })
}

// ProductsBetween stands between the names in [Row.Products].
const ProductsBetween = ", "

// each collects what the rows say, each word once.
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

// Passes reports whether an update is big enough to tell.
func (f Filter) Passes(u Update) bool { return u.Devices >= f.MinDevices && u.CVEs >= f.MinCVEs }

// Gap is a patch gap counted in updates: those that pass a filter, and those that do not. Both are sorted, the largest
// first.
type Gap struct{ Shown, Hidden []Update }

func (g Gap) all() []Update { return slices.Concat(g.Shown, g.Hidden) }

// Gap parts updates by a filter. It keeps them, and their order.
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

// Sum counts updates.
func Sum(all []Update) Totals {
	t := Totals{KBs: len(all)}
	for _, u := range all {
		t.Worst = max(t.Worst, u.Devices)
		t.Missing += u.Devices
		t.CVEs += u.CVEs
	}
	return t
}

// Words say how large a gap is and what the filter hides of it, in a sentence. What the filter leaves over is never told
// as all there is. filter is what the filter is called, such as "your filter"; where limits what is said to a part, such
// as " in what could be read", and is empty for all.
func (g Gap) Words(filter, where string) string {
	hidden := len(g.Hidden)
	switch {
	case len(g.Shown) == 0 && hidden == 0:
		return "No missing updates" + where + "."
	case len(g.Shown) == 0 && hidden == 1:
		return "No missing update passes " + filter + where + "; 1 is missing in all, " + largest(g.Hidden) + "."
	case len(g.Shown) == 0:
		return "No missing update passes " + filter + where + "; " + plain(hidden) + " are missing in all, " + largest(g.Hidden) + "."
	}
	words := plural(len(g.Shown), "update") + " missing" + where + ", " + largest(g.Shown)
	if hidden > 0 {
		words += "; " + plain(hidden) + " more hidden by " + filter
	}
	return words + "."
}

// largest says on how many devices the largest of some updates is missing.
func largest(updates []Update) string {
	u := slices.MinFunc(updates, Update.Compare)
	words := "on " + u.devices()
	if len(updates) > 1 {
		words = "the largest " + words
	}
	return words
}

// devices says how many devices lack an update.
func (u Update) devices() string {
	if u.Shared() {
		return "at least " + plural(u.Devices, "device")
	}
	return plural(u.Devices, "device")
}
