package apitest

import "slices"

// softwareRow is a software as sent: with three fields that no page documents.
type softwareRow struct {
	Software
	IsNormalized  bool   `json:"isNormalized"`
	Category      string `json:"category"`
	Distributions []any  `json:"distributions"`
}

func rowOf(s Software) softwareRow {
	return softwareRow{Software: s, IsNormalized: true, Distributions: []any{}}
}

// machineReference is one row of machineReferences.
// See https://learn.microsoft.com/defender-endpoint/api/get-machines-by-software.
type machineReference struct {
	ID              string  `json:"id"`
	ComputerDNSName string  `json:"computerDnsName"`
	OSPlatform      string  `json:"osPlatform"`
	RBACGroupName   *string `json:"rbacGroupName"`
	RBACGroupID     int     `json:"rbacGroupId"`
}

func softwareFields() fields[Software] {
	return fields[Software]{
		"id":     func(s Software) any { return s.ID },
		"name":   func(s Software) any { return s.Name },
		"vendor": func(s Software) any { return s.Vendor },
	}
}

func (t *Tenant) listSoftware(q *request) reply {
	opts, bad := parseQuery(q.URL.RawQuery, softwareFields())
	if bad != nil {
		return *bad
	}
	var rows []softwareRow
	for _, i := range q.data.software {
		if opts.keeps(i.Software) {
			rows = append(rows, rowOf(i.Software))
		}
	}
	return paged(t, q, opts.window, ofSoftware, rows)
}

func oneSoftware(q *request, i inventory) reply {
	return q.one(ofSoftware, rowOf(i.Software))
}

func softwareKBs(q *request, i inventory) reply {
	kbs := []kbRow{}
	for _, place := range i.gaps {
		if g := q.data.gaps[place]; g.isKB() {
			kbs = append(kbs, g.row())
		}
	}
	return q.list(ofFixes, kbs)
}

func softwareDistributions(q *request, i inventory) reply {
	return q.list(ofDistributions, q.data.distributions(i))
}

func softwareMachines(q *request, i inventory) reply {
	return q.list(ofReferences, q.data.references(i.machines))
}

func softwareVulnerabilities(q *request, i inventory) reply {
	return q.list(ofFound, q.data.describeAll(q.data.cves(i.gaps)))
}

func (s *snapshot) references(machines []int32) []machineReference {
	out := make([]machineReference, len(machines))
	for i, place := range machines {
		m := s.machines[place]
		out[i] = machineReference{m.ID, m.ComputerDNSName, m.OSPlatform, orNull(m.RBACGroupName), m.RBACGroupID}
	}
	return out
}

func (s *snapshot) describeAll(cves []string) []vulnerability {
	out := make([]vulnerability, len(cves))
	for i, cve := range cves {
		out[i] = s.describe(cve)
	}
	return out
}

// describe tells of a CVE that some gap leaves open.
func (s *snapshot) describe(cve string) vulnerability {
	first := s.gaps[s.gapsByCVE[cve][0]]
	return describe(cve, s.software[first.software[0]].Name, first.released, len(s.exposedTo(cve)))
}

// exposedTo are the machines that are open to a CVE.
func (s *snapshot) exposedTo(cve string) []int32 {
	var out []int32
	for _, g := range s.gapsByCVE[cve] {
		out = append(out, s.gaps[g].lacking...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
