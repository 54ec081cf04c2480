package apitest

import (
	"slices"
	"strings"
	"time"
)

// Published is an update that the invented vendor has published by now, as its monthly document would tell it. A service
// that stands in for the vendor is made of these.
type Published struct {
	KB         string // digits only
	Supersedes string // the KB before it in its line; empty for none
	Product    string // what it brings up to date, such as "windows_11"
	Line       int    // the OS build, such as 26100; 0 where there is none
	Revision   int    // the last number of the build that it brings
	Released   time.Time
	OutOfBand  bool
	CVEs       []string
}

// Published returns what the vendor has published until now, oldest first.
func (t *Tenant) Published() []Published {
	if t.builtIn == nil {
		return nil
	}
	before := map[[2]int]string{} // the newest KB of a line and build
	var all []Published
	for _, u := range t.builtIn.until(t.Now()) {
		kb := strings.TrimPrefix(u.kb.ID, "KB")
		if kb == "" {
			continue
		}
		p := Published{KB: kb, Product: u.names[0], Line: u.build, Released: u.released, OutOfBand: u.seq%2 == 1, CVEs: u.cves}
		if u.build > 0 {
			p.Revision = revision(u.month)
			if p.OutOfBand {
				p.Revision += 40
			}
			if u.names[0] == "windows_server_2025" { // it shares a build with Windows 11 and has numbers of its own
				p.Revision += 24_000
			}
		}
		at := [2]int{u.line, u.build}
		p.Supersedes, before[at] = before[at], kb
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b Published) int { return a.Released.Compare(b.Released) })
	return all
}
