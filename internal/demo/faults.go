package demo

import (
	"github.com/missingkbs/missingkbs/internal/advisory/advisorytest"
	"github.com/missingkbs/missingkbs/internal/sandbox/faults"
)

// publisherFaults are switches of the page, one for each fault of the publishers. A fault takes effect at the next
// update of the feeds, once the clock has moved on.
func publisherFaults(s *advisorytest.Server) []faults.Fitting {
	var all []faults.Fitting
	for _, f := range []struct {
		fault       advisorytest.Fault
		label, help string
	}{
		{advisorytest.Down, "Down", "MSRC and CISA answer 503"},
		{advisorytest.Throttled, "Throttled", "429 from MSRC, CISA and its copy"},
		{advisorytest.Forbidden, "CISA refuses", "403, as to many clouds; its copy answers"},
		{advisorytest.AllForbidden, "All refuse", "403 from MSRC, CISA and its copy"},
		{advisorytest.WebPage, "Web page", "HTML in the place of data"},
		{advisorytest.CutOff, "Cut off", "the connection breaks within an answer"},
		{advisorytest.Absurd, "Absurd", "JSON of another shape"},
		{advisorytest.Endless, "Endless", "an answer of a gigabyte"},
		{advisorytest.Blank, "White space", "a gigabyte of nothing"},
		{advisorytest.ToHTTP, "To plain http", "a redirect that is not followed"},
		{advisorytest.ToOtherHost, "To another host", "a redirect that is not followed"},
		{advisorytest.WrongMonth, "Wrong month", "MSRC serves the document of another month"},
		{advisorytest.EarlyRelease, "Early release", "a month has a single update"},
		{advisorytest.OlderRevision, "Older revision", "both serve what was current weeks ago"},
		{advisorytest.NoSupersedence, "No supersedence", "no update replaces another any more"},
		{advisorytest.FutureDate, "Future date", "dated in fifty years"},
		{advisorytest.MonthsLeaveIndex, "Months leave the index", "the newest ones, which are asked for by address"},
		{advisorytest.WrongCount, "Wrong count", "CISA's list counts other entries than it has"},
		{advisorytest.ShrunkList, "Shrunk list", "half of CISA's list is gone"},
		{advisorytest.EmptyList, "Empty list", "CISA's list has no entries"},
		{advisorytest.OddValues, "Odd values", "rows that are no KB, bulletins, builds that are none: all of it is read"},
	} {
		all = append(all, faults.Fitting{Name: "feeds_" + string(f.fault), Label: f.label, Group: "Feeds", Help: f.help, Set: func(on bool) { s.Set(f.fault, on) }})
	}
	return all
}
