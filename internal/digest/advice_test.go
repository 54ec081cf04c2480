package digest_test

import (
	"strings"
	"testing"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// With data of feeds the verdict follows what is exploited, and says why in its own line.
func TestVerdictOfWhatIsExploited(t *testing.T) {
	t.Parallel()
	ids := []string{edge}
	of := func(exploited map[string]bool, rows ...patchgap.Row) patchgap.Snapshot {
		s := gap(rows, ids)
		s.Exploited = exploited
		return s
	}
	one, two := row(edge, "5000001", 100, 3), row(edge, "5000002", 7, 3)
	no, yes := map[string]bool{"5000001": false}, map[string]bool{"5000001": true}
	onlyExploited, large := patchgap.Filter{Exploited: true}, patchgap.Filter{MinDevices: 200}
	partly := func(s patchgap.Snapshot) patchgap.Snapshot {
		s.Unread = []patchgap.Unread{{Software: windows, Reason: "It did not answer."}}
		return s
	}
	for name, c := range map[string]struct {
		before, after patchgap.Snapshot
		filter        patchgap.Filter
		first         bool
		title, lead   string
	}{
		"exploited":               {of(yes, one), of(yes, one), patchgap.Filter{}, false, "Action required (1 exploited)", "It fixes vulnerabilities under attack, on 100 devices. Nothing has changed."},
		"turned":                  {of(no, one), of(yes, one, two), patchgap.Filter{}, false, "Action required (1 exploited)", "1 of 2 missing updates fixes vulnerabilities under attack, on 100 devices; of 1 it is unknown. 1 now exploited and 1 new."},
		"known now":               {of(nil, one), of(yes, one), patchgap.Filter{}, false, "Action required (1 exploited)", "It fixes vulnerabilities under attack, on 100 devices. Nothing has changed."},
		"first":                   {of(nil), of(yes, one), patchgap.Filter{}, true, "Action required (1 exploited)", "It fixes"},
		"first, none exploited":   {of(nil), of(no, one), patchgap.Filter{}, true, "Worth a look (first digest)", "It fixes no vulnerability that is known to be under attack."},
		"hidden by a filter":      {of(yes, one), of(yes, one), large, false, "Action required (1 exploited, hidden by the filter)", "Nothing has changed."},
		"new, not exploited":      {of(no, one), of(no, one, two), patchgap.Filter{}, false, "Worth a look (1 new)", "None of 2 missing updates is known to fix a vulnerability under attack; of 1 it is unknown. 1 new."},
		"nothing new":             {of(no, one), of(no, one), patchgap.Filter{}, false, "On track (none known to be exploited)", "It fixes no vulnerability that is known to be under attack. Nothing has changed."},
		"closed":                  {of(no, one, two), of(no, one), patchgap.Filter{}, false, "On track (none known to be exploited)", "It fixes no"},
		"nothing missing":         {of(no), of(no), patchgap.Filter{}, false, "Clean (nothing missing)", "Nothing has changed."},
		"not all read":            {of(no, one), partly(of(no, one)), patchgap.Filter{}, false, "Could not tell (not all could be read)", "It fixes no"},
		"only exploited":          {of(no, one), of(yes, one, two), onlyExploited, false, "Action required (1 exploited)", "It fixes vulnerabilities under attack, on 100 devices. 1 rose above the filter. 1 update missing, on 100 devices; 1 more hidden by the filter."},
		"only exploited, none is": {of(no, one), of(no, one), onlyExploited, false, "On track (none known to be exploited)", "Nothing has changed."},
		"only exploited, no data": {of(nil, one), of(nil, one), onlyExploited, false, "Could not tell (nothing is known of exploits)", "Which updates fix vulnerabilities under attack is unknown: the bot has no data of CISA and MSRC. Nothing has changed."},
		"no data":                 {of(nil, one), of(nil, one), patchgap.Filter{}, false, "No change", "Nothing has changed."},
	} {
		r := report(c.before, c.after)
		r.Subscription.Filter = c.filter
		r.Advice = digest.Advice{Exploited: c.after.Exploited, Dates: "KEV of 28 Nov, MSRC to 2026-Nov."}
		if c.first {
			r.Kind = digest.First
		}
		page := r.Page()
		if title, _, _ := strings.Cut(page.Title, ": "); title != c.title || !strings.HasPrefix(page.Lead, c.lead) {
			t.Errorf("%s: %q, %q", name, page.Title, page.Lead)
		}
		if !strings.HasSuffix(page.Context, " KEV of 28 Nov, MSRC to 2026-Nov.") {
			t.Errorf("%s: context %q", name, page.Context)
		}
		if heartbeat := r.Heartbeat().Title; c.after.Exploited != nil && !strings.HasPrefix(heartbeat, c.title) {
			t.Errorf("%s: heartbeat %q", name, heartbeat)
		}
	}
}

// An update that became contained in another is gone, but not closed: nothing was installed.
func TestContainedUpdatesAreNotClosed(t *testing.T) {
	t.Parallel()
	older, newer := row(edge, "5000001", 40, 3), row(edge, "5000002", 60, 3)
	for name, c := range map[string]struct {
		before, after []patchgap.Row
		in            int
		closed        int
	}{
		"contained in what appeared":     {[]patchgap.Row{older}, []patchgap.Row{newer}, 0, 0},
		"in what was listed, on fewer":   {[]patchgap.Row{older, row(edge, "5000002", 5, 3)}, []patchgap.Row{row(edge, "5000002", 5, 3)}, 0, 0},
		"in what was listed, now fewer":  {[]patchgap.Row{older, newer}, []patchgap.Row{row(edge, "5000002", 2, 3)}, 0, 0},
		"in what no device lacks":        {[]patchgap.Row{older, newer}, []patchgap.Row{row(edge, "5000002", 0, 3)}, 0, 1},
		"in what was listed, on as many": {[]patchgap.Row{older, newer}, []patchgap.Row{newer}, 0, 0},
		"contained in nothing":           {[]patchgap.Row{older}, []patchgap.Row{newer}, -1, 1},
		"another software":               {[]patchgap.Row{older}, []patchgap.Row{row(windows, "5000002", 60, 3)}, 0, 1},
	} {
		before := gap(c.before, []string{edge, windows})
		after := gap(c.after, []string{edge, windows})
		changes := patchgap.Diff(before, after, nil)
		changes.Unlist(after, func(gone patchgap.Row, listed []patchgap.Row) int {
			if gone.KB != "5000001" || len(listed) == 0 {
				return -1
			}
			return c.in
		})
		if len(changes.Closed) != c.closed || len(changes.Closed)+len(changes.Unlisted) != 1 {
			t.Errorf("%s: %d closed, %d no longer listed", name, len(changes.Closed), len(changes.Unlisted))
		}
	}
}
