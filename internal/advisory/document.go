package advisory

import (
	"slices"
	"strings"
	"time"
)

// Document is one monthly security document of MSRC, as far as it says something about updates with a KB number.
//
// https://api.msrc.microsoft.com/cvrf/v3.0/swagger/v3/swagger.json
type Document struct {
	ID       string    // "2026-Sep"; rarely with a letter behind: "2017-May-B"
	Released time.Time // when it was published first
	Revised  time.Time // its current revision
	Updates  []Update  // sorted by KB
	CVEs     []CVE     // those that an update fixes, sorted by ID
}

// Update is what a document says of one update.
type Update struct {
	KB         string   // digits only
	Kind       Kind     // what sort of update it is
	Restart    string   // "Yes", "Maybe", "No" or ""
	Supersedes []string // KB numbers that it replaces, sorted; never its own
	Builds     []Build  // which products it brings to which build, sorted
	CVEs       []string // that it fixes, sorted
}

// Kind is a sort of update, as far as it matters for which one contains which.
type Kind string

// The kinds of updates.
const (
	Cumulative   Kind = ""              // contains what came before it for the product
	SecurityOnly Kind = "security only" // one month's fixes alone
	Hotpatch     Kind = "hotpatch"      // has a chain of its own, and builds that equal those of cumulative updates
	Other        Kind = "other"         // servicing stacks, previews and what stands alone
)

// Build is the build that an update brings a product to.
type Build struct {
	Product  string // MSRC's ProductID: "12390" is Windows 11 24H2 on x64
	Line     int    // the third number of the build: 26100
	Revision int    // the fourth: 9445
}

// CVE is what MSRC says of a CVE.
type CVE struct {
	ID        string
	Severity  string  // "Critical", "Important", "Moderate", "Low" or ""; the highest of its products
	CVSS      float64 // base score, the highest of its products; 0 where none is given
	Exploited bool    // seen exploited when it was published; rarely revised later
	Disclosed bool    // was known before there was an update
}

// SeverityRank orders MSRC's severities; what is not one comes last, with 0.
func SeverityRank(s string) int {
	return 1 + slices.IndexFunc([]string{"low", "moderate", "important", "critical"}, func(known string) bool {
		return strings.EqualFold(known, strings.TrimSpace(s))
	})
}
