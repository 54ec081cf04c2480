package advisory

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Snapshot is what all feeds say at one time, indexed for lookups. It is immutable and safe for concurrent use. The nil
// snapshot knows nothing.
type Snapshot struct {
	updates map[string]*known
	cves    map[string]CVE
	listed  map[string]Exploited
	newer   map[string][]string // by KB: updates that supersede it
	version uint64

	attacked []bool // by CVE number: CISA or MSRC calls it exploited

	// KEV and MSRC are the dates of the data; zero if there is none.
	KEV  time.Time
	MSRC time.Time
	// LastMonth is the ID of the newest document, such as "2026-Nov".
	LastMonth string
}

// known is an update as described by all documents together.
type known struct {
	Update
	released time.Time // of the first document that lists it

	facts   Facts
	numbers []int32 // of its CVEs, in the order of CVEs
}

var versions atomic.Uint64

// Version identifies a snapshot within this process, for cache keys. The nil snapshot has version 0.
func (s *Snapshot) Version() uint64 {
	if s == nil {
		return 0
	}
	return s.version
}

// NewSnapshot combines documents and the list. An update in several documents has what all of them say.
func NewSnapshot(docs []Document, kev Catalog) *Snapshot {
	s := &Snapshot{
		updates: map[string]*known{}, cves: map[string]CVE{}, listed: make(map[string]Exploited, len(kev.Entries)), newer: map[string][]string{}, KEV: kev.Released,
		version: versions.Add(1),
	}
	for _, e := range kev.Entries {
		s.listed[e.CVE] = e
	}
	docs = slices.Clone(docs)
	slices.SortFunc(docs, func(a, b Document) int { return a.Released.Compare(b.Released) })
	for _, d := range docs {
		if d.Revised.After(s.MSRC) {
			s.MSRC = d.Revised
		}
		if len(d.Updates) > 0 || s.LastMonth == "" { // MSRC opens a month with a document that has no updates yet
			s.LastMonth = d.ID
		}
		for _, c := range d.CVEs {
			s.cves[c.ID] = c.join(s.cves[c.ID])
		}
		for _, u := range d.Updates {
			k, ok := s.updates[u.KB]
			if !ok {
				k = &known{Update: Update{KB: u.KB, Kind: u.Kind, Restart: u.Restart}, released: d.Released}
				s.updates[u.KB] = k
			}
			k.Supersedes = union(k.Supersedes, u.Supersedes)
			k.CVEs = union(k.CVEs, u.CVEs)
			k.Builds = append(slices.Clip(k.Builds), u.Builds...)
		}
	}
	for kb, k := range s.updates {
		for _, old := range k.Supersedes {
			s.newer[old] = append(s.newer[old], kb)
		}
	}
	for _, all := range s.newer {
		slices.Sort(all)
	}
	s.judge()
	return s
}

// judge computes the facts about each update, once for all answers, and numbers the CVEs.
func (s *Snapshot) judge() {
	numbers := make(map[string]int32, len(s.cves))
	for _, k := range s.updates {
		k.facts = s.factsOf(k)
		k.numbers = make([]int32, len(k.CVEs))
		for at, id := range k.CVEs {
			n, ok := numbers[id]
			if !ok {
				n = int32(len(s.attacked)) //nolint:gosec // memory would run out first
				numbers[id] = n
				_, listed := s.listed[id]
				s.attacked = append(s.attacked, listed || s.cves[id].Exploited)
			}
			k.numbers[at] = n
		}
	}
}

// join merges what two documents say about a CVE.
func (c CVE) join(other CVE) CVE {
	if SeverityRank(other.Severity) > SeverityRank(c.Severity) {
		c.Severity = other.Severity
	}
	c.CVSS = max(c.CVSS, other.CVSS)
	c.Exploited, c.Disclosed = c.Exploited || other.Exploited, c.Disclosed || other.Disclosed
	return c
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// Facts are what the feeds say about an update. Its slices belong to the snapshot and must not be changed.
type Facts struct {
	KB       string
	Released time.Time // of the first document that lists it: it is at least that old
	Restart  string    // "Yes", "Maybe", "No" or ""
	Severity string    // the highest of its CVEs
	CVEs     []string
	KEV      []Exploited // its CVEs that CISA lists, earliest due date first
	MSRC     []string    // its CVEs that MSRC calls exploited
}

// Exploited reports whether CISA or MSRC says that a vulnerability fixed by the update is exploited.
func (f Facts) Exploited() bool { return len(f.KEV) > 0 || len(f.MSRC) > 0 }

// Update returns what is known about an update; false if the feeds do not list it, which says nothing about it.
func (s *Snapshot) Update(kb string) (Facts, bool) {
	if s == nil {
		return Facts{}, false
	}
	k, ok := s.updates[kb]
	if !ok {
		return Facts{}, false
	}
	return k.facts, true
}

// Numbers returns the CVEs that an update fixes, as numbers from 0 that are only valid for this snapshot: they compare
// faster than names. They must not be changed.
func (s *Snapshot) Numbers(kb string) []int32 {
	if s == nil || s.updates[kb] == nil {
		return nil
	}
	return s.updates[kb].numbers
}

// Attacked reports by CVE number whether CISA or MSRC calls a CVE exploited. It must not be changed.
func (s *Snapshot) Attacked() []bool {
	if s == nil {
		return nil
	}
	return s.attacked
}

// factsOf collects the facts about one update.
func (s *Snapshot) factsOf(k *known) Facts {
	f := Facts{KB: k.KB, Released: k.released, Restart: k.Restart, CVEs: k.CVEs}
	for _, id := range k.CVEs {
		if e, ok := s.listed[id]; ok {
			f.KEV = append(f.KEV, e)
		}
		c := s.cves[id]
		if c.Exploited {
			f.MSRC = append(f.MSRC, id)
		}
		if SeverityRank(c.Severity) > SeverityRank(f.Severity) {
			f.Severity = c.Severity
		}
	}
	slices.SortStableFunc(f.KEV, func(a, b Exploited) int {
		switch {
		case a.Due.IsZero() != b.Due.IsZero():
			return map[bool]int{true: 1, false: -1}[a.Due.IsZero()]
		case !a.Due.Equal(b.Due):
			return a.Due.Compare(b.Due)
		}
		return strings.Compare(a.CVE, b.CVE)
	})
	return f
}

// Listed returns CISA's entry of a CVE.
func (s *Snapshot) Listed(cve string) (Exploited, bool) {
	if s == nil {
		return Exploited{}, false
	}
	e, ok := s.listed[strings.ToUpper(cve)]
	return e, ok
}

// CVE returns what MSRC says about a CVE.
func (s *Snapshot) CVE(id string) (CVE, bool) {
	if s == nil {
		return CVE{}, false
	}
	c, ok := s.cves[strings.ToUpper(id)]
	return c, ok
}

// Len returns how many updates and how many exploited CVEs are known.
func (s *Snapshot) Len() (updates, exploited int) {
	if s == nil {
		return 0, 0
	}
	return len(s.updates), len(s.listed)
}
