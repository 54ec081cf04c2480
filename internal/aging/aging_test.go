package aging_test

import (
	"strings"
	"testing"
	"time"

	"github.com/missingkbs/missingkbs/internal/advisory"
	"github.com/missingkbs/missingkbs/internal/aging"
	"github.com/missingkbs/missingkbs/internal/deadline"
	"github.com/missingkbs/missingkbs/internal/patchgap"
	"github.com/missingkbs/missingkbs/internal/view"
)

var now = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func updates() []patchgap.Update {
	row := func(kb, build, name string, devices int) patchgap.Row {
		return patchgap.Row{Key: patchgap.Key{Software: "a", KB: kb, OSBuild: build}, Name: name, Devices: devices}
	}
	return patchgap.Updates([]patchgap.Row{
		row("5000001", "1", "November 2026 Security Updates", 90), row("5000001", "2", "November 2026 Security Updates", 9),
		row("5000002", "1", "August 2026 Security Updates", 50), row("5000003", "1", "An update", 40), row("5000004", "1", "Another", 30),
	})
}

func facts(t *testing.T) aging.Facts {
	t.Helper()
	p, err := deadline.Parse(deadline.Example)
	if err != nil {
		t.Fatal(err)
	}
	day := func(n int) time.Time { return now.AddDate(0, 0, -n) }
	return aging.Facts{
		Now: now, Policy: p,
		Seen: map[patchgap.Key]patchgap.Seen{
			{Software: "a", KB: "5000001", OSBuild: "1"}: {First: day(5), Before: day(6)},
			{Software: "a", KB: "5000001", OSBuild: "2"}: {First: day(6), Before: day(7)}, // the earlier row counts
			{Software: "a", KB: "5000002", OSBuild: "1"}: {First: day(20)},                // it was there when the bot came
			{Software: "a", KB: "5000003", OSBuild: "1"}: {First: day(70), Before: day(71)},
		},
		Known: advisory.NewSnapshot(
			[]advisory.Document{{ID: "2026-Nov", Released: day(13), Updates: []advisory.Update{{KB: "5000001", CVEs: []string{"CVE-2026-1"}}}}},
			advisory.Catalog{Entries: []advisory.Exploited{{CVE: "CVE-2026-1", Added: day(2)}}},
		),
	}
}

// cells are what a table says of each update.
func cells(l aging.List, all []patchgap.Update) string {
	var lines []string
	for _, u := range all {
		line := []string{u.KB()}
		for _, c := range l.Columns(all) {
			line = append(line, c.Cell(u).Text)
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	return strings.Join(lines, "\n")
}

func TestList(t *testing.T) {
	t.Parallel()
	all := updates()
	l := facts(t).Of(all, nil)
	want := "5000001|13 days|due tomorrow\n5000002|84+ days|overdue by 24+ days\n5000003|70 days|overdue by 10 days\n5000004|unknown|"
	if got := cells(l, all); got != want {
		t.Errorf("ages:\n%s\nwant:\n%s", got, want)
	}
	if got, want := l.Words(all), "2 are overdue, KB5000002 by 24 days."; got != want {
		t.Errorf("words %q, want %q", got, want)
	}
	if got, want := l.Words(all[2:]), "1 is overdue: KB5000003, by 10 days."; got != want {
		t.Errorf("words %q, want %q", got, want)
	}
	l.Sort(all, func(u patchgap.Update) int { return map[bool]int{true: 1, false: 0}[u.KB() != "5000004"] })
	var order []string
	for _, u := range all {
		order = append(order, u.KB()[6:])
	}
	if strings.Join(order, "") != "4231" {
		t.Errorf("order %s", order)
	}
}

// An update is as late as the latest of what it contains, which is named; its age is its own.
func TestContains(t *testing.T) {
	t.Parallel()
	all := updates()
	l := facts(t).Of(all[:1], func(patchgap.Update) []patchgap.Update { return all[1:3] })
	if got := cells(l, all[:1]); got != "5000001|13 days|overdue by 24+ days (KB5000002)" {
		t.Errorf("ages: %s", got)
	}
}

// Without facts nothing is said, and no column is shown.
func TestNothingKnown(t *testing.T) {
	t.Parallel()
	none := patchgap.Updates([]patchgap.Row{{Key: patchgap.Key{Software: "a", KB: "5000003"}, Name: "August 2026 Security Updates", Devices: 1}})
	for _, l := range []aging.List{{}, (aging.Facts{Now: now}).Of(none, nil)} {
		if l.Words(none) != "" || l.Late(none[0]) != 0 {
			t.Errorf("it says %q", l.Words(none))
		}
		for _, c := range l.Columns(none) {
			if !c.Hidden || c.Kind != view.Text {
				t.Errorf("column %+v", c.Column)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	f := facts(t)
	same, versions := f.Version(), map[string]bool{}
	for _, change := range []func(*aging.Facts){
		func(*aging.Facts) {},
		func(f *aging.Facts) { f.Now = f.Now.AddDate(0, 0, 1) },
		func(f *aging.Facts) { f.Policy = deadline.Policy{} },
		func(f *aging.Facts) { f.Seen = nil },
	} {
		g := f
		change(&g)
		versions[g.Version()] = true
	}
	later := f
	later.Now = later.Now.Add(time.Hour)
	if len(versions) != 4 || later.Version() != same {
		t.Errorf("versions %v", versions)
	}
}
