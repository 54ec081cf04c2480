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
	Due        time.Time // when US agencies have to act; zero if not stated
	Ransomware bool      // known to be used in ransomware campaigns
	Triage     bool      // CISA asks to check for signs of an attack first
}

// maxEntries bounds the list, which grows by about 250 a year.
const maxEntries = 20_000

var cveID = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)

type wireExploited struct {
	CVE        string `json:"cveID"`
	DateAdded  string `json:"dateAdded"`
	DueDate    string `json:"dueDate"`
	Ransomware string `json:"knownRansomwareCampaignUse"`
	Triage     string `json:"forensicTriage"`
}

// ReadCatalog reads the list entry by entry. It rejects a list whose number of entries differs from the stated one,
// because it was truncated.
func ReadCatalog(r io.Reader) (Catalog, error) {
	d := json.NewDecoder(r)
	var c Catalog
	var released string
	var count *int
	read := 0
	err := object(d, func(key string) error {
		switch key {
		case "catalogVersion":
			return d.Decode(&c.Version)
		case "dateReleased":
			return d.Decode(&released)
		case "count":
			return d.Decode(&count)
		case "vulnerabilities":
			return list(d, func() error {
				if read++; read > maxEntries {
					return fmt.Errorf("it cannot have more than %d entries", maxEntries)
				}
				e, err := readExploited(d)
				if err == nil && cveID.MatchString(e.CVE) {
					c.Entries = append(c.Entries, e)
				}
				return err
			})
		}
		return skip(d)
	})
	if err != nil {
		return Catalog{}, fmt.Errorf("read KEV list: %w", err)
	}
	c.Version = strings.TrimSpace(c.Version)
	switch c.Released, err = time.Parse(time.RFC3339, released); {
	case err != nil:
		return Catalog{}, errors.New("read KEV list: dateReleased is not a time")
	case count == nil || *count != read:
		return Catalog{}, fmt.Errorf("read KEV list: %d entries, which is not the count that it names", read)
	case read == 0:
		return Catalog{}, errors.New("read KEV list: it cannot have 0 entries")
	case len(c.Entries)*100 < read*leastEntries:
		return Catalog{}, fmt.Errorf("read KEV list: %d of %d entries name no CVE", read-len(c.Entries), read)
	}
	slices.SortStableFunc(c.Entries, func(a, b Exploited) int { return strings.Compare(a.CVE, b.CVE) })
	c.Entries = joinTwice(c.Entries)
	return c, nil
}

// readExploited reads one entry. It keeps entries with an unreadable date or other field.
func readExploited(d *json.Decoder) (Exploited, error) {
	var w wireExploited
	err := d.Decode(&w)
	if _, odd := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !odd { // of an odd field the others are read
		return Exploited{}, err
	}
	e := Exploited{
		CVE: strings.ToUpper(strings.TrimSpace(w.CVE)), Ransomware: strings.EqualFold(strings.TrimSpace(w.Ransomware), "Known"), Triage: strings.EqualFold(strings.TrimSpace(w.Triage), "Yes"),
	}
	e.Added, _ = time.Parse(time.DateOnly, strings.TrimSpace(w.DateAdded))
	e.Due, _ = time.Parse(time.DateOnly, strings.TrimSpace(w.DueDate))
	return e, nil
}

// joinTwice joins entries of the same CVE, which follow each other: the earliest dates, and what either says about attacks.
func joinTwice(entries []Exploited) []Exploited {
	var all []Exploited
	for _, e := range entries {
		n := len(all) - 1
		if n < 0 || all[n].CVE != e.CVE {
			all = append(all, e)
			continue
		}
		all[n].Added, all[n].Due = earlier(all[n].Added, e.Added), earlier(all[n].Due, e.Due)
		all[n].Ransomware, all[n].Triage = all[n].Ransomware || e.Ransomware, all[n].Triage || e.Triage
	}
	return all
}

// earlier returns the earlier of two dates, of which either may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
