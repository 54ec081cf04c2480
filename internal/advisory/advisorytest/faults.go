package advisorytest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Fault is something that the publishers were seen to do, or might do.
type Fault string

// The faults. Each leaves the stored data unchanged, or is harmless.
const (
	Down             Fault = "down"               // every call fails with 503
	Throttled        Fault = "rate_limited"       // every call gets a 429
	Forbidden        Fault = "forbidden"          // CISA rejects the address of a cloud; its copy on GitHub does not
	AllForbidden     Fault = "all_forbidden"      // every call is rejected
	WebPage          Fault = "web_page"           // HTML with status 200
	CutOff           Fault = "cut_off"            // the connection ends in the middle of the body
	Absurd           Fault = "absurd"             // JSON with another structure
	Endless          Fault = "endless"            // a body of a gigabyte
	Blank            Fault = "blank"              // a gigabyte of white space, which JSON allows
	ToHTTP           Fault = "to_http"            // a redirect to plain http
	ToOtherHost      Fault = "to_other_host"      // a redirect to another host
	WrongMonth       Fault = "wrong_month"        // the document of another month
	EarlyRelease     Fault = "early_release"      // a document with a single update
	OlderRevision    Fault = "older_revision"     // what was served weeks ago, in both feeds
	NoSupersedence   Fault = "no_supersedence"    // no update supersedes another any more
	FutureDate       Fault = "future_date"        // dated fifty years ahead
	MonthsLeaveIndex Fault = "months_leave_index" // the newest months are missing in the index but served by address
	WrongCount       Fault = "wrong_count"        // the list has another number of entries than it says
	ShrunkList       Fault = "shrunk_list"        // half of the list is missing
	EmptyList        Fault = "empty_list"
	OddValues        Fault = "odd_values" // values other than KBs, numbers and builds
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{
		Down, Throttled, Forbidden, AllForbidden, WebPage, CutOff, Absurd, Endless, Blank, ToHTTP, ToOtherHost, WrongMonth, EarlyRelease, OlderRevision, NoSupersedence,
		FutureDate, MonthsLeaveIndex, WrongCount, ShrunkList, EmptyList, OddValues,
	}
}

// broken answers a call if a fault of the whole server is on.
func (s *Server) broken(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case s.has(Down):
		http.Error(w, "service unavailable", http.StatusServiceUnavailable)
	case s.has(Throttled):
		http.Error(w, "slow down", http.StatusTooManyRequests)
	case s.has(AllForbidden):
		http.Error(w, "Access Denied", http.StatusForbidden)
	case s.has(WebPage):
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!DOCTYPE html><html><title>Sorry</title></html>")
	case s.has(CutOff):
		w.Header().Set("Content-Length", "100000")
		fmt.Fprint(w, `{"value":[{"ID":"`)
	case s.has(Absurd):
		fmt.Fprint(w, `{"value":"none","Vulnerability":7,"DocumentTracking":[],"vulnerabilities":{},"count":"many","dateReleased":3}`)
	case s.has(Endless):
		fmt.Fprint(w, `{"value":[{"ID":"`)
		_, _ = io.CopyN(w, same('x'), 1<<30) // the reader hangs up
	case s.has(Blank):
		fmt.Fprint(w, `{"value":[`)
		_, _ = io.CopyN(w, same(' '), 1<<30)
	case s.has(ToHTTP):
		http.Redirect(w, r, "http://"+r.Host+r.URL.Path, http.StatusMovedPermanently)
	case s.has(ToOtherHost):
		http.Redirect(w, r, "https://localhost"+r.Host[strings.LastIndex(r.Host, ":"):]+"/elsewhere", http.StatusFound)
	default:
		return false
	}
	return true
}

// same is a reader that repeats one byte.
type same byte

// Read implements [io.Reader].
func (b same) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}
