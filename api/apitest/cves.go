package apitest

import (
	"fmt"
	"slices"
	"time"
)

// A month's CVEs are numbered so that no two families meet: Windows, whose
// lines share most of theirs, has the first 120 numbers of the month, every
// other family 40 of its own.
const (
	cveMonthWidth   = 4000
	cveWindowsWidth = 120
	cveFamilyWidth  = 40
)

// cvesOf are the CVEs that the line's update of the month addresses. The lines
// of a family take the same numbers from the first on, each its own many.
func (h history) cvesOf(i int, m month) []string {
	l := h.lines[i]
	first, width := 0, cveWindowsWidth
	if l.family != "windows" {
		first, width = cveWindowsWidth+h.familyPlace(l)*cveFamilyWidth, cveFamilyWidth
	}
	seed := mix(h.seed, key(l.vendor+l.products), uint64(m))
	return cveIDs(m, first, min(width, max(2, between(l.cves*7/10, l.cves*13/10, seed))))
}

// urgentCVEs are what an out-of-band update of Windows addresses.
func (h history) urgentCVEs(m month) []string {
	return cveIDs(m, cveWindowsWidth-2, 2)
}

// leftoverCVEs are what an old copy of a line's product is open to: some of a
// year before the history begins, which no update of it addresses.
func (b *builtIn) leftoverCVEs(line int) []string {
	m := monthOf(b.start) - historyMonths - 12
	return cveIDs(m, cveWindowsWidth+b.familyPlace(b.lines[line])*cveFamilyWidth, between(1, 4, b.seed, uint64(line)))
}

func cveIDs(m month, first, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("CVE-%d-%d", int(m)/12, 20_000+int(m)%12*cveMonthWidth+first+i)
	}
	return out
}

// familyPlace is the place of the first line of the family.
func (h history) familyPlace(l line) int {
	return slices.IndexFunc(h.lines, func(o line) bool { return o.vendor == l.vendor && o.family == l.family })
}

// inventCVEs are the n CVEs of a KB that was put in by hand.
func inventCVEs(kb string, n, year int) []string {
	out := make([]string, n)
	base := 1000 + int(key(kb)%8000)
	for i := range out {
		out[i] = fmt.Sprintf("CVE-%d-%d", year, base+i)
	}
	return out
}

// vulnerability is one row of /api/vulnerabilities.
// See https://learn.microsoft.com/defender-endpoint/api/vulnerability.
type vulnerability struct {
	ID              string   `json:"id"`
	Name            string   `json:"name"`
	Description     string   `json:"description"`
	Severity        string   `json:"severity"`
	CVSSV3          float64  `json:"cvssV3"`
	ExposedMachines int      `json:"exposedMachines"`
	PublishedOn     string   `json:"publishedOn"`
	UpdatedOn       string   `json:"updatedOn"`
	PublicExploit   bool     `json:"publicExploit"`
	ExploitVerified bool     `json:"exploitVerified"`
	ExploitInKit    bool     `json:"exploitInKit"`
	ExploitTypes    []string `json:"exploitTypes"`
	ExploitURIs     []string `json:"exploitUris"`
	Supportability  string   `json:"cveSupportability"`
	Tags            []string `json:"tags"`
	EPSS            float64  `json:"epss"`
}

// describe invents what is known of a CVE, from its id alone.
func describe(cve, product string, published time.Time, exposed int) vulnerability {
	k := key(cve)
	v := vulnerability{
		ID: cve, Name: cve, CVSSV3: round(3.1+6.7*unit(k, 1), 1), ExposedMachines: exposed,
		Description:   fmt.Sprintf("An invented weakness in %s.", product),
		PublishedOn:   published.UTC().Format(time.DateOnly) + "T00:00:00Z",
		UpdatedOn:     published.AddDate(0, 0, between(0, 5, k, 2)).UTC().Format(time.DateOnly) + "T16:20:00Z",
		PublicExploit: publicExploit(cve), ExploitTypes: []string{}, ExploitURIs: []string{},
		Supportability: "Supported", Tags: []string{}, EPSS: round(unit(k, 3)*unit(k, 4)*unit(k, 5), 3),
	}
	v.Severity = severity(v.CVSSV3)
	if v.PublicExploit {
		v.ExploitTypes = []string{"Remote"}
		v.ExploitVerified = unit(k, 6) < .5
	}
	return v
}

func publicExploit(cve string) bool { return unit(key(cve), 7) < .03 }

func severity(cvss float64) string {
	switch {
	case cvss >= 9:
		return "Critical"
	case cvss >= 7:
		return "High"
	case cvss >= 4:
		return "Medium"
	}
	return "Low"
}

func severityOf(cve string) string {
	return severity(round(3.1+6.7*unit(key(cve), 1), 1))
}
