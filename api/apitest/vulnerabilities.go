package apitest

import "strings"

func vulnerabilityFields() fields[vulnerability] {
	return fields[vulnerability]{
		"id":          func(v vulnerability) any { return v.ID },
		"name":        func(v vulnerability) any { return v.Name },
		"description": func(v vulnerability) any { return v.Description },
		"cvssV3":      func(v vulnerability) any { return v.CVSSV3 },
		"publishedOn": func(v vulnerability) any { return v.PublishedOn },
		"updatedOn":   func(v vulnerability) any { return v.UpdatedOn },
		"severity":    func(v vulnerability) any { return v.Severity },
	}
}

func (t *Tenant) listVulnerabilities(q *request) reply {
	opts, bad := parseQuery(q.URL.RawQuery, vulnerabilityFields())
	if bad != nil {
		return *bad
	}
	encoded, rows := q.data.vulnerabilityRows(), encodedRows{}
	for i, v := range q.data.vulnerabilities() {
		if opts.keeps(v) {
			rows = append(rows, encoded[i])
		}
	}
	return paged(t, q, opts.window, ofVulnerabilities, rows)
}

func (t *Tenant) oneVulnerability(q *request) reply {
	cve := strings.ToUpper(q.path[1])
	if _, known := q.data.gapsByCVE[cve]; !known {
		return unknown("Vulnerability", q.path[1])
	}
	return q.one(ofVulnerabilities, q.data.describe(cve))
}

func (t *Tenant) vulnerabilityMachines(q *request) reply {
	cve := strings.ToUpper(q.path[1])
	if _, known := q.data.gapsByCVE[cve]; !known {
		return unknown("Vulnerability", q.path[1])
	}
	return q.list(ofReferences, q.data.references(q.data.exposedTo(cve)))
}
