package apitest

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// builtIn is the invented tenant: what never changes when its clock moves.
type builtIn struct {
	history
	start    time.Time
	products []product
	owners   []int // by line: the place of its first product
	devices  []*device
	edge     []int32 // the devices that lack the KB of the example
}

func newBuiltIn(seed uint64, start time.Time) *builtIn {
	products, lines := catalog()
	b := &builtIn{
		history:  history{seed: seed, lines: lines},
		start:    start,
		products: products,
		devices:  makeDevices(seed, start, products),
	}
	for _, l := range lines {
		b.owners = append(b.owners, slices.IndexFunc(products, l.owns))
	}
	b.edge = b.chooseEdge()
	return b
}

func (l line) owns(p product) bool {
	return l.vendor == p.vendor && l.names()[0] == p.name
}

// chooseEdge takes as many Windows clients as lack the example's KB, spread
// over all groups, and none that will be forgotten.
func (b *builtIn) chooseEdge() []int32 {
	var clients []int32
	for i, d := range b.devices {
		if d.on&onClients != 0 && d.goneAt.IsZero() {
			clients = append(clients, int32(i))
		}
	}
	slices.SortFunc(clients, func(x, y int32) int {
		return cmp.Compare(mix(b.devices[x].key, 9), mix(b.devices[y].key, 9))
	})
	clients = clients[:min(len(clients), edgeDevices)]
	slices.Sort(clients)
	return clients
}

// edgeDevices is how many devices lack the example's KB.
const edgeDevices = 240

// EdgeExample is the example of Defender's own page on missing KBs: the old
// Edge with one KB, on 240 devices. The built-in data always hold it, whatever
// the clock says.
// See https://learn.microsoft.com/defender-endpoint/api/get-missing-kbs-software.
func EdgeExample() (Software, KB) {
	s := Software{
		ID: "microsoft-_-edge", Name: "edge", Vendor: "microsoft", Weaknesses: 14, PublicExploit: true,
		ExposedMachines: edgeDevices, InstalledMachines: edgeDevices, ImpactScore: 2.39947438,
	}
	kb := KB{
		ID: "4540673", Name: "March 2020 Security Updates", ProductsNames: []string{"edge"},
		URL: catalogURL("4540673"), MachineMissedOn: edgeDevices, CVEAddressed: 14,
	}
	return s, kb
}

// markupExample is a program with a KB whose name would be markup, if anyone
// took it for that: it pings a channel in Slack and hides an address.
func markupExample() (Software, KB) {
	s := Software{
		ID: "contoso-_-markup_tester", Name: "markup_tester", Vendor: "contoso", Weaknesses: 1,
		ExposedMachines: 3, InstalledMachines: 3, ImpactScore: 0.01,
	}
	kb := KB{
		ID: "5079999", Name: "<!channel> & *bold* _it_ ~no~ `code` <@U012ABCDEF> <https://example.com|link> \"quoted\"",
		OSBuild: 19045, ProductsNames: []string{"markup_tester"}, URL: catalogURL("5079999"),
		MachineMissedOn: 3, CVEAddressed: 1,
	}
	return s, kb
}

// Generate makes n KBs as one software would have them, for benchmarks: same
// n, same KBs. Ids are distinct, counts fall from row to row.
func Generate(n int) []KB {
	out := make([]KB, n)
	for i := range out {
		id := strconv.Itoa(5_000_000 + i)
		m := firstMonth - month(i%60)
		out[i] = KB{
			ID: id, Name: m.String() + " Security Updates", OSBuild: 17763 + i%8000,
			ProductsNames: []string{"windows_10", "internet_explorer"}, URL: catalogURL(id),
			MachineMissedOn: n - i, CVEAddressed: between(1, 97, uint64(i)),
		}
	}
	return out
}
