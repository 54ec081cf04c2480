package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

const (
	findingsPage  = 10_000 // the most rows that Defender puts on a page of findings
	findingsPages = 5      // the most pages that one question reads: one cumulative update can have 200,000 rows
)

// Findings are the vulnerability findings that one filter selects, counted.
// Defender sends one row for each device, CVE and product version.
type Findings struct {
	Rows     int              // rows that were read
	Partial  bool             // Defender has more rows than were read: every count is "at least"
	Devices  []DeviceFindings // most CVEs first, then by id
	CVEs     []CVEFindings    // most severe first, then most devices, then by id
	Products []ProductFindings
	KBs      []KBFindings
}

// DeviceFindings is one device among [Findings].
type DeviceFindings struct {
	MachineID string // 40 hexadecimal digits; Defender gives no name here
	CVEs      int
}

// CVEFindings is one CVE among [Findings].
type CVEFindings struct {
	ID       string
	Severity string // "Low", "Medium", "High" or "Critical"; "" when not said
	Devices  int
}

// ProductFindings is one product among [Findings].
type ProductFindings struct {
	Vendor, Name string
	Devices      int
}

// KBFindings is one update that fixes some of [Findings].
type KBFindings struct {
	ID      string // "5094128"; "" counts the rows that no update fixes, as of Edge and of other vendors
	Devices int
}

// KBFindings counts the findings that an update fixes: which CVEs on which devices.
// It reads at most 50,000 rows in five calls, and says so when there are more.
// An update that fixes nothing here has none; that is not an error.
//
// The permission is Vulnerability.Read.All, or Vulnerability.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-all-vulnerabilities-by-machines
func (c *Client) KBFindings(ctx context.Context, kb string, opts ...CallOption) (Answer[Findings], error) {
	return c.findings(ctx, "KBFindings", "fixingKbId eq "+Quote(kb), opts)
}

// CVEFindings counts the findings of a CVE: on which devices, in which products and
// which updates fix it. It reads as much as [Client.KBFindings].
//
// The permission is Vulnerability.Read.All, or Vulnerability.Read when a person signed in.
// https://learn.microsoft.com/defender-endpoint/api/get-all-vulnerabilities-by-machines
func (c *Client) CVEFindings(ctx context.Context, cve string, opts ...CallOption) (Answer[Findings], error) {
	return c.findings(ctx, "CVEFindings", "cveId eq "+Quote(cve), opts)
}

func (c *Client) findings(ctx context.Context, op, filter string, opts []CallOption) (Answer[Findings], error) {
	path := findingsPath + query(filter, 0, 0)
	return ask(ctx, c, question[Findings]{
		path:  path,
		clone: Findings.clone,
		size:  Findings.size,
		fetch: func(ctx context.Context) (Findings, badRows, error) { return c.readFindings(ctx, op, filter) },
	}, opts)
}

const findingsPath = "/api/vulnerabilities/machinesVulnerabilities"

// readFindings reads page by page until there are no more, or the bound is reached.
// Defender links no further page where $top was given, so it is asked by $skip.
func (c *Client) readFindings(ctx context.Context, op, filter string) (Findings, badRows, error) {
	tally := newFindingsTally()
	var bad badRows
	for skip := 0; ; skip = tally.rows + bad.count {
		if tally.pages >= findingsPages {
			tally.partial = true
			break
		}
		more, pageBad, err := c.findingsPages(ctx, op, filter, skip, tally)
		if err != nil {
			return Findings{}, badRows{}, err
		}
		bad.join(pageBad)
		if !more {
			break
		}
	}
	return tally.findings(), bad, nil
}

// findingsPages reads one page, and those that Defender links to it. It reports
// whether another one has to be asked for.
func (c *Client) findingsPages(ctx context.Context, op, filter string, skip int, tally *findingsTally) (more bool, bad badRows, err error) {
	p := pager[finding]{client: c, op: op, decode: decodePage[finding, wireFinding]}
	path := findingsPath + query(filter, findingsPage, skip)
	rows, first := 0, skip == 0
	for page, err := range p.pages(ctx, path) {
		if err != nil {
			return false, bad, err
		}
		if rows == 0 && !first && tally.startsAgain(page.rows) {
			return false, bad, badResponse("GET "+findingsPath, errors.New("the same page came twice"))
		}
		rows += len(page.rows) + page.bad.count
		tally.add(page.rows)
		if tally.pages >= findingsPages && page.next != "" {
			tally.partial = true
			return false, p.bad, nil
		}
	}
	if first {
		if err := p.confirmEmpty(rows, findingsPath); err != nil {
			return false, bad, err
		}
	}
	return p.count == 1 && rows >= findingsPage, p.bad, nil
}

// finding is one row: a device, a CVE and the product that has it.
type finding struct{ machine, cve, severity, vendor, product, kb string }

type wireFinding struct {
	CVE      string  `json:"cveId"`
	Machine  string  `json:"machineId"`
	KB       *string `json:"fixingKbId"`
	Product  string  `json:"productName"`
	Vendor   string  `json:"productVendor"`
	Severity string  `json:"severity"`
}

func (w wireFinding) value() (finding, error) {
	f := finding{machine: w.Machine, cve: strings.TrimSpace(w.CVE), severity: w.Severity, vendor: w.Vendor, product: w.Product}
	switch {
	case f.machine == "":
		return f, errors.New("no machineId")
	case f.cve == "":
		return f, errors.New("no cveId")
	}
	if w.KB != nil {
		f.kb = trimKB(*w.KB)
	}
	return f, nil
}

// findingsTally counts rows. It keeps each device, CVE, product and update once, and which
// of them go together, so that memory grows with what is distinct.
type findingsTally struct {
	rows, pages int
	partial     bool
	first       finding // the first row of the first page

	machines, cves, products, kbs names
	severities                    []string // by CVE
	cveOn, productOn, kbOn        map[onDevice]struct{}
}

// onDevice is a CVE, product or update, and a device.
type onDevice struct{ of, machine int32 }

func newFindingsTally() *findingsTally {
	return &findingsTally{cveOn: map[onDevice]struct{}{}, productOn: map[onDevice]struct{}{}, kbOn: map[onDevice]struct{}{}}
}

// startsAgain guards against a service that ignores $skip.
func (t *findingsTally) startsAgain(page []finding) bool { return len(page) > 0 && page[0] == t.first }

func (t *findingsTally) add(page []finding) {
	if t.pages == 0 && len(page) > 0 {
		t.first = page[0]
	}
	t.pages++
	t.rows += len(page)
	for _, f := range page {
		m := t.machines.number(f.machine)
		cve := t.cves.number(f.cve)
		if int(cve) == len(t.severities) {
			t.severities = append(t.severities, f.severity)
		} else if severityRank(f.severity) > severityRank(t.severities[cve]) {
			t.severities[cve] = f.severity
		}
		t.cveOn[onDevice{cve, m}] = struct{}{}
		t.productOn[onDevice{t.products.number(f.vendor + "\x00" + f.product), m}] = struct{}{}
		t.kbOn[onDevice{t.kbs.number(f.kb), m}] = struct{}{}
	}
}

func (t *findingsTally) findings() Findings {
	f := Findings{Rows: t.rows, Partial: t.partial}
	perMachine := make([]int, len(t.machines.list))
	for p := range t.cveOn {
		perMachine[p.machine]++
	}
	for i, id := range t.machines.list {
		f.Devices = append(f.Devices, DeviceFindings{id, perMachine[i]})
	}
	for i, n := range perKind(t.cveOn, len(t.cves.list)) {
		f.CVEs = append(f.CVEs, CVEFindings{t.cves.list[i], t.severities[i], n})
	}
	for i, n := range perKind(t.productOn, len(t.products.list)) {
		vendor, name, _ := strings.Cut(t.products.list[i], "\x00")
		f.Products = append(f.Products, ProductFindings{vendor, name, n})
	}
	for i, n := range perKind(t.kbOn, len(t.kbs.list)) {
		f.KBs = append(f.KBs, KBFindings{t.kbs.list[i], n})
	}
	f.sort()
	return f
}

func (f Findings) sort() {
	slices.SortFunc(f.Devices, func(a, b DeviceFindings) int {
		return cmp.Or(b.CVEs-a.CVEs, strings.Compare(a.MachineID, b.MachineID))
	})
	slices.SortFunc(f.CVEs, func(a, b CVEFindings) int {
		return cmp.Or(severityRank(b.Severity)-severityRank(a.Severity), b.Devices-a.Devices, strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(f.Products, func(a, b ProductFindings) int {
		return cmp.Or(b.Devices-a.Devices, strings.Compare(a.Vendor, b.Vendor), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(f.KBs, func(a, b KBFindings) int { return cmp.Or(b.Devices-a.Devices, strings.Compare(a.ID, b.ID)) })
}

func (f Findings) clone() Findings {
	f.Devices, f.CVEs = slices.Clone(f.Devices), slices.Clone(f.CVEs)
	f.Products, f.KBs = slices.Clone(f.Products), slices.Clone(f.KBs)
	return f
}

func (f Findings) size() int {
	return 64*(len(f.Devices)+len(f.CVEs)+len(f.Products)+len(f.KBs)) + 40*len(f.Devices) + 200
}

// perKind counts the devices of each.
func perKind(pairs map[onDevice]struct{}, kinds int) []int {
	n := make([]int, kinds)
	for p := range pairs {
		n[p.of]++
	}
	return n
}

// names numbers strings in the order of their first appearance.
type names struct {
	at   map[string]int32
	list []string
}

func (n *names) number(s string) int32 {
	if i, ok := n.at[s]; ok {
		return i
	}
	if n.at == nil {
		n.at = map[string]int32{}
	}
	s = strings.Clone(s)    // the body that it is part of is to be freed
	i := int32(len(n.list)) //nolint:gosec // bounded by the rows that are read
	n.at[s] = i
	n.list = append(n.list, s)
	return i
}

// severityRank orders Defender's severities; what it does not know comes last.
func severityRank(s string) int {
	return 1 + slices.IndexFunc([]string{"Low", "Medium", "High", "Critical"}, func(known string) bool { return strings.EqualFold(known, s) })
}
