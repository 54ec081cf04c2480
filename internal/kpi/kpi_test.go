package kpi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/kpi"
	"github.com/missingkbs/missingkbs/internal/patchgap"
)

// weeks are twelve Mondays, from 7 September to 23 November 2026.
const weeks = 12

func monday(t *testing.T, week int) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Stockholm") // its clocks change on 25 October
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, 9, 7+7*week, 9, 0, 0, 0, zone)
}

const (
	windows = "microsoft-_-windows_11"
	office  = "microsoft-_-office"
)

// counts are how many devices lack an update in each week; -1 is a week in which its software was not read.
type counts struct {
	software, kb, build, name string
	devices                   [weeks]int
}

func invented() []counts {
	return []counts{
		{windows, "5000001", "", "Malicious Software Removal Tool", [weeks]int{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}},
		{windows, "5000009", "26100", "September 2026 Security Updates", [weeks]int{0, 100, 60, 20, 10, 8}},
		{windows, "5000010", "26100", "October 2026 Security Updates", [weeks]int{6: 100, 70, 40, 30}},
		{windows, "5000011", "26100", "November 2026 Security Updates", [weeks]int{10: 90, 45}},
		{office, "6000008", "", "August 2026 Security Updates", [weeks]int{0, 40, 30, 30, -1, -1, 30, 30, 30, 30, 30, 30}},
		{office, "6000010", "", "October 2026 Security Updates", [weeks]int{4: -1, -1, 50, 20, 5}},
	}
}

// read makes the readings of counts, and what is kept of when each row was seen first.
func read(t *testing.T, all []counts, at func(*testing.T, int) time.Time) (snaps []patchgap.Snapshot, seen map[patchgap.Key]patchgap.Seen) {
	t.Helper()
	seen = map[patchgap.Key]patchgap.Seen{}
	for _, software := range []string{windows, office} {
		var before time.Time
		for week := range weeks {
			snap := patchgap.Snapshot{At: at(t, week), Software: []string{software}}
			unread := false
			for _, c := range all {
				n := c.devices[week]
				switch {
				case c.software != software:
				case n < 0:
					unread = true
				case n > 0:
					r := patchgap.Row{Key: patchgap.Key{Software: software, KB: c.kb, OSBuild: c.build}, Name: c.name, Devices: n, CVEs: 3}
					snap.Rows = append(snap.Rows, r)
					if seen[r.Key].First.IsZero() && !unread {
						seen[r.Key] = patchgap.Seen{First: snap.At, Before: before}
					}
				}
			}
			if !unread {
				snaps, before = append(snaps, snap), snap.At
			}
		}
	}
	return snaps, seen
}

func report(t *testing.T, all []counts, change func(*kpi.Input)) kpi.Report {
	t.Helper()
	policy, err := deadline.Parse(deadline.Example)
	if err != nil {
		t.Fatal(err)
	}
	in := kpi.Input{Now: monday(t, weeks-1).Add(time.Hour), Policy: policy}
	in.Readings, in.Seen = read(t, all, monday)
	if change != nil {
		change(&in)
	}
	return kpi.New(in)
}

// said are the figures of a report.
func said(r kpi.Report) (lines []string) {
	for _, b := range r.Buckets {
		lines = append(lines, fmt.Sprintf("%s: %d KBs, %d devices, %d installs, %d exploited", b.Name, b.KBs, b.Devices, b.Installs, b.Exploited))
	}
	for _, u := range r.Updates {
		lines = append(lines, fmt.Sprintf("%s: %s, %s", u.KB(), u.AgeWords(), u.DueWords()))
	}
	lines = append(lines,
		fmt.Sprintf("overdue %d", r.Overdue),
		fmt.Sprintf("without an old gap %d of %d, %d %%, exact %v, since %s", r.Fresh.Without, r.Fresh.Devices, r.Fresh.Percent(), r.Fresh.Exact, r.Fresh.From.ISO()),
		fmt.Sprintf("90 %% in %d days of %d; %d open, %d replaced, %d undated", r.Ninety.Days, r.Ninety.Updates, r.Ninety.Open, r.Ninety.Replaced, r.Ninety.Undated),
	)
	if r.Stale > 0 {
		lines = append(lines, fmt.Sprintf("stale %d", r.Stale))
	}
	lines = append(lines, fmt.Sprintf("day %d of the %s", r.Cycle.Day(r.Day), r.Cycle))
	for _, p := range r.Progress {
		lines = append(lines, fmt.Sprintf("%s: %d updates, %d of %d open, %d %% closed %s", p.Cycle.Short(), p.Updates, p.Open, p.Missing, p.Percent(), p.Why))
	}
	for _, p := range r.Unread {
		lines = append(lines, fmt.Sprintf("unread %s to %s: %d", p.From.ISO(), p.To.ISO(), p.Software))
	}
	return lines
}

func TestTwelveWeeks(t *testing.T) {
	t.Parallel()
	r := report(t, invented(), nil)
	want := []string{
		"14 days or less: 1 KBs, 45 devices, 45 installs, 0 exploited",
		"15–30 days: 0 KBs, 0 devices, 0 installs, 0 exploited",
		"31–60 days: 0 KBs, 0 devices, 0 installs, 0 exploited",
		"over 60 days: 2 KBs, 30 devices, 35 installs, 0 exploited",
		"not known: 0 KBs, 0 devices, 0 installs, 0 exploited",
		"5000001: 77+ days, overdue by 17+ days", // older than the bot
		"6000008: 70 days, overdue by 10 days",
		"5000011: 7 days, due in 53 days",
		"overdue 2",
		"without an old gap 115 of 150, 76 %, exact true, since 2026-09-08",
		"90 % in 21 days of 1; 3 open, 1 replaced, 1 undated",
		"day 13 of the November 2026 cycle",
		"May 2026: 0 updates, 0 of 0 open, -1 % closed no updates known",
		"Jun 2026: 0 updates, 0 of 0 open, -1 % closed no updates known",
		"Jul 2026: 0 updates, 0 of 0 open, -1 % closed no updates known",
		"Aug 2026: 1 updates, 0 of 0 open, -1 % closed read only from 7 Sep 2026 on",
		"Sep 2026: 1 updates, 60 of 100 open, 40 % closed ",
		"Oct 2026: 2 updates, 90 of 150 open, 40 % closed ",
		"Nov 2026: 1 updates, 45 of 90 open, 50 % closed ",
		"unread 2026-09-28 to 2026-10-19: 1",
	}
	if d := cmp.Diff(want, said(r)); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if oldest, ok := r.Oldest(); !ok || oldest.KB() != "5000001" {
		t.Errorf("the oldest is %s", oldest.KB())
	}
}

// The same weeks, with something amiss.
func TestTwelveWeeksOtherwise(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		counts func([]counts)
		input  func(*kpi.Input)
		want   map[int]string // lines that differ, by their place in the report of the weeks as they are
	}{
		"a poll failed in the week of the release": {
			counts: func(all []counts) {
				all[0].devices[9] = -1
			},
			want: map[int]string{
				0:  "14 days or less: 0 KBs, 0 devices, 0 installs, 0 exploited",
				4:  "not known: 1 KBs, 45 devices, 45 installs, 0 exploited",
				7:  "5000011: 7+ days, due in 53 days or sooner",
				19: "unread 2026-09-28 to 2026-10-19: 1\nunread 2026-11-02 to 2026-11-16: 1",
			},
		},
		"the digests paused for three weeks": {
			counts: func(all []counts) {
				for i := range all {
					for week := 6; week < 9; week++ {
						all[i].devices[week] = -1
					}
				}
			},
			want: map[int]string{
				9:  "without an old gap 105 of 140, 75 %, exact true, since 2026-09-08",
				10: "90 % in 21 days of 1; 3 open, 1 replaced, 0 undated",
				17: "Oct 2026: 1 updates, 0 of 0 open, -1 % closed not read around 26 Oct 2026",
				19: "unread 2026-09-28 to 2026-11-09: 1\nunread 2026-10-12 to 2026-11-09: 1",
			},
		},
		"MSRC tells when updates came, and what is exploited": {
			input: func(in *kpi.Input) {
				in.Known = advisory.NewSnapshot([]advisory.Document{{
					ID: "2026-Nov", Released: time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC),
					Updates: []advisory.Update{{KB: "5000011", CVEs: []string{"CVE-2026-1"}}},
					CVEs:    []advisory.CVE{{ID: "CVE-2026-1", Severity: "Critical", Exploited: true}},
				}}, advisory.Catalog{})
			},
			want: map[int]string{
				0: "14 days or less: 1 KBs, 45 devices, 45 installs, 1 exploited",
				7: "5000011: 13 days, overdue by 10 days",
				8: "overdue 3",
			},
		},
		"nothing is kept of when updates were seen": {
			input: func(in *kpi.Input) { in.Seen = nil },
			want:  map[int]string{},
		},
		"a software that is no longer read": {
			counts: func(all []counts) {
				for week := 9; week < weeks; week++ {
					all[4].devices[week], all[5].devices[week] = -1, -1
				}
			},
			want: map[int]string{
				3: "over 60 days: 1 KBs, 5 devices, 5 installs, 0 exploited",
				6: "", 8: "overdue 1", 9: "without an old gap 95 of 100, 95 %, exact true, since 2026-09-08",
				10: "90 % in 21 days of 1; 3 open, 1 replaced, 1 undated\nstale 1",
			},
		},
		"without deadlines": {
			input: func(in *kpi.Input) { in.Policy = deadline.Policy{} },
			want: map[int]string{
				5: "5000001: 77+ days, ", 6: "6000008: 70 days, ", 7: "5000011: 7 days, ", 8: "overdue 0",
			},
		},
		"an update of two builds": {
			counts: func(all []counts) {
				all[0] = counts{windows, "5000009", "22631", "September 2026 Security Updates", [weeks]int{0, 50, 40}}
			},
			want: map[int]string{
				3: "over 60 days: 1 KBs, 30 devices, 30 installs, 0 exploited",
				5: "6000008: 70 days, overdue by 10 days", 6: "5000011: 7 days, due in 53 days", 7: "",
				8:  "overdue 1",
				9:  "without an old gap 170 of 200, 85 %, exact true, since 2026-09-08",
				10: "90 % in 21 days of 1; 2 open, 1 replaced, 1 undated",
				16: "Sep 2026: 1 updates, 100 of 150 open, 33 % closed ",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := invented()
			if tc.counts != nil {
				tc.counts(all)
			}
			want := said(report(t, invented(), nil))
			for i, line := range tc.want {
				want[i] = line
			}
			r := report(t, all, tc.input)
			if d := cmp.Diff(flat(want), flat(said(r))); d != "" {
				t.Errorf("report (-want +got):\n%s", d)
			}
		})
	}
}

// In every zone, whatever its clocks do in these weeks, readings half an hour after midnight give the same figures: days are those
// of the calendar. Clocks change on 25 October in Stockholm, on 1 November in New York, on 27 September in Auckland, on 4 October
// on Lord Howe Island, by half an hour.
func TestDaylightSaving(t *testing.T) {
	t.Parallel()
	want := said(report(t, invented(), nil))
	for _, name := range []string{"Europe/Stockholm", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe", "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, minute := range []int{30, 23*60 + 30} {
			at := func(_ *testing.T, week int) time.Time { return time.Date(2026, 9, 7+7*week, 0, minute, 0, 0, zone) }
			r := report(t, invented(), func(in *kpi.Input) {
				in.Now = at(t, weeks-1).Add(15 * time.Minute)
				in.Readings, in.Seen = read(t, invented(), at)
				for i := range in.Readings { // as a database gives them back
					in.Readings[i].At = in.Readings[i].At.UTC()
				}
			})
			if d := cmp.Diff(want, said(r)); d != "" {
				t.Errorf("%s, %d minutes after midnight (-want +got):\n%s", name, minute, d)
			}
		}
	}
}

// flat splits lines that stand for several, and leaves out empty ones.
func flat(lines []string) (all []string) {
	for _, l := range lines {
		for start := 0; start < len(l); {
			end := start
			for end < len(l) && l[end] != '\n' {
				end++
			}
			all = append(all, l[start:end])
			start = end + 1
		}
	}
	return all
}

// Without any reading there are no figures, rather than good ones.
func TestNoReadings(t *testing.T) {
	t.Parallel()
	r := kpi.New(kpi.Input{Now: monday(t, 0)})
	if r.Fresh.Percent() >= 0 || len(r.Read) > 0 || r.Ninety.Updates != 0 || r.Progress[kpi.Cycles].Percent() >= 0 {
		t.Errorf("figures of nothing: %+v", r)
	}
	if _, ok := r.Oldest(); ok {
		t.Error("nothing has an oldest update")
	}
}

// An update that a newer one of its cycle replaced was not closed: it counts in neither figure of the cycle.
func TestReplacedIsNotClosed(t *testing.T) {
	t.Parallel()
	all := []counts{
		{windows, "5000011", "26100", "November 2026 Security Updates", [weeks]int{9: 100, 90}},
		{windows, "5000012", "26100", "November 2026 Out-of-band Security Updates", [weeks]int{11: 90}},
		{office, "6000001", "", "November 2026 Security Updates", [weeks]int{0: 1, 9: 40, 40}},
		{office, "6000002", "", "Newer", [weeks]int{9: 20, 20, 10}},
	}
	contained := advisory.NewSnapshot([]advisory.Document{{
		ID: "2026-Nov", Released: time.Date(2026, 11, 10, 8, 0, 0, 0, time.UTC),
		Updates: []advisory.Update{{KB: "6000001"}, {KB: "6000002", Supersedes: []string{"6000001"}}},
	}}, advisory.Catalog{})
	for name, c := range map[string]struct {
		known *advisory.Snapshot
		want  string
	}{
		"by the months of their names": {nil, "Nov 2026: 2 updates, 90 of 130 open, 30 % closed "},
		"by what the feeds say":        {contained, "Nov 2026: 2 updates, 100 of 110 open, 9 % closed "},
	} {
		lines := said(report(t, all, func(in *kpi.Input) { in.Known = c.known }))
		if !slices.Contains(lines, c.want) {
			t.Errorf("%s: %q is not among\n%s", name, c.want, strings.Join(lines, "\n"))
		}
	}
}
