package digest_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/digest"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

// report is a digest of 23 November 2026 that compares two gaps.
func report(before, after patchgap.Snapshot) digest.Report {
	r := digest.Report{
		Subscription: weekly(), Kind: digest.Changed, Due: monday, Now: monday.Add(40 * time.Second), Since: monday.Add(-7 * 24 * time.Hour),
		Before: before, After: after, Changes: patchgap.Diff(before, after, nil),
	}
	for i := range 14 {
		r.History = append(r.History, digest.Delivery{
			Kind: digest.Changed, Message: "m", At: monday.Add(-time.Duration(i+1) * 7 * 24 * time.Hour), Totals: patchgap.Totals{Missing: 5000 + 10*i},
		})
	}
	r.History[2].Kind = digest.Failed
	return r
}

// windowsBuild is a row of one OS build, with an address that is not the catalog's.
func windowsBuild(build string, devices, cves int) patchgap.Row {
	return patchgap.Row{
		Key: patchgap.Key{Software: windows, KB: "5074224", OSBuild: build}, Name: "November", URL: "https://evil.example/", Devices: devices, CVEs: cves,
	}
}

// The digest says what the issue lists, in its order.
func TestPageOrder(t *testing.T) {
	t.Parallel()
	both := []string{edge, windows}
	before := gap([]patchgap.Row{row(edge, "5000001", 30, 3), row(edge, "5000002", 50, 4), row(windows, "5000003", 9, 1)}, both)
	after := gap([]patchgap.Row{seed(), row(edge, "5000001", 45, 3), row(edge, "5000002", 20, 4), windowsBuild("26100.1", 20, 66)}, both)
	r := report(before, after)
	r.Now = monday.Add(2 * time.Hour)
	var b strings.Builder
	if err := view.WriteText(&b, r.Page()); err != nil {
		t.Fatal(err)
	}
	want := `Action required: microsoft-_-* (late)
2 new, 1 grew, 1 shrank and 1 closed. 4 updates missing, the largest on 240 devices.
Since Mon 16 Nov, read 23 Nov 10:00 CET; due 23 Nov 10:00, sent 2 h later.

New
  KB4540673 (Edge): 240 devices, 14 CVEs
  KB5074224 (Windows 11): 20 devices, 66 CVEs

Grew
  KB5000001 (Edge): from 30 to 45 devices

Shrank
  KB5000002 (Edge): from 50 to 20 devices

Closed
  KB5000003 (Windows 11): was on 9 devices

KB         Devices  CVEs  Update                       Catalog                                                               Products    OS build
KB4540673  240      14    March 2020 Security Updates  https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB4540673  Edge        -
KB5000001  45       3     Update 5000001               https://www.catalog.update.microsoft.com/Search.aspx?q=KB5000001      Edge        -
KB5074224  20       66    November                     https://www.catalog.update.microsoft.com/Search.aspx?q=KB5074224      Windows 11  26100.1
KB5000002  20       4     Update 5000002               https://www.catalog.update.microsoft.com/Search.aspx?q=KB5000002      Edge        -

Open installs    325, 236 more than last time (265 %)
Updates missing  4, 1 more than last time

Open installs (devices, summed over updates)
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

Open installs: one for each device and update that it lacks.

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
	of := func(rows ...patchgap.Row) patchgap.Snapshot { return gap(rows, ids) }
	none, some := gap(nil, ids), of(row(edge, "5000001", 100, 3))
	grown, shrunk := of(row(edge, "5000001", 120, 3)), of(row(edge, "5000001", 80, 3))
	harmless := of(row(edge, "5000001", 100, 0))
	november, december := row(edge, "5000001", 50, 3), row(edge, "5000002", 60, 3)
	november.Name, december.Name = "November 2026 Security Updates", "December 2026 Security Updates"
	small := patchgap.Filter{MinDevices: 101}
	partly := func(s patchgap.Snapshot) patchgap.Snapshot {
		s.Unread = []patchgap.Unread{{Software: windows, Reason: "It did not answer."}}
		return s
	}
	for _, c := range []struct {
		name          string
		before, after patchgap.Snapshot
		kind          digest.Kind
		filter        patchgap.Filter
		want          digest.Verdict
		lead          string
	}{
		{"new", none, some, digest.Changed, patchgap.Filter{}, digest.ActionRequired, "1 new. 1 update missing, on 100 devices."},
		{"new without CVEs", none, harmless, digest.Changed, patchgap.Filter{}, digest.WorthALook, "1 new. 1 update"},
		{"new but hidden", none, some, digest.Same, small, digest.BelowFilter, "Nothing that passes the filter has changed. No missing update passes the filter; 1 is missing in all, on 100 devices."},
		{"grew", some, grown, digest.Changed, patchgap.Filter{}, digest.WorthALook, "1 grew. 1 update"},
		{"grew over the filter", some, grown, digest.Changed, small, digest.WorthALook, "1 rose above the filter. 1 update missing, on 120 devices."},
		{"shrank", some, shrunk, digest.Changed, patchgap.Filter{}, digest.OnTrack, "1 shrank. 1 update"},
		{"shrank under the filter", grown, some, digest.Changed, small, digest.OnTrack, "1 fell below the filter. No missing update passes the filter; 1 is missing in all, on 100 devices."},
		{
			"shrank, but what the filter hides grew", of(row(edge, "5000001", 120, 3)), of(row(edge, "5000001", 110, 3), row(edge, "5000002", 90, 3)), digest.Changed, small,
			digest.WorthALook, "1 shrank. 1 update missing, on 110 devices; 1 more hidden by the filter.",
		},
		{"one grew, one shrank", of(row(edge, "1", 100, 3), row(edge, "2", 50, 3)), of(row(edge, "1", 50, 3), row(edge, "2", 100, 3)), digest.Changed, patchgap.Filter{}, digest.WorthALook, "1 grew and 1 shrank."},
		{"one closed, another grew more", of(row(edge, "1", 10, 3), row(edge, "2", 5, 3)), of(row(edge, "2", 116, 3)), digest.Changed, patchgap.Filter{}, digest.WorthALook, "1 grew and 1 closed."},
		{"replaced", of(november), of(december), digest.Changed, patchgap.Filter{}, digest.ActionRequired, "1 new and 1 no longer listed. 1 update"},
		{"no longer listed", of(november, december), of(december), digest.Changed, patchgap.Filter{}, digest.WorthALook, "1 no longer listed. 1 update"},
		{"the same", some, some, digest.Same, patchgap.Filter{}, digest.NoChange, "Nothing has changed. 1 update missing"},
		{"hardly changed", of(row(edge, "1", 100, 3)), of(row(edge, "1", 101, 3)), digest.Same, patchgap.Filter{}, digest.NoChange, "No significant change. 1 update missing"},
		{"the same, below the filter", some, some, digest.Same, small, digest.BelowFilter, "Nothing has changed. No missing update passes the filter; 1"},
		{"clean", none, none, digest.Same, patchgap.Filter{}, digest.Clean, "Nothing has changed. No missing updates."},
		{"all closed", some, none, digest.Changed, patchgap.Filter{}, digest.Clean, "1 closed. No missing updates."},
		{"first", none, some, digest.First, patchgap.Filter{}, digest.WorthALook, "1 update missing, on 100 devices. This is the first digest: there is nothing to compare with yet."},
		{"first, below the filter", none, some, digest.First, small, digest.BelowFilter, "No missing update passes the filter; 1 is missing in all, on 100 devices. This is the first digest"},
		{"first and clean", none, none, digest.First, patchgap.Filter{}, digest.Clean, "No missing updates. This is the first digest"},
		{"first, partly", none, partly(none), digest.First, patchgap.Filter{}, digest.CouldNotTell, "No missing updates in what could be read. This is the first digest"},
		{"first, partly and below the filter", none, partly(some), digest.First, small, digest.CouldNotTell, "No missing update passes the filter in what could be read; 1 is missing in all"},
		{"new, partly", none, partly(some), digest.Changed, patchgap.Filter{}, digest.ActionRequired, "1 new. 1 update missing in what could be read, on 100 devices."},
		{"shrank, partly", some, partly(shrunk), digest.Changed, patchgap.Filter{}, digest.CouldNotTell, "1 shrank. 1 update"},
		{"the same, partly", some, partly(some), digest.Changed, patchgap.Filter{}, digest.CouldNotTell, "Nothing has changed in what could be read. 1 update missing there, on 100 devices."},
		{"clean, partly", none, partly(none), digest.Changed, patchgap.Filter{}, digest.CouldNotTell, "Nothing has changed in what could be read. No missing updates there."},
		{"nothing fits", patchgap.Snapshot{}, patchgap.Snapshot{}, digest.First, patchgap.Filter{}, digest.CouldNotTell, "No software in this tenant matches what this digest watches."},
	} {
		r := report(c.before, c.after)
		r.Kind, r.Subscription.Filter = c.kind, c.filter
		page := r.Page()
		if got := r.Verdict(); got != c.want || !strings.HasPrefix(page.Title, string(c.want)) || !strings.HasPrefix(page.Lead, c.lead) {
			t.Errorf("%s: %s, %q, want %s, %q", c.name, page.Title, page.Lead, c.want, c.lead)
		}
	}
}

// listed is the list of a page with a name.
func listed(p view.Page, name string) view.List {
	for _, part := range p.Parts {
		if l, ok := part.(view.List); ok && l.Name == name {
			return l
		}
	}
	return view.List{}
}

// tableOf is the table of a page.
func tableOf(p view.Page) view.Table {
	for _, part := range p.Parts {
		if t, ok := part.(view.Table); ok {
			return t
		}
	}
	return view.Table{}
}

// However much there is, the digest lists at most eight gaps and three changes of a kind, and counts the others; the
// details have all.
func TestPageOfMuch(t *testing.T) {
	t.Parallel()
	var rows []patchgap.Row
	for i := range 60 {
		rows = append(rows, row(windows, strconv.Itoa(5000000+i), i+1, 2))
	}
	r := report(gap(nil, []string{windows}), gap(rows, []string{windows}))
	r.Subscription.Filter.MinDevices = 11
	page := r.Page()
	table := tableOf(page)
	if table.Len() != 8 || table.Row(0)[0].Text != "KB5000059" || table.Row(7)[0].Text != "KB5000052" || table.Caption != "Largest gaps, most devices first: 8 of 50 updates" {
		t.Errorf("%d gaps, the first %s, %q", table.Len(), table.Row(0)[0].Text, table.Caption)
	}
	fresh := listed(page, "New")
	if !strings.HasPrefix(page.Note, "42 more updates in the details.") || len(fresh.Items) != 3 || fresh.More != 47 {
		t.Errorf("note %q, new %+v", page.Note, fresh)
	}
	if !strings.Contains(page.Lead, "; 10 more hidden by the filter.") || !strings.HasSuffix(page.Context, "; only updates missing on 11 devices or more.") {
		t.Errorf("lead %q, context %q", page.Lead, page.Context)
	}
	details := r.Details()
	all := tableOf(details)
	if all.Len() != 50 || all.Command != "digest details 7" {
		t.Errorf("details of %d rows, command %q", all.Len(), all.Command)
	}
	if fresh := listed(details, "New"); len(fresh.Items) != 20 || fresh.More != 30 {
		t.Errorf("details list %d changes and count %d, want 20 and 30", len(fresh.Items), fresh.More)
	}
}

// The largest gap is the one on most devices, whatever it fixes.
func TestDevicesComeFirst(t *testing.T) {
	t.Parallel()
	after := gap([]patchgap.Row{row(windows, "5000001", 2, 900), row(windows, "5000002", 62, 1), row(windows, "5000003", 62, 9)}, []string{windows})
	table := tableOf(report(gap(nil, []string{windows}), after).Page())
	for i, want := range []string{"KB5000003", "KB5000002", "KB5000001"} {
		if got := table.Row(i)[0].Text; got != want {
			t.Errorf("row %d is %s, want %s", i, got, want)
		}
	}
}

// A column that says the same in every row goes for people, and stays for programs.
func TestColumnsThatSayNothing(t *testing.T) {
	t.Parallel()
	rows := []patchgap.Row{build(windows, "5000001", "26100", 2, 1), build(windows, "5000002", "26100", 3, 1)}
	shared := slices.Concat(rows, []patchgap.Row{build(edge, "5000002", "26100", 3, 1)})
	for name, c := range map[string]struct {
		rows  []patchgap.Row
		watch string
		want  string
	}{
		"one build, one software":              {rows, windows, "KB Devices CVEs Update Catalog"},
		"one build, one software of a pattern": {rows, "microsoft-_-*", "KB Devices CVEs Update Catalog"},
		"two builds":                           {slices.Concat(rows, []patchgap.Row{build(windows, "5000003", "22631", 3, 1)}), windows, "KB Devices CVEs Update Catalog OS build"},
		"no build":                             {[]patchgap.Row{row(windows, "5000001", 2, 1)}, windows, "KB Devices CVEs Update Catalog"},
		"one row":                              {rows[:1], windows, "KB Devices CVEs Update Catalog OS build"},
		"one row of a pattern":                 {rows[:1], "microsoft-_-*", "KB Devices CVEs Update Catalog Products OS build"},
		"two products":                         {shared, "microsoft-_-*", "KB Devices CVEs Update Catalog Products"},
	} {
		after := gap(c.rows, []string{edge, windows})
		r := report(gap(nil, []string{edge, windows}), after)
		r.Subscription.Watch = []string{c.watch}
		for _, page := range []view.Page{r.Page(), r.Details()} {
			table := tableOf(page)
			var seen, keys []string
			for _, column := range table.Visible().Columns {
				seen = append(seen, column.Title)
			}
			for _, column := range table.Columns {
				keys = append(keys, column.Key)
			}
			if got := strings.Join(seen, " "); got != c.want || strings.Join(keys, " ") != "kb devices cves name url software os_build" {
				t.Errorf("%s: people see %q, want %q; programs get %q", name, got, c.want, keys)
			}
		}
	}
}

// details are those of a recorded snapshot, of which nothing more is known.
func details(t *testing.T, s digest.Subscription, at patchgap.Snapshot, now time.Time, eachRow bool) view.Page {
	t.Helper()
	page, err := digest.Known{}.Details(t.Context(), s, at, now, eachRow)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// The details can be made anew from what is stored.
func TestDetailsOfASnapshot(t *testing.T) {
	t.Parallel()
	s := gap([]patchgap.Row{seed(), row(edge, "5000001", 1, 0)}, []string{edge}, windows)
	sub := weekly()
	sub.Filter.MinCVEs = 1
	page := details(t, sub, s, monday.Add(time.Hour), false)
	if page.Lead != "1 update missing in what could be read, on 240 devices; 1 more hidden by the filter." || fact(page, "Could not read") == "" || page.AsOf.Age != time.Hour {
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

// The rows behind updates are there for whoever asks for them.
func TestDetailsOfEachRow(t *testing.T) {
	t.Parallel()
	s := gap([]patchgap.Row{build(windows, "5000001", "26100", 62, 3), build(windows, "5000001", "26200", 16, 3), row(edge, "5000001", 70, 3)}, []string{edge, windows})
	for each, want := range map[bool]struct {
		rows    []string
		lead    string
		actions []view.Action
	}{
		false: {[]string{"KB5000001 78 Edge, Windows 11 26100, 26200"}, "1 update missing, on at least 78 devices.", append([]view.Action{{Label: "All rows as Defender gave them", Command: "digest details 7 --all-rows"}}, view.Copies("digest details 7")...)},
		true: {
			[]string{"KB5000001 70 Edge ", "KB5000001 62 Windows 11 26100", "KB5000001 16 Windows 11 26200"},
			"1 update missing, on at least 78 devices. 3 rows: one for each product and OS build.",
			append([]view.Action{{Label: "Updates to install", Command: "digest details 7"}}, view.Copies("digest details 7 --all-rows")...),
		},
	} {
		page := details(t, weekly(), s, monday, each)
		var rows []string
		for _, r := range rowsOf(tableOf(page)) {
			rows = append(rows, fmt.Sprint(r[0].Text, " ", r[1].Number, " ", r[5].Text, " ", r[6].Text))
		}
		if diff := cmp.Diff(want.rows, rows); diff != "" || page.Lead != want.lead || !cmp.Equal(page.Actions, want.actions) {
			t.Errorf("%q, actions %v, rows (-want +got):\n%s", page.Lead, page.Actions, diff)
		}
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	same := gap([]patchgap.Row{seed()}, []string{edge})
	r := report(same, same)
	r.Kind, r.Now = digest.Same, monday.Add(time.Hour)
	page := r.Heartbeat()
	if page.Title != "No change: microsoft-_-* (late)" || page.Lead != "Nothing has changed since Mon 16 Nov 2026 10:00 CET. 1 update missing, on 240 devices." {
		t.Errorf("%q, %q", page.Title, page.Lead)
	}
	// It does not say "no change" of what could not be read.
	r.After = gap([]patchgap.Row{seed()}, []string{edge}, windows)
	page = r.Heartbeat()
	if !strings.HasPrefix(page.Title, "Could not tell") || fact(page, "Could not read") == "" || !strings.Contains(page.Lead, "in what could be read") {
		t.Errorf("%q, %q", page.Title, page.Lead)
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	for want, watch := range map[string][]string{
		"Clean: all Microsoft software":          {digest.All},
		"Clean: A, B and C":                      {"a-_-a", "b-_-b", "c-_-c"},
		"Clean: A, B and 2 more":                 {"a-_-a", "b-_-b", "c-_-c", "d-_-d"},
		"Clean: all Microsoft software and Chro": {digest.All, "google-_-chro"},
	} {
		none := gap(nil, []string{edge})
		r := report(none, none)
		r.Kind, r.Subscription.Watch = digest.Same, watch
		if got := r.Page().Title; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A chart has one point a day, the last, and none of sums that counted something else.
func TestChartPoints(t *testing.T) {
	t.Parallel()
	after := gap([]patchgap.Row{row(edge, "1", 29, 1), row(windows, "1", 29, 1)}, []string{edge, windows})
	history := []digest.Delivery{
		{Kind: digest.Same, At: monday.Add(-time.Hour), Totals: patchgap.Totals{Missing: 1}},
		{Kind: digest.Failed, At: monday.Add(-24 * time.Hour)},
		{Kind: digest.Changed, At: monday.Add(-25 * time.Hour), Totals: patchgap.Totals{KBs: 2, Missing: 40}},
		{Kind: digest.Changed, At: monday.Add(-26 * time.Hour), Totals: patchgap.Totals{KBs: 2, Missing: 50}},
		{Kind: digest.Changed, At: monday.Add(-50 * time.Hour), Totals: patchgap.Totals{KBs: 2, Rows: 6, Missing: 150}},
		{Kind: digest.Changed, At: monday.Add(-75 * time.Hour), Totals: patchgap.Totals{KBs: 2, Rows: 2, Missing: 60}},
	}
	for watch, want := range map[string][]string{
		"microsoft-_-*": {"20 Nov: 60", "22 Nov: 40", "23 Nov: 29"},
		windows:         {"20 Nov: 60", "21 Nov: 150", "22 Nov: 40", "23 Nov: 29"},
	} {
		r := report(after, after)
		r.History, r.Subscription.Watch = history, []string{watch}
		page := r.Page()
		chart := page.Parts[len(page.Parts)-1].(view.Chart)
		var got []string
		for i, point := range chart.Points {
			got = append(got, fmt.Sprintf("%s: %d", point, chart.Series[0].Values[i]))
		}
		if diff := cmp.Diff(want, got); diff != "" || chart.Title != "Open installs" {
			t.Errorf("%s: %q, points (-want +got):\n%s", watch, chart.Title, diff)
		}
	}
	// Of one day there is no chart.
	r := report(after, after)
	r.History = history[:1]
	for _, part := range r.Page().Parts {
		if chart, ok := part.(view.Chart); ok {
			t.Errorf("a chart of %v", chart.Points)
		}
	}
}

// One line says since when and of when a digest is. No two times of it are the same, and a day that is said already is
// not said again.
func TestContext(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		kind    digest.Kind
		since   time.Duration // before it was read
		through time.Duration // after it was begun to be read
		sent    time.Duration // after it was due
		filter  patchgap.Filter
	}{
		"Since Mon 16 Nov, read 23 Nov 10:00 CET.":                                                                  {digest.Changed, 7 * 24 * time.Hour, time.Minute, 0, patchgap.Filter{}},
		"Since Tue 23 Sep 2025, read 23 Nov 10:00 CET.":                                                             {digest.Changed, 426 * 24 * time.Hour, 0, 0, patchgap.Filter{}},
		"Since 23 Nov 09:30, read 23 Nov 10:00 CET.":                                                                {digest.Changed, 30 * time.Minute, 0, 0, patchgap.Filter{}},
		"Read 23 Nov 10:00 CET, as for the last digest.":                                                            {digest.Changed, 0, 0, 0, patchgap.Filter{}},
		"Read 23 Nov 10:00 CET, as for the last digest":                                                             {digest.Changed, -time.Minute, 0, 0, patchgap.Filter{}},
		"First digest, read 23 Nov 10:00 CET.":                                                                      {digest.First, 0, 0, 0, patchgap.Filter{}},
		"Since Mon 16 Nov, read 23 Nov 10:00 to 24 Nov 12:00 CET.":                                                  {digest.Changed, 7 * 24 * time.Hour, 26 * time.Hour, 0, patchgap.Filter{}},
		"Since Mon 16 Nov, read 23 Nov 10:00 CET; due 23 Nov 10:00, sent 3 h later.":                                {digest.Changed, 7 * 24 * time.Hour, 0, 3 * time.Hour, patchgap.Filter{}},
		"First digest, read 23 Nov 10:00 CET; only updates fixing 1 CVE or more.":                                   {digest.First, 0, 0, 0, patchgap.Filter{MinCVEs: 1}},
		"First digest, read 23 Nov 10:00 CET; only updates missing on 5 devices or more and fixing 2 CVEs or more.": {digest.First, 0, 0, 0, patchgap.Filter{MinDevices: 5, MinCVEs: 2}},
	} {
		after := gap([]patchgap.Row{seed()}, []string{edge})
		after.At, after.Through = monday, monday.Add(c.through)
		r := report(gap(nil, []string{edge}), after)
		r.Kind, r.Since, r.Now, r.Subscription.Filter = c.kind, monday.Add(-c.since), monday.Add(c.sent), c.filter
		if got := r.Page().Context; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	r := report(gap(nil, []string{edge}), gap(nil, []string{edge}))
	if r.Since = (time.Time{}); r.Page().Context != "Read 23 Nov 10:00 CET." {
		t.Errorf("a channel that was told nothing: %q", r.Page().Context)
	}
}
