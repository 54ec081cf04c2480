package advisory

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
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

// The types of threats and remediations in a document.
const (
	exploitThreat  = 1
	severityThreat = 3
	vendorFix      = 2
)

// maxCVEs and maxUpdates bound what one document may hold. The largest yet has some 4,000 CVEs and 500 updates.
const (
	maxCVEs    = 50_000
	maxUpdates = 20_000
)

var (
	documentID = regexp.MustCompile(`^\d{4}-[A-Za-z]{3}(-[A-Z])?$`)
	kbNumber   = regexp.MustCompile(`^(?i:KB)?\s*([0-9]{6,8})$`)
	numbers    = regexp.MustCompile(`(?i)\bMS\d{2}-\d+\b|\b\d{6,8}\b`)
	windows    = regexp.MustCompile(`^(?:10\.0|6\.[0-3])\.(\d{4,5})\.(\d{1,6})$`)
)

type text struct {
	Value string `json:"Value"`
}

type wireTracking struct {
	Identification struct {
		ID text `json:"ID"`
	} `json:"Identification"`
	InitialReleaseDate string `json:"InitialReleaseDate"`
	CurrentReleaseDate string `json:"CurrentReleaseDate"`
}

type wireVulnerability struct {
	CVE     string `json:"CVE"`
	Threats []struct {
		Type        *int `json:"Type"`
		Description text `json:"Description"`
	} `json:"Threats"`
	CVSSScoreSets []struct {
		BaseScore float64 `json:"BaseScore"`
	} `json:"CVSSScoreSets"`
	Remediations []wireRemediation `json:"Remediations"`
}

type wireRemediation struct {
	Type            *int     `json:"Type"`
	SubType         string   `json:"SubType"`
	Description     text     `json:"Description"`
	Supercedence    string   `json:"Supercedence"`
	FixedBuild      string   `json:"FixedBuild"`
	RestartRequired text     `json:"RestartRequired"`
	ProductID       []string `json:"ProductID"`
}

// ReadDocument reads a document as a stream, one vulnerability at a time: documents have 20 MB. What does not belong to
// an update is left out; what is not a document at all is an error.
func ReadDocument(r io.Reader) (Document, error) {
	b := builder{updates: map[string]*Update{}, cves: map[string]CVE{}}
	d := json.NewDecoder(r)
	err := object(d, func(key string) error {
		switch key {
		case "DocumentTracking":
			var t wireTracking
			if err := d.Decode(&t); err != nil {
				return err
			}
			return b.tracking(t)
		case "Vulnerability":
			return list(d, func() error {
				var v wireVulnerability
				if err := d.Decode(&v); err != nil {
					return err
				}
				return b.vulnerability(v)
			})
		}
		return skip(d)
	})
	switch {
	case err != nil:
		return Document{}, fmt.Errorf("read CVRF document: %w", err)
	case !documentID.MatchString(b.doc.ID):
		return Document{}, errors.New("read CVRF document: it has no ID of a month")
	}
	return b.document(), nil
}

// object reads an object, calling member for each of its keys to read the value.
func object(d *json.Decoder, member func(key string) error) error {
	if err := expect(d, '{'); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if err := member(name); err != nil {
			return err
		}
	}
	return expect(d, '}')
}

// list reads a list, calling element to read each of its values; null is an empty one.
func list(d *json.Decoder, element func() error) error {
	t, err := d.Token()
	if err != nil || t == nil {
		return err
	}
	if t != json.Delim('[') {
		return fmt.Errorf("%v where a list should be", t)
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return expect(d, ']')
}

func expect(d *json.Decoder, want json.Delim) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("unexpected %v, want %v", t, want)
	}
	return nil
}

// skip passes over a value token by token, so that a large one takes no memory.
func skip(d *json.Decoder) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// builder gathers a document.
type builder struct {
	doc     Document
	updates map[string]*Update
	cves    map[string]CVE
}

func (b *builder) tracking(t wireTracking) (err error) {
	b.doc.ID = t.Identification.ID.Value
	if b.doc.Released, err = documentTime(t.InitialReleaseDate); err != nil {
		return fmt.Errorf("InitialReleaseDate: %w", err)
	}
	if b.doc.Revised, err = documentTime(t.CurrentReleaseDate); err != nil {
		return fmt.Errorf("CurrentReleaseDate: %w", err)
	}
	return nil
}

// documentTime reads a time of MSRC: UTC, with or without saying so.
func documentTime(s string) (time.Time, error) {
	s = strings.TrimSuffix(s, "Z")
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("not a time")
}

func (b *builder) vulnerability(v wireVulnerability) error {
	id := strings.ToUpper(strings.TrimSpace(v.CVE))
	if id == "" {
		return nil
	}
	fixed := false
	for _, r := range v.Remediations {
		if r.Type == nil || *r.Type != vendorFix {
			continue
		}
		if number := kbNumber.FindStringSubmatch(strings.TrimSpace(r.Description.Value)); number != nil {
			fixed = true
			b.update(number[1], id, r)
		}
	}
	if !fixed {
		return nil
	}
	c := CVE{ID: id}
	for _, t := range v.Threats {
		switch {
		case t.Type == nil:
		case *t.Type == exploitThreat:
			status := fields(t.Description.Value)
			c.Exploited = c.Exploited || strings.EqualFold(status["exploited"], "yes")
			c.Disclosed = c.Disclosed || strings.EqualFold(status["publicly disclosed"], "yes")
		case *t.Type == severityThreat && SeverityRank(t.Description.Value) > SeverityRank(c.Severity):
			c.Severity = strings.TrimSpace(t.Description.Value)
		}
	}
	for _, s := range v.CVSSScoreSets {
		if s.BaseScore > c.CVSS && s.BaseScore <= 10 {
			c.CVSS = s.BaseScore
		}
	}
	b.cves[id] = c
	if len(b.cves) > maxCVEs || len(b.updates) > maxUpdates {
		return errors.New("more CVEs or updates than a month can have")
	}
	return nil
}

// fields are the words of an exploit status: "Publicly Disclosed:No;Exploited:Yes;DOS:N/A".
func fields(status string) map[string]string {
	m := map[string]string{}
	for part := range strings.SplitSeq(status, ";") {
		if name, value, ok := strings.Cut(part, ":"); ok {
			m[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return m
}

func (b *builder) update(kb, cve string, r wireRemediation) {
	u := b.updates[kb]
	if u == nil {
		u = &Update{KB: kb, Kind: kindOf(r.SubType), Restart: strings.TrimSpace(r.RestartRequired.Value)}
		b.updates[kb] = u
	}
	if n := len(u.CVEs); n == 0 || u.CVEs[n-1] != cve {
		u.CVEs = append(u.CVEs, cve)
	}
	for _, old := range superseded(r.Supercedence) {
		if old != kb && !slices.Contains(u.Supersedes, old) {
			u.Supersedes = append(u.Supersedes, old)
		}
	}
	builds := buildsOf(r.FixedBuild)
	for _, product := range r.ProductID {
		for _, build := range builds {
			build.Product = product
			if !slices.Contains(u.Builds, build) {
				u.Builds = append(u.Builds, build)
			}
		}
	}
}

// kindOf reads a SubType, of which MSRC has several spellings.
func kindOf(subType string) Kind {
	s := strings.ToLower(strings.ReplaceAll(subType, " ", ""))
	switch {
	case strings.Contains(s, "hotpatch"):
		return Hotpatch
	case strings.Contains(s, "securityonly"):
		return SecurityOnly
	case strings.Contains(s, "servicingstack"), strings.Contains(s, "preview"), strings.Contains(s, "standalone"), strings.Contains(s, "iecumulative"):
		return Other
	}
	return Cumulative
}

// superseded are the KB numbers of a Supercedence: one or several, among bulletins such as "MS16-110, 3187754".
func superseded(s string) []string {
	var kbs []string
	for _, n := range numbers.FindAllString(s, -1) {
		if !strings.HasPrefix(strings.ToUpper(n), "MS") {
			kbs = append(kbs, n)
		}
	}
	return kbs
}

// buildsOf reads a FixedBuild. Only builds of Windows are read, for no others can be ordered by their last number.
func buildsOf(s string) []Build {
	var builds []Build
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == ',' || r == ' ' || r == '\u200b' }) {
		m := windows.FindStringSubmatch(strings.TrimRight(strings.TrimLeft(part, "vV"), "."))
		if m == nil {
			continue
		}
		line, errLine := strconv.Atoi(m[1])
		revision, errRevision := strconv.Atoi(m[2])
		if errLine == nil && errRevision == nil {
			builds = append(builds, Build{Line: line, Revision: revision})
		}
	}
	return builds
}

// document orders what was gathered.
func (b *builder) document() Document {
	d := b.doc
	for _, u := range b.updates {
		slices.Sort(u.CVEs)
		u.CVEs = slices.Compact(u.CVEs)
		slices.Sort(u.Supersedes)
		slices.SortFunc(u.Builds, func(x, y Build) int {
			return cmp.Or(strings.Compare(x.Product, y.Product), x.Line-y.Line, x.Revision-y.Revision)
		})
		d.Updates = append(d.Updates, *u)
	}
	slices.SortFunc(d.Updates, func(x, y Update) int { return strings.Compare(x.KB, y.KB) })
	for _, c := range b.cves {
		d.CVEs = append(d.CVEs, c)
	}
	slices.SortFunc(d.CVEs, func(x, y CVE) int { return strings.Compare(x.ID, y.ID) })
	return d
}

// SeverityRank orders MSRC's severities; what is not one comes last, with 0.
func SeverityRank(s string) int {
	return 1 + slices.IndexFunc([]string{"low", "moderate", "important", "critical"}, func(known string) bool {
		return strings.EqualFold(known, strings.TrimSpace(s))
	})
}
