package advisory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Catalog is CISA's list of known exploited vulnerabilities.
//
// https://www.cisa.gov/known-exploited-vulnerabilities-catalog
type Catalog struct {
	Version  string // "2026.11.28"
	Released time.Time
	Entries  []Exploited // sorted by CVE
}

// Exploited is one CVE of the list.
type Exploited struct {
	CVE        string
	Added      time.Time // a day
	Due        time.Time // by when US agencies have to act; zero where it is not said
	Ransomware bool      // known to be used by ransomware
	Triage     bool      // CISA asks to look for traces of an attack first
}

// maxEntries bounds the list, which grows by some 250 a year.
const maxEntries = 100_000

var cveID = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)

type wireCatalog struct {
	CatalogVersion  string          `json:"catalogVersion"`
	DateReleased    string          `json:"dateReleased"`
	Count           *int            `json:"count"`
	Vulnerabilities []wireExploited `json:"vulnerabilities"`
}

type wireExploited struct {
	CVE        string `json:"cveID"`
	DateAdded  string `json:"dateAdded"`
	DueDate    string `json:"dueDate"`
	Ransomware string `json:"knownRansomwareCampaignUse"`
	Triage     string `json:"forensicTriage"`
}

// ReadCatalog reads the list. It is refused where the number of its entries is not the one that it names, for then it was
// cut on the way.
func ReadCatalog(r io.Reader) (Catalog, error) {
	var w wireCatalog
	if err := json.NewDecoder(r).Decode(&w); err != nil {
		return Catalog{}, fmt.Errorf("read KEV list: %w", err)
	}
	c := Catalog{Version: strings.TrimSpace(w.CatalogVersion)}
	var err error
	switch c.Released, err = time.Parse(time.RFC3339, w.DateReleased); {
	case err != nil:
		return Catalog{}, errors.New("read KEV list: dateReleased is not a time")
	case w.Count == nil || *w.Count != len(w.Vulnerabilities):
		return Catalog{}, fmt.Errorf("read KEV list: %d entries, which is not the count that it names", len(w.Vulnerabilities))
	case len(w.Vulnerabilities) == 0 || len(w.Vulnerabilities) > maxEntries:
		return Catalog{}, fmt.Errorf("read KEV list: it cannot have %d entries", len(w.Vulnerabilities))
	}
	for _, v := range w.Vulnerabilities {
		e := Exploited{
			CVE: strings.ToUpper(strings.TrimSpace(v.CVE)), Ransomware: strings.EqualFold(v.Ransomware, "Known"), Triage: strings.EqualFold(v.Triage, "Yes"),
		}
		if !cveID.MatchString(e.CVE) {
			return Catalog{}, fmt.Errorf("read KEV list: %q is not a CVE", v.CVE[:min(len(v.CVE), 40)])
		}
		// A day that cannot be read is not worth the entry.
		e.Added, _ = time.Parse(time.DateOnly, v.DateAdded)
		e.Due, _ = time.Parse(time.DateOnly, v.DueDate)
		c.Entries = append(c.Entries, e)
	}
	slices.SortStableFunc(c.Entries, func(a, b Exploited) int { return strings.Compare(a.CVE, b.CVE) })
	c.Entries = slices.CompactFunc(c.Entries, func(a, b Exploited) bool { return a.CVE == b.CVE })
	return c, nil
}
