// Package advisorytest replaces the publishers of feeds: a server of invented monthly documents in the format of MSRC's
// CVRF, and of a list in the format of CISA's KEV, on loopback behind TLS. Its clock is the caller's, so that documents
// and entries appear over time. Faults make it serve what the real publishers were seen to serve. It knows the format
// of the documents, but neither who reads them nor which updates a tenant misses: those are arguments.
package advisorytest

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Update is an update that the invented vendor has published.
type Update struct {
	KB         string
	Supersedes string // as MSRC writes it; empty for none
	Product    string // MSRC's ProductID
	Build      string // such as 10.0.26100.9445; empty for none
	SubType    string // default "Security Update"
	Released   time.Time
	CVEs       []string
}

// Exploited is an entry of the list.
type Exploited struct {
	CVE    string
	Added  time.Time
	Triage bool
}

// Options are what a [Server] serves. The functions are called for each request.
type Options struct {
	Now     func() time.Time // default [time.Now]
	Updates func() []Update
	// Listed returns the entries of the list; nil invents them with [Attacked]. An entry stays on the list once it was
	// returned.
	Listed func() []Exploited
}

// Server serves both feeds. It is safe for concurrent use.
type Server struct {
	*httptest.Server
	options Options

	mu     sync.Mutex
	faults map[Fault]bool
	asked  []string
	listed map[string]Exploited // by CVE
}

// Start starts a server. The caller closes it.
func Start(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, faults: map[Fault]bool{}, listed: map[string]Exploited{}}
	s.Server = httptest.NewTLSServer(s)
	return s
}

// The paths of the lists: CISA's own, and its copy.
const (
	listPath   = "/kev/known_exploited_vulnerabilities.json"
	mirrorPath = "/mirror/known_exploited_vulnerabilities.json"
	apiPath    = "/cvrf/v3.0"
)

// MSRC returns the base address of the documents.
func (s *Server) MSRC() string { return s.URL + apiPath }

// KEV returns the addresses of the list.
func (s *Server) KEV() []string { return []string{s.URL + listPath, s.URL + mirrorPath} }

// Asked returns the paths of all requests so far.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Set switches a fault on or off.
func (s *Server) Set(f Fault, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[f] = on
}

func (s *Server) has(f Fault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults[f]
}

// ServeHTTP answers a request for either feed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	s.mu.Unlock()
	if s.broken(w, r) {
		return
	}
	switch path := r.URL.Path; {
	case path == apiPath+"/updates":
		s.serveIndex(w)
	case strings.HasPrefix(path, apiPath+"/cvrf/"):
		s.serveDocument(w, strings.TrimPrefix(path, apiPath+"/cvrf/"))
	case path == listPath && s.has(Forbidden):
		http.Error(w, "Access Denied", http.StatusForbidden)
	case path == listPath, path == mirrorPath:
		s.serveList(w)
	default:
		http.NotFound(w, r)
	}
}

// month returns the ID of the document that an update belongs to.
func month(at time.Time) string { return at.UTC().Format("2006-Jan") }

// documents returns the updates by month, and the months, newest first.
func (s *Server) documents() (byMonth map[string][]Update, months []string) {
	byMonth = map[string][]Update{}
	now := s.options.Now()
	for _, u := range s.options.Updates() {
		if u.Released.After(now) {
			continue
		}
		id := month(u.Released)
		byMonth[id] = append(byMonth[id], u)
		if !slices.Contains(months, id) {
			months = append(months, id)
		}
	}
	slices.SortFunc(months, func(a, b string) int { return byMonth[b][0].Released.Compare(byMonth[a][0].Released) })
	return byMonth, months
}

// revised returns when a document was last revised: when its newest update came, and once more a week later.
func (s *Server) revised(list []Update) time.Time {
	newest := slices.MaxFunc(list, func(a, b Update) int { return a.Released.Compare(b.Released) }).Released
	if again := newest.AddDate(0, 0, 7); !again.After(s.options.Now()) {
		return again
	}
	return newest
}

// entries returns the current and former entries of the list.
func (s *Server) entries() []Exploited {
	var now []Exploited
	if s.options.Listed != nil {
		now = s.options.Listed()
	} else {
		now = Attacked(s.options.Updates(), s.options.Now())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range now {
		s.listed[e.CVE] = e
	}
	return slices.SortedFunc(maps.Values(s.listed), func(a, b Exploited) int { return cmp.Or(a.Added.Compare(b.Added), strings.Compare(a.CVE, b.CVE)) })
}

// attackEvery is how many CVEs there are for each exploited one.
const attackEvery = 97

// Attacked invents the entries of a list: a small share of the CVEs, each some days after its update.
func Attacked(updates []Update, now time.Time) []Exploited {
	seen := map[string]bool{}
	var all []Exploited
	for _, u := range updates {
		for _, cve := range u.CVEs {
			h := fnv.New32a()
			_, _ = h.Write([]byte(cve)) // it never fails
			n := h.Sum32()
			if n%attackEvery != 0 || seen[cve] {
				continue
			}
			seen[cve] = true
			if added := u.Released.AddDate(0, 0, 1+int(n/attackEvery%20)); !added.After(now) {
				all = append(all, Exploited{CVE: cve, Added: added, Triage: n/attackEvery%4 == 0})
			}
		}
	}
	slices.SortFunc(all, func(a, b Exploited) int { return cmp.Or(a.Added.Compare(b.Added), strings.Compare(a.CVE, b.CVE)) })
	return all
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

func ordinal(month string) string { return fmt.Sprintf("Security Updates of %s", month) }
