package digest_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/view"
)

// report is a digest of 23 November 2026 that compares two gaps.
func report(before, after digest.Snapshot) digest.Report {
	r := digest.Report{
		Subscription: weekly(), Kind: digest.Changed, Due: monday, Now: monday.Add(40 * time.Second), Since: monday.Add(-7 * 24 * time.Hour),
		Before: before, After: after, Changes: digest.Diff(before, after, nil),
	}
	for i := range 14 {
		r.History = append(r.History, digest.Delivery{
			Kind: digest.Changed, Message: "m", At: monday.Add(-time.Duration(i+1) * 7 * 24 * time.Hour), Totals: digest.Totals{Missing: 5000 + 10*i},
		})
	}
	r.History[2].Kind = digest.Failed
	return r
}

// windowsBuild is a row of one OS build, with an address that is not the catalog's.
func windowsBuild(build string, devices, cves int) digest.Row {
	return digest.Row{
		Key: digest.Key{Software: windows, KB: "5074224", OSBuild: build}, Name: "November", URL: "https://evil.example/", Devices: devices, CVEs: cves,
	}
}

// The digest says what the issue lists, in its order.
func TestPageOrder(t *testing.T) {
	t.Parallel()
	both := []string{edge, windows}
	before := gap([]digest.Row{row(edge, "5000001", 30, 3), row(edge, "5000002", 50, 4), row(windows, "5000003", 9, 1)}, both)
	after := gap([]digest.Row{seed(), row(edge, "5000001", 45, 3), row(edge, "5000002", 20, 4), windowsBuild("26100.1", 20, 66)}, both)
	r := report(before, after)
	r.Now = monday.Add(2 * time.Hour)
	r.Changes, _ = r.Changes.Confirm(gap(nil, both))
	var b strings.Builder
	if err := view.WriteText(&b, r.Page()); err != nil {
		t.Fatal(err)
	}
	want := `Action required: microsoft-_-* (late)
2 new, 1 grew, 1 shrank and 1 closed. 4 updates missing, worst on 240 devices.

Scope          microsoft-_-*
Period         Mon 16 Nov 2026 10:00 CET to Mon 23 Nov 2026 12:00 CET
As of          Mon 23 Nov 2026 10:00 CET
Compared with  the digest of Mon 16 Nov 2026 10:00 CET
Late           due Mon 23 Nov 2026 10:00 CET, sent 2 h later

New     KB4540673 (microsoft-_-edge) on 240 devices, fixes 14 CVEs; KB5074224 (microsoft-_-windows_11, build 26100.1) on 20 devices, fixes 66 CVEs
Grew    KB5000001 (microsoft-_-edge) from 30 to 45 devices
Shrank  KB5000002 (microsoft-_-edge) from 50 to 20 devices
Closed  KB5000003 (microsoft-_-windows_11) was on 9 devices

KB         Update                       Software                OS build  Devices  CVEs  Catalog
KB4540673  March 2020 Security Updates  microsoft-_-edge        -         240      14    https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673
KB5074224  November                     microsoft-_-windows_11  26100.1   20       66    https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074224
KB5000001  Update 5000001               microsoft-_-edge        -         45       3     https://www.catalog.update.microsoft.com/Search.aspx?q=KB5000001
KB5000002  Update 5000002               microsoft-_-edge        -         20       4     https://www.catalog.update.microsoft.com/Search.aspx?q=KB5000002

Updates missing        4, 1 more than last time (33 %)
Devices times updates  325, 236 more than last time (265 %)

Devices missing updates (devices, summed over updates)
31 Aug  5,110  ████████████████████████
7 Sep   5,100  ███████████████████████
14 Sep  5,090  ███████████████████████
21 Sep  5,080  ███████████████████████
28 Sep  5,070  ███████████████████████
5 Oct   5,060  ███████████████████████
12 Oct  5,050  ███████████████████████
19 Oct  5,040  ███████████████████████
26 Oct  5,030  ███████████████████████
9 Nov   5,010  ███████████████████████
16 Nov  5,000  ███████████████████████
23 Nov  325    █

As of 2026-11-23 09:00 UTC, cached 2 h ago
`
	got := b.String()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
	var labels []string
	for _, a := range r.Page().Actions {
		labels = append(labels, a.Label+": "+a.Command)
	}
	if diff := cmp.Diff([]string{"Details: digest details 7", "CSV: digest csv 7", "Pause: digest pause 7", "Settings: digest show 7"}, labels); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	ids := []string{edge}
	none, some := gap(nil, ids), gap([]digest.Row{row(edge, "5000001", 100, 3)}, ids)
	grown, shrunk := gap([]digest.Row{row(edge, "5000001", 120, 3)}, ids), gap([]digest.Row{row(edge, "5000001", 80, 3)}, ids)
	harmless := gap([]digest.Row{row(edge, "5000001", 100, 0)}, ids)
	partly := func(s digest.Snapshot) digest.Snapshot {
		s.Unread = []digest.Unread{{Software: windows, Reason: "It did not answer."}}
		return s
	}
	for _, c := range []struct {
		name          string
		before, after digest.Snapshot
		kind          digest.Kind
		filter        digest.Filter
		want          digest.Verdict
		lead          string
	}{
		{"new", none, some, digest.Changed, digest.Filter{}, digest.ActionRequired, "1 new. 1 update missing, worst on 100 devices."},
		{"new without CVEs", none, harmless, digest.Changed, digest.Filter{}, digest.WorthALook, "1 new. 1 update"},
		{"new but hidden", none, some, digest.Same, digest.Filter{MinDevices: 101}, digest.Clean, "Nothing has changed. No update is missing. 1 row hidden by the filter."},
		{"grew", some, grown, digest.Changed, digest.Filter{}, digest.WorthALook, "1 grew. 1 update"},
		{"shrank", some, shrunk, digest.Changed, digest.Filter{}, digest.OnTrack, "1 shrank. 1 update"},
		{"the same", some, some, digest.Same, digest.Filter{}, digest.WorthALook, "Nothing has changed. 1 update missing"},
		{"clean", none, none, digest.Same, digest.Filter{}, digest.Clean, "Nothing has changed. No update is missing."},
		{"first", none, some, digest.First, digest.Filter{}, digest.WorthALook, "1 update missing, worst on 100 devices. This is the first digest: there is nothing to compare with yet."},
		{"first and clean", none, none, digest.First, digest.Filter{}, digest.Clean, "No update is missing. This is the first digest"},
		{"first, partly", none, partly(none), digest.First, digest.Filter{}, digest.CouldNotTell, "No update is missing in what could be read. This is the first digest"},
		{"new, partly", none, partly(some), digest.Changed, digest.Filter{}, digest.ActionRequired, "1 new. 1 update missing, worst on 100 devices, in what could be read."},
		{"shrank, partly", some, partly(shrunk), digest.Changed, digest.Filter{}, digest.CouldNotTell, "1 shrank. 1 update"},
		{"the same, partly", some, partly(some), digest.Changed, digest.Filter{}, digest.CouldNotTell, "Nothing has changed in what could be read. 1 update missing"},
		{"clean, partly", none, partly(none), digest.Changed, digest.Filter{}, digest.CouldNotTell, "Nothing has changed in what could be read. No update"},
		{"nothing fits", digest.Snapshot{}, digest.Snapshot{}, digest.First, digest.Filter{}, digest.CouldNotTell, "No software in this tenant fits what this digest watches."},
	} {
		r := report(c.before, c.after)
		r.Kind, r.Subscription.Filter = c.kind, c.filter
		page := r.Page()
		if got := r.Verdict(); got != c.want || !strings.HasPrefix(page.Title, string(c.want)) || !strings.HasPrefix(page.Lead, c.lead) {
			t.Errorf("%s: %s, %q, want %s, %q", c.name, page.Title, page.Lead, c.want, c.lead)
		}
	}
}

// However much there is, the digest lists at most eight gaps and five changes of a kind, and counts the others; the
// details have all.
func TestPageOfMuch(t *testing.T) {
	t.Parallel()
	var rows []digest.Row
	for i := range 60 {
		rows = append(rows, row(windows, strconv.Itoa(5000000+i), i+1, 2))
	}
	r := report(gap(nil, []string{windows}), gap(rows, []string{windows}))
	r.Subscription.Filter.MinDevices = 11
	page := r.Page()
	table := page.Parts[2].(view.Table)
	if len(table.Rows) != 8 || table.Rows[0][0].Text != "KB5000059" || table.Rows[7][0].Text != "KB5000052" {
		t.Errorf("%d gaps, the first %s", len(table.Rows), table.Rows[0][0].Text)
	}
	if page.Note != "42 more rows in the details." || !strings.HasSuffix(fact(page, "New"), "; and 45 more") || strings.Count(fact(page, "New"), "KB50") != 5 {
		t.Errorf("note %q, new %q", page.Note, fact(page, "New"))
	}
	if !strings.Contains(page.Lead, "10 rows hidden by the filter.") || fact(page, "Scope") != "microsoft-_-* (only updates with 11 devices or more)" {
		t.Errorf("lead %q, scope %q", page.Lead, fact(page, "Scope"))
	}
	details := r.Details()
	all := details.Parts[1].(view.Table)
	if len(all.Rows) != 50 || all.Command != "digest details 7" {
		t.Errorf("details of %d rows, command %q", len(all.Rows), all.Command)
	}
	changes := fact(details, "New")
	if got := strings.Count(changes, "KB50"); got != 40 || !strings.HasSuffix(changes, "; and 10 more") {
		t.Errorf("details list %d changes, want 40: %q", got, changes)
	}
	for _, f := range details.Parts[0].(view.Facts) {
		if len(f.Value) > 550 {
			t.Errorf("a fact of %d characters would be cut", len(f.Value))
		}
	}
}

// The details can be made anew from what is stored.
func TestDetailsOfASnapshot(t *testing.T) {
	t.Parallel()
	s := gap([]digest.Row{seed(), row(edge, "5000001", 1, 0)}, []string{edge}, windows)
	sub := weekly()
	sub.Filter.MinCVEs = 1
	page := digest.Details(sub, s, monday.Add(time.Hour))
	if page.Lead != "1 update missing, worst on 240 devices, in what could be read. 1 row hidden by the filter." || fact(page, "Could not read") == "" || page.AsOf.Age != time.Hour {
		t.Errorf("%+v", page)
	}
	var csv strings.Builder
	if err := view.WriteCSV(&csv, page); err != nil {
		t.Fatal(err)
	}
	want := "kb,name,software,os_build,devices,cves,url\nKB4540673,March 2020 Security Updates,microsoft-_-edge,,240,14,https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673\n"
	if diff := cmp.Diff(want, csv.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	same := gap([]digest.Row{seed()}, []string{edge})
	r := report(same, same)
	r.Kind, r.Now = digest.Same, monday.Add(time.Hour)
	page := r.Heartbeat()
	if page.Title != "No change: microsoft-_-* (late)" || page.Lead != "Nothing has changed since Mon 16 Nov 2026 10:00 CET. 1 update missing, worst on 240 devices." {
		t.Errorf("%q, %q", page.Title, page.Lead)
	}
	// It does not say "no change" of what could not be read.
	r.After = gap([]digest.Row{seed()}, []string{edge}, windows)
	page = r.Heartbeat()
	if !strings.HasPrefix(page.Title, "Could not tell") || fact(page, "Could not read") == "" || !strings.Contains(page.Lead, "in what could be read") {
		t.Errorf("%q, %q", page.Title, page.Lead)
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	for want, watch := range map[string][]string{
		"Clean: all Microsoft software":                   {digest.All},
		"Clean: a-_-a, b-_-b and c-_-c":                   {"a-_-a", "b-_-b", "c-_-c"},
		"Clean: a-_-a, b-_-b and 2 more":                  {"a-_-a", "b-_-b", "c-_-c", "d-_-d"},
		"Clean: all Microsoft software and google-_-chro": {digest.All, "google-_-chro"},
	} {
		none := gap(nil, []string{edge})
		r := report(none, none)
		r.Kind, r.Subscription.Watch = digest.Same, watch
		if got := r.Page().Title; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Two digests of one day have names of their own in the chart.
func TestChartOfOneDay(t *testing.T) {
	t.Parallel()
	none := gap(nil, []string{edge})
	r := report(none, none)
	r.History = []digest.Delivery{
		{Kind: digest.Same, At: monday.Add(-time.Hour)}, {Kind: digest.First, At: monday.Add(-2 * time.Hour)},
	}
	page := r.Page()
	chart := page.Parts[len(page.Parts)-1].(view.Chart)
	if diff := cmp.Diff([]string{"23 Nov", "23 Nov 09:00", "23 Nov 10:00"}, chart.Points); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

// A digest whose reading took long says from when to when.
func TestReadingThatTookLong(t *testing.T) {
	t.Parallel()
	after := gap([]digest.Row{seed()}, []string{edge})
	for through, want := range map[time.Duration]string{
		0:              "Mon 23 Nov 2026 10:00 CET",
		time.Minute:    "Mon 23 Nov 2026 10:00 CET",
		26 * time.Hour: "Mon 23 Nov 2026 10:00 CET to Tue 24 Nov 2026 12:00 CET",
	} {
		after.At, after.Through = monday, monday.Add(through)
		if got := fact(report(gap(nil, []string{edge}), after).Page(), "As of"); got != want {
			t.Errorf("read within %v: as of %q, want %q", through, got, want)
		}
	}
}
