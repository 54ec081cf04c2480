package apitest

import (
	"bytes"
	"iter"
	"slices"
	"strings"
)

// asset is one row of machinesVulnerabilities: a CVE on a machine in a product.
// See https://learn.microsoft.com/defender-endpoint/api/get-all-vulnerabilities-by-machines.
type asset struct {
	cve string
	*assetFrame
}

// assetFrame is what the rows of one machine and product share.
type assetFrame struct {
	machineID, product, vendor, version string
	kb                                  string // "" is sent as null: the fix is no KB

	parts [3][]byte // the row's JSON, but for the CVE twice and its severity
}

func (a asset) id() string { return a.machineID + "-_-" + a.cve + a.idEnd() }

func (f *assetFrame) idEnd() string {
	return strings.Join([]string{"", f.vendor, f.product, f.version, f.kb}, "-_-")
}

// prepare encodes what the rows share: there are thousands of them.
func (f *assetFrame) prepare() {
	text := func(s string) string { return string(bytes.Trim(encode(s), `"`)) }
	f.parts[0] = []byte(`{"id":"` + text(f.machineID+"-_-"))
	f.parts[1] = []byte(text(f.idEnd()) + `","cveId":"`)
	f.parts[2] = slices.Concat([]byte(`","machineId":`), encode(f.machineID), []byte(`,"fixingKbId":`), encode(orNull(f.kb)),
		[]byte(`,"productName":`), encode(f.product), []byte(`,"productVendor":`), encode(f.vendor),
		[]byte(`,"productVersion":`), encode(f.version), []byte(`,"severity":"`))
}

func (a asset) encoded() []byte {
	return slices.Concat(a.parts[0], []byte(a.cve), a.parts[1], []byte(a.cve), a.parts[2], []byte(severityOf(a.cve)), []byte(`"}`))
}

func assetFields() fields[asset] {
	return fields[asset]{
		"id":             func(a asset) any { return a.id() },
		"cveId":          func(a asset) any { return a.cve },
		"machineId":      func(a asset) any { return a.machineID },
		"fixingKbId":     func(a asset) any { return nullable(a.kb) },
		"productName":    func(a asset) any { return a.product },
		"productVendor":  func(a asset) any { return a.vendor },
		"productVersion": func(a asset) any { return a.version },
		"severity":       func(a asset) any { return severityOf(a.cve) },
	}
}

// listAssetVulnerabilities goes through the rows without making them all:
// there are tens of thousands. A filter on one KB looks at that one only.
func (t *Tenant) listAssetVulnerabilities(q *request) reply {
	opts, bad := parseQuery(q.URL.RawQuery, assetFields())
	if bad != nil {
		return *bad
	}
	places := q.data.allGaps()
	if kb, only := opts.filter.only("fixingKbId"); only {
		places = slices.Values(q.data.gapsByKB[kb])
	}
	end := opts.window.end(t.pageSize) + 1 // one more, to know whether there are more
	rows := encodedRows{}
	for a := range q.data.assets(places) {
		if !opts.keeps(a) {
			continue
		}
		if len(rows) < opts.window.skip {
			rows = append(rows, nil) // only counted
		} else {
			rows = append(rows, a.encoded())
		}
		if len(rows) == end {
			break
		}
	}
	return paged(t, q, opts.window, ofAssets, rows)
}

// allGaps gives the places of all gaps.
func (s *snapshot) allGaps() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i := range s.gaps {
			if !yield(int32(i)) {
				return
			}
		}
	}
}

// assets gives a row for each machine, product and CVE of the gaps.
func (s *snapshot) assets(places iter.Seq[int32]) iter.Seq[asset] {
	return func(yield func(asset) bool) {
		for place := range places {
			g := s.gaps[place]
			for _, m := range g.lacking {
				for _, w := range g.software {
					if s.software[w].has(m) && !s.yieldAssets(g, m, s.software[w], yield) {
						return
					}
				}
			}
		}
	}
}

func (s *snapshot) yieldAssets(g gap, machine int32, i inventory, yield func(asset) bool) bool {
	f := &assetFrame{
		machineID: s.machines[machine].ID, product: i.Name, vendor: i.Vendor,
		version: s.version(i, machine), kb: strings.TrimPrefix(g.ID, "KB"),
	}
	f.prepare()
	for _, cve := range g.cves {
		if !yield(asset{cve, f}) {
			return false
		}
	}
	return true
}
