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

// The types of threats and remediations in a document.
const (
	exploitThreat  = 1
	severityThreat = 3
	vendorFix      = 2
)

// maxCVEs and maxUpdates bound the content of one document. The largest so far has about 4,000 CVEs and 500 updates.
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

// ReadDocument reads a document as a stream, one vulnerability at a time, because documents have 20 MB. It skips what
// does not belong to an update, and returns an error for what is not a document at all.
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

// builder collects a document.
type builder struct {
	doc     Document
	updates map[string]*Update
	cves    map[string]CVE
}

// tracking reads the ID and dates of a document.
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

// documentTime parses MSRC's times: UTC, with or without a time zone.
func documentTime(s string) (time.Time, error) {
	s = strings.TrimSuffix(s, "Z")
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("not a time")
}

// vulnerability adds a CVE and the updates that fix it. CVEs without an update with a KB number are skipped.
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

// fields splits an exploit status: "Publicly Disclosed:No;Exploited:Yes;DOS:N/A".
func fields(status string) map[string]string {
	m := map[string]string{}
	for part := range strings.SplitSeq(status, ";") {
		if name, value, ok := strings.Cut(part, ":"); ok {
			m[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return m
}

// update adds what a remediation says about an update. Updates are repeated under each CVE that they fix.
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

// kindOf parses a SubType, which MSRC spells in several ways.
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

// superseded returns the KB numbers in a Supercedence: one or several, mixed with bulletins such as "MS16-110,
// 3187754".
func superseded(s string) []string {
	var kbs []string
	for _, n := range numbers.FindAllString(s, -1) {
		if !strings.HasPrefix(strings.ToUpper(n), "MS") {
			kbs = append(kbs, n)
		}
	}
	return kbs
}

// buildsOf parses a FixedBuild. Only Windows builds are read, because others cannot be ordered by their last number.
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

// document sorts what was collected.
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
