package advisory

import (
	"slices"
	"strings"
	"time"
)

// Document is one monthly security document of MSRC, reduced to what it says about updates with a KB number.
//
// https://api.msrc.microsoft.com/cvrf/v3.0/swagger/v3/swagger.json
type Document struct {
	ID       string    // "2026-Sep"; rarely with a letter: "2017-May-B"
	Released time.Time // first publication
	Revised  time.Time // current revision
	Updates  []Update  // sorted by KB
	CVEs     []CVE     // those fixed by an update, sorted by ID
}

// Update is what a document says about one update.
type Update struct {
	KB         string   // digits only
	Kind       Kind     // what sort of update it is
	Restart    string   // "Yes", "Maybe", "No" or ""
	Supersedes []string // KB numbers that it replaces, sorted; never its own
	Builds     []Build  // the build that it updates each product to, sorted
	CVEs       []string // ids of the CVEs it fixes, sorted
}

// Kind is a kind of update, as far as it affects which update contains which.
type Kind string

// The kinds of updates.
const (
	Cumulative   Kind = ""              // contains all earlier ones for the product
	SecurityOnly Kind = "security only" // only the fixes of one month
	Hotpatch     Kind = "hotpatch"      // has its own chain, with builds equal to those of cumulative updates
	Other        Kind = "other"         // servicing stacks, previews and standalone updates
)

// Build is the build that an update brings a product to.
type Build struct {
	Product  string // MSRC's ProductID: "12390" is Windows 11 24H2 on x64
	Line     int    // the third number of the build: 26100
	Revision int    // the fourth: 9445
}

// CVE is what MSRC says about a CVE.
type CVE struct {
	ID        string
	Severity  string  // "Critical", "Important", "Moderate", "Low" or ""; the highest of its products
	CVSS      float64 // base score, the highest of its products; 0 if unknown
	Exploited bool    // exploited at the time of publication; rarely revised later
	Disclosed bool    // publicly known before there was an update
}

// SeverityRank orders MSRC's severities from 1 up; unknown ones are 0.
func SeverityRank(s string) int {
	return 1 + slices.IndexFunc([]string{"low", "moderate", "important", "critical"}, func(known string) bool {
		return strings.EqualFold(known, strings.TrimSpace(s))
	})
}
